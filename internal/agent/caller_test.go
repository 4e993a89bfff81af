package agent_test

import (
	"context"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// front is a Front at an address of its own, for all network modes.
type front string

func (f front) URI(context.Context, string) (string, error) { return string(f), nil }

// TestCaller: a container's id is its own and nobody else's, over restarts and also where the ledger was lost, for as long as the task runs.
func TestCaller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.config.Front = front("http://169.254.170.2")
		w.start()
		defer func() { w.kill() }()
		one, two := task(1, essential("a", "app")), task(2, essential("b", "app"))
		w.control.Run(one)
		w.control.Run(two)
		time.Sleep(time.Second)
		ids := map[string]string{} // tasks by id
		for _, labels := range w.engine.Running() {
			ids[labels["berth.endpoint"]] = labels["com.amazonaws.ecs.task-arn"]
		}
		if len(ids) != 2 || ids[""] != "" {
			t.Fatalf("ids %v", ids)
		}
		look := func(when string, running map[string]bool) {
			t.Helper()
			for id, task := range ids {
				c, ok := w.agent.Caller(id)
				if ok != running[task] || ok && (c.Task != task || c.Cluster != "demo" || c.API == nil) {
					t.Errorf("%s: %s is found: %v, as %+v", when, task, ok, c)
				}
				if _, ok := w.agent.Caller(id[1:]); ok {
					t.Errorf("%s: part of an id is enough", when)
				}
			}
			if _, ok := w.agent.Caller(""); ok {
				t.Errorf("%s: no id is enough", when)
			}
		}
		both := map[string]bool{one.ARN: true, two.ARN: true}
		look("at first", both)
		w.kill()
		w.start()
		time.Sleep(time.Second)
		look("after a restart", both)
		w.kill()
		w.ledger.Lose()
		w.start()
		time.Sleep(time.Second)
		look("without the ledger", both)
		w.control.Stop(one.ARN)
		time.Sleep(time.Minute)
		look("when one has stopped", map[string]bool{two.ARN: true})
	})
}

// TestCallerOfOlderAgents: containers of agents that gave all of a task one id are found by it, from the ledger and from their labels, and get no other.
func TestCallerOfOlderAgents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.config.Front = front("http://169.254.170.2")
		w.start()
		defer func() { w.kill() }()
		one := task(1, essential("a", "app"))
		w.control.Run(one)
		time.Sleep(time.Second)
		w.kill()
		if err := w.ledger.Read(func(key string, value []byte) error { // as such an agent has written it down
			text := regexp.MustCompile(`"Endpoint":"[A-Z0-9]+",?`).ReplaceAllString(string(value), "")
			if key == "task/"+one.ARN {
				text = strings.Replace(text, `"Endpoint":""`, `"Endpoint":"of-all"`, 1)
			}
			return w.ledger.Write(t.Context(), map[string][]byte{key: []byte(text)})
		}); err != nil {
			t.Fatal(err)
		}
		labels := w.engine.Running()[w.name("a")]
		delete(labels, "berth.endpoint")
		for _, when := range []string{"from the ledger", "from the labels"} {
			w.start()
			time.Sleep(time.Second)
			if c, ok := w.agent.Caller("of-all"); !ok || c.Task != one.ARN {
				t.Errorf("%s: %v %+v", when, ok, c)
			}
			w.kill()
			w.ledger.Lose()
			labels["berth.endpoint"] = "of-all"
		}
	})
}

// On Fargate the instance is in the pool, and the task is in the cluster that its ARN names: that one is asked about.
func TestCallerOnFargate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.config.Front = front("http://169.254.170.2")
		w.start()
		defer func() { w.kill() }()
		one := task(1, essential("a", "app"))
		one.LaunchType = "FARGATE"
		w.control.Run(one)
		time.Sleep(time.Second)
		for _, labels := range w.engine.Running() {
			if c, ok := w.agent.Caller(labels["berth.endpoint"]); !ok || c.Cluster != "arn:aws:ecs:us-east-1:123456789012:cluster/demo" {
				t.Errorf("found: %v, as %+v", ok, c)
			}
			return
		}
		t.Error("no container runs")
	})
}
