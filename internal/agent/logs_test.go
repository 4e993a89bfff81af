package agent_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"berth/internal/acsproto"
	"berth/internal/agent"
)

// logs is a place to send logs to: it says what was asked of it, and sends a line a second.
type logs struct {
	mu      sync.Mutex
	calls   []string
	prepare error
	sends   error         // what Send ends with
	runs    time.Duration // how long a log goes on
}

func (l *logs) say(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.calls = append(l.calls, fmt.Sprintf(format, args...))
}

func (l *logs) said() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.calls)
}

func (l *logs) set(f func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f()
}

func (l *logs) Prepare(_ context.Context, s agent.LogSource) error {
	l.say("prepare %s %s", s.Container, s.Options["awslogs-group"])
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.prepare
}

func (l *logs) Send(ctx context.Context, s agent.LogSource, from agent.LogMark, sent func(agent.LogMark)) error {
	l.say("send %s from %d", s.Container, from.Lines)
	l.mu.Lock()
	fails, runs := l.sends, l.runs
	l.mu.Unlock()
	if fails != nil {
		return fails
	}
	for end, n := time.Now().Add(runs), from.Lines+1; time.Now().Before(end); n++ {
		select {
		case <-time.After(time.Second):
			sent(agent.LogMark{At: time.Now(), Lines: n})
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

func logging(name, image string) acsproto.Container {
	c := essential(name, image)
	c.DockerConfig.HostConfig = `{"LogConfig":{"Type":"awslogs","Config":{"awslogs-group":"/ecs/web","mode":"non-blocking","max-buffer-size":"5m"}}}`
	return c
}

// TestLogs: a log's stream is made before its container starts; it is sent from where it was sent before the agent was killed, to its end, and what is
// known of it goes with its task.
func TestLogs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		l := &logs{runs: time.Hour}
		w.config.Logs = l
		w.start()
		defer func() { w.kill() }()
		one := task(1, logging("a", "app"), acsproto.Container{Name: "b", Image: "app"})
		w.control.Run(one)
		time.Sleep(3500 * time.Millisecond)
		w.kill()
		key := "log/" + one.ARN + "/a"
		if !slices.Contains(w.ledger.Keys(), key) {
			t.Errorf("the ledger has %q", w.ledger.Keys())
		}
		l.set(func() { l.runs = time.Second })
		w.start()
		time.Sleep(time.Second / 2)
		w.control.Stop(one.ARN)
		w.expect(one.ARN, "STOPPED a:STOPPED(143) b:STOPPED(143)")
		time.Sleep(2 * time.Hour)
		if diff := cmp.Diff([]string{"prepare a /ecs/web", "send a from 0", "send a from 3", "send a from 4"}, l.said()); diff != "" { // the last when it has ended for good
			t.Error(diff)
		}
		for _, k := range w.ledger.Keys() {
			if strings.Contains(k, one.ARN) {
				t.Errorf("the ledger still has %s", k)
			}
		}
	})
}

// TestLogsThatCannotBe: a container whose log has nowhere to go does not start, for the reason that ECS gives.
func TestLogsThatCannotBe(t *testing.T) {
	const refused = "failed to create Cloudwatch log stream: ResourceNotFoundException: The specified log group does not exist."
	for launch, want := range map[string]string{
		"EC2": "STOPPED a:STOPPED CannotStartContainerError: Error response from daemon: failed to initialize logging driver: " + refused,
		"FARGATE": "STOPPED a:STOPPED ResourceInitializationError: failed to validate logger args: create stream has been retried 1 times: " + refused + ": exit status 1 " +
			"ResourceInitializationError: failed to validate logger args: create stream has been retried 1 times: " + refused + ": exit status 1",
	} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			l := &logs{prepare: errors.New(refused), sends: errors.New(refused)}
			w.config.Logs = l
			w.start()
			defer func() { w.kill() }()
			one := task(1, logging("a", "app"))
			one.LaunchType = launch
			w.control.Run(one)
			time.Sleep(time.Minute)
			w.expect(one.ARN, want)
			if said := l.said(); slices.ContainsFunc(said, func(s string) bool { return strings.HasPrefix(s, "send") }) {
				t.Errorf("the log of a container that has never run is sent: %q", said)
			}
		})
	}
}

// TestLogsWithoutAControlPlane: while it is not known whether the log has somewhere to go, the container waits; and the containers of a stopped task
// stay for as long as their logs are not sent.
func TestLogsWithoutAControlPlane(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		l := &logs{prepare: fmt.Errorf("%w: no answer", agent.ErrUnavailable)}
		w.config.Logs, w.config.CleanUpAfter = l, time.Minute
		w.start()
		defer func() { w.kill() }()
		one := task(1, logging("a", "app"))
		w.control.Run(one)
		time.Sleep(10 * time.Minute)
		if n := w.engine.Done()["start "+w.name("a")]; n != 0 {
			t.Errorf("started %d times", n)
		}
		l.set(func() { l.prepare, l.sends = nil, agent.ErrUnavailable })
		time.Sleep(time.Minute)
		w.expect(one.ARN, "RUNNING a:RUNNING")
		w.control.Stop(one.ARN)
		time.Sleep(30 * time.Minute)
		if !slices.Contains(w.ledger.Keys(), "task/"+one.ARN) {
			t.Error("the task is forgotten with its log")
		}
		l.set(func() { l.sends = nil })
		time.Sleep(10 * time.Minute)
		if slices.Contains(w.ledger.Keys(), "task/"+one.ARN) {
			t.Error("the task is not forgotten when its log is sent")
		}
	})
}

// TestLogOptions: the engine keeps the log in a file of the size that is asked for.
func TestLogOptions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.config.Logs = &logs{}
		w.start()
		defer func() { w.kill() }()
		one := task(1, logging("a", "app"))
		w.control.Run(one)
		time.Sleep(time.Minute)
		attributes := fmt.Sprint(attributeNames(w))
		for _, name := range []string{"com.amazonaws.ecs.capability.logging-driver.awslogs", "ecs.capability.execution-role-awslogs"} {
			if !strings.Contains(attributes, name) {
				t.Errorf("no attribute %s", name)
			}
		}
		o, err := w.engine.Inspect(t.Context(), w.name("a"))
		if err != nil || o.Facts == nil || o.Facts.LogDriver != "json-file" || o.Facts.LogOptions["max-size"] != "5m" {
			t.Errorf("the engine has %+v, %v", o.Facts, err)
		}
	})
}

func attributeNames(w *world) (names []string) {
	for _, a := range w.control.Registered()[0].Attributes {
		names = append(names, *a.Name)
	}
	return names
}
