package agent_test

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"berth/internal/acsproto"
	"berth/internal/agent"
	"berth/internal/agent/agenttest"
)

// cutter ends a context at the nth point where something reaches outside the agent.
type cutter struct {
	mu     sync.Mutex
	left   int
	only   string // what its name begins with
	cancel context.CancelFunc
	at     string
}

func (c *cutter) cut(op string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !strings.HasPrefix(op, c.only) {
		return
	}
	if c.left--; c.left == 0 {
		c.at = op
		c.cancel()
	}
}

// until runs an agent that is killed at the nth point, or after a while. It says where, "" if there were fewer points.
func (w *world) until(n int) string {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	c := &cutter{left: n, cancel: cancel}
	w.engine.Cut, w.ledger.Cut, w.control.Cut = c.cut, c.cut, c.cut
	if s, ok := w.config.Secrets.(*agenttest.Secrets); ok {
		s.Cut = c.cut
		defer func() { s.Cut = nil }()
	}
	a, err := agent.New(w.config)
	if err != nil {
		w.t.Fatal(err)
	}
	a.Run(ctx) //nolint:errcheck // it is killed
	w.engine.Cut, w.ledger.Cut, w.control.Cut = nil, nil, nil
	return c.at
}

// TestKilledAtEveryStep kills the agent at every point of a task's life at which it reaches outside, and starts it anew from its ledger and
// engine: each container is created and started once, and the outcome is told. The second kill is at a point of the recovery.
func TestKilledAtEveryStep(t *testing.T) {
	for _, c := range []struct {
		name string
		do   func(w *world)
		want string // pattern of the last report: what runs beside it when an essential container ends is stopped, or never started
	}{
		{"runs", func(*world) {}, `RUNNING a:RUNNING b:RUNNING`},
		{"ends", func(w *world) { w.engine.AddImage("one", jobImage); w.engine.AddImage("two", jobImage) }, `STOPPED a:STOPPED(\((0|143)\))? b:STOPPED(\((0|143)\))?`},
		{"is stopped", func(w *world) { time.AfterFunc(2*time.Minute, func() { w.control.Stop(task(1).ARN) }) }, `STOPPED (a:STOPPED(\(143\))? b:STOPPED(\(143\))?|TaskStateError: .*)`},
	} {
		for _, lose := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, ledger lost %v", c.name, lose), func(t *testing.T) {
				points := 0
				for ended := false; !ended; {
					points++
					synctest.Test(t, func(t *testing.T) { ended = killedAt(t, points, lose, c.do, c.want) })
				}
				if points < 20 {
					t.Errorf("only %d points: the test does not reach what it is for", points)
				}
			})
		}
	}
}

// TestKilledAtEveryRestart kills the agent at every point of a life with restarts: the container runs again in the end, whatever was lost.
func TestKilledAtEveryRestart(t *testing.T) {
	for _, lose := range []bool{false, true} {
		t.Run(fmt.Sprintf("ledger lost %v", lose), func(t *testing.T) {
			points := 0
			for ended := false; !ended; {
				points++
				synctest.Test(t, func(t *testing.T) {
					w := newWorld(t)
					one := task(1, restarting("a", "job", 60))
					w.control.Run(one)
					at := w.until(points)
					if lose {
						w.ledger.Lose()
					}
					w.start()
					defer func() { w.kill() }()
					before := time.Now()
					time.Sleep(5*time.Minute + 30*time.Second)
					w.expect(one.ARN, "RUNNING a:RUNNING")
					if n, most := w.starts("a"), int(time.Since(before)/time.Minute)+6; n < 6 || n > most {
						t.Errorf("killed at point %d (%s): started %d times, want 6 to %d", points, at, n, most)
					}
					ended = at == ""
				})
			}
			if points < 20 {
				t.Errorf("only %d points: the test does not reach what it is for", points)
			}
		})
	}
}

func killedAt(t *testing.T, n int, lose bool, do func(*world), want string) (ended bool) {
	w := newWorld(t)
	w.engine.AddImage("one", appImage)
	w.engine.AddImage("two", appImage)
	do(w)
	b := essential("b", "two")
	b.DependsOn = []acsproto.DependsOn{{ContainerName: "a", Condition: "START"}}
	w.config.Secrets = &agenttest.Secrets{}
	b.Secrets = []acsproto.Secret{secret("S", "/p", "CONTAINER")}
	one := task(1, essential("a", "one"), b)
	w.control.Run(one)
	at := w.until(n)
	if lose {
		w.ledger.Lose()
	}
	again := w.until(n%7 + 3) // and once more, soon after
	time.Sleep(3 * time.Minute)
	w.start()
	defer func() { w.kill() }()
	time.Sleep(3 * time.Minute)
	synctest.Wait()
	got := w.story(one.ARN)
	if !regexp.MustCompile("^" + want + "$").MatchString(got) {
		t.Errorf("killed at point %d (%s) and then at %q: the last report is\n%s, want\n%s", n, at, again, got, want)
	}
	if got == "RUNNING a:RUNNING b:RUNNING" && w.engine.Variable(w.name("b"), "S") != "value of /p" {
		t.Errorf("killed at point %d (%s): container b lacks its secret", n, at)
	}
	for call, times := range w.engine.Done() {
		if times > 1 && !strings.HasPrefix(call, "pull ") {
			t.Errorf("killed at point %d (%s): %s happened %d times", n, at, call, times)
		}
	}
	if s := w.control.Statuses(one.ARN); slices.Contains(s, "STOPPED") && s[len(s)-1] != "STOPPED" {
		t.Errorf("killed at point %d (%s): statuses %v go backwards", n, at, s)
	}
	return at == ""
}
