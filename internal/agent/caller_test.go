package agent_test

import (
	"context"
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
