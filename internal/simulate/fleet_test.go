package simulate

import (
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"berth/internal/acsproto"
	"berth/internal/apierr"
)

func statuses(reports []report) (out []string) {
	for _, r := range reports {
		out = append(out, r.status)
	}
	return out
}

func orders(n int, o order) (out []order) {
	for k := range n {
		o.task = fmt.Sprintf("%04d", k)
		out = append(out, o)
	}
	return out
}

func TestTaskStartsAndStopsInItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlane(t)
		f := p.fleet(t, Config{Instances: 2, StartDelay: 5 * time.Second, StopDelay: 3 * time.Second})
		start(t, f)
		began := time.Now()
		p.order(1, order{task: "a"}, order{task: "b"})
		p.order(2, order{task: "c"})
		time.Sleep(5*time.Second - time.Millisecond)
		if n := f.Running.Load(); n != 0 {
			t.Errorf("%d run before their time", n)
		}
		time.Sleep(time.Second)
		if n := f.Running.Load(); n != 3 || f.Tasks.Load() != 3 {
			t.Errorf("%d run of %d", n, f.Tasks.Load())
		}
		p.order(1, order{task: "a", stop: true})
		time.Sleep(3*time.Second - time.Millisecond)
		if n := f.Stopped.Load(); n != 0 {
			t.Errorf("%d stopped before their time", n)
		}
		time.Sleep(10 * time.Minute)
		said := p.said("a")
		if got := statuses(said); !slices.Equal(got, []string{"RUNNING", "STOPPED"}) || said[1].exit != 143 {
			t.Errorf("a: %+v", said)
		}
		if d := said[0].after - said[1].after; time.Since(began) < 10*time.Minute || -d < 4*time.Second-time.Millisecond || -d > 4*time.Second+time.Millisecond {
			t.Errorf("a stopped %s after it ran", -d)
		}
		if got := statuses(p.said("c")); !slices.Equal(got, []string{"RUNNING"}) {
			t.Errorf("c: %v", got)
		}
		// All was acked, so nothing came twice in ten minutes.
		if o, r, reports := f.Orders.Load(), f.Repeated.Load(), f.Reports.Load(); o != 4 || r != 0 || reports != 4 || f.Tasks.Load() != 2 {
			t.Errorf("%d orders, %d repeated, %d reports, %d tasks", o, r, reports, f.Tasks.Load())
		}
	})
}

func TestSpreadAndLife(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlane(t)
		f := p.fleet(t, Config{Instances: 1, StartSpread: 10 * time.Second, Life: time.Minute})
		start(t, f)
		p.order(1, orders(50, order{})...)
		time.Sleep(5 * time.Second)
		if n := f.Running.Load(); n < 10 || n > 40 {
			t.Errorf("%d of 50 run after half of the spread", n)
		}
		time.Sleep(2 * time.Minute)
		if n := f.Stopped.Load(); n != 50 || f.Failed.Load() != 0 || f.Tasks.Load() != 0 {
			t.Errorf("%d of 50 have ended by themselves, %d failed, %d are left", n, f.Failed.Load(), f.Tasks.Load())
		}
		for n := range 50 {
			said := p.said(fmt.Sprintf("%04d", n))
			if len(said) != 2 || said[1].exit != 0 || said[1].after-said[0].after < 30*time.Second || said[1].after-said[0].after > 91*time.Second {
				t.Fatalf("%+v", said)
			}
		}
	})
}

func TestFailures(t *testing.T) {
	for _, c := range []struct {
		rate     float64
		from, to int64
	}{{0, 0, 0}, {.3, 60, 120}, {1, 300, 300}} {
		synctest.Test(t, func(t *testing.T) {
			p := newPlane(t)
			f := p.fleet(t, Config{Instances: 1, FailureRate: c.rate})
			start(t, f)
			p.order(1, orders(300, order{})...)
			time.Sleep(time.Minute)
			failed := f.Failed.Load()
			if failed < c.from || failed > c.to || f.Running.Load() != 300-failed || f.Stopped.Load() != failed {
				t.Errorf("rate %v: %d failed, %d run, %d stopped", c.rate, failed, f.Running.Load(), f.Stopped.Load())
			}
			for _, r := range p.all() {
				if r.status == "STOPPED" && (r.exit != 1 || r.reason == "") {
					t.Fatalf("%+v", r)
				}
			}
		})
	}
}

// A report that is under way when the fleet is stopped has not failed.
func TestStopIsNoError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlane(t)
		f := p.fleet(t, Config{Instances: 1})
		stop := start(t, f)
		p.order(1, order{task: "a"})
		p.net.SetLatency(time.Second)
		synctest.Wait() // the payload is there, the report is on its way
		p.order(1, order{task: "b"})
		time.Sleep(1500 * time.Millisecond)
		stop()
		if n := f.Errors.Load(); n != 0 {
			t.Errorf("%d errors", n)
		}
	})
}

// What is not taken is told again, in the same order for each task; what is refused for good is not.
func TestReportsAreToldUntilTaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlane(t)
		f := p.fleet(t, Config{Instances: 1})
		var good, bad, refused atomic.Int64
		f.Called = func(operation string, _ time.Duration, err error) {
			switch {
			case operation != "SubmitTaskStateChange":
			case err == nil:
				good.Add(1)
			default:
				bad.Add(1)
			}
		}
		start(t, f)
		broken := 3
		p.refusing(func(operation string) error {
			if broken--; broken >= 0 {
				return errBroken
			}
			return nil
		})
		p.order(1, order{task: "a"})
		time.Sleep(time.Minute)
		if got := statuses(p.said("a")); !slices.Equal(got, []string{"RUNNING"}) || f.Errors.Load() != 3 || bad.Load() != 3 || good.Load() != 1 {
			t.Errorf("told %v after %d errors, %d good calls, %d bad", got, f.Errors.Load(), good.Load(), bad.Load())
		}

		p.refusing(func(string) error { return errBroken })
		p.order(1, order{task: "b"})
		time.Sleep(5 * time.Second)
		p.order(1, order{task: "b", stop: true})
		time.Sleep(30 * time.Second)
		p.refusing(nil)
		time.Sleep(time.Minute)
		if got := statuses(p.said("b")); !slices.Equal(got, []string{"STOPPED"}) { // what is overtaken is not told any more
			t.Errorf("b: %v", got)
		}

		p.refusing(func(string) error { refused.Add(1); return apierr.InvalidParameter("no such thing") })
		p.order(1, order{task: "c"})
		time.Sleep(10 * time.Minute)
		if n := refused.Load(); n != 1 {
			t.Errorf("a report that can never be taken was told %d times", n)
		}
	})
}

func TestHealth(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlane(t)
		f := p.fleet(t, Config{Instances: 1, Telemetry: true, UnhealthyRate: .25})
		start(t, f)
		p.order(1, orders(200, order{checked: true})...)
		p.order(1, order{task: "unchecked"})
		time.Sleep(3 * time.Minute)
		seen, counts, metrics := map[string]string{}, map[string]int{}, map[string]bool{}
		p.mu.Lock()
		defer p.mu.Unlock()
		for _, m := range p.telemetry {
			switch m := m.(type) {
			case acsproto.PublishHealth:
				for _, h := range m.Tasks {
					status := h.Containers[0].Status
					if was := seen[h.Task]; was != "" && was != status {
						t.Errorf("%s was %s and is %s", h.Task, was, status)
					}
					if seen[h.Task] == "" {
						counts[status]++
					}
					seen[h.Task] = status
				}
			case acsproto.PublishMetrics:
				for _, x := range m.TaskMetrics {
					metrics[x.Task] = true
				}
			}
		}
		if counts["UNHEALTHY"] < 25 || counts["UNHEALTHY"] > 80 || counts["HEALTHY"]+counts["UNHEALTHY"] != 200 {
			t.Errorf("health of 200 tasks with a check: %v", counts)
		}
		if len(metrics) != 201 {
			t.Errorf("metrics of %d tasks", len(metrics))
		}
	})
}

func TestNoTelemetryWithoutIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlane(t)
		start(t, p.fleet(t, Config{Instances: 1}))
		time.Sleep(5 * time.Minute)
		if acs, tcs := p.hub.Sessions(); acs != 1 || tcs != 0 {
			t.Errorf("%d and %d sessions", acs, tcs)
		}
	})
}

func TestDisconnects(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlane(t)
		f := p.fleet(t, Config{Instances: 4, DisconnectEvery: time.Minute})
		start(t, f)
		p.order(1, orders(20, order{})...)
		time.Sleep(20 * time.Minute) // 80 of them are to be expected
		if n := f.Disconnects.Load(); n < 40 || n > 140 {
			t.Errorf("%d disconnects", n)
		}
		if n := f.Manifests.Load(); n < 40 {
			t.Errorf("%d sessions", n)
		}
		if n := f.Running.Load(); n != 20 {
			t.Errorf("%d tasks ran", n)
		}
	})
}

// A manifest that does not name a task ends it.
func TestManifestStopsWhatIsNotWanted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlane(t)
		f := p.fleet(t, Config{Instances: 1})
		start(t, f)
		p.order(1, order{task: "a"}) // once it runs there is no order, and so it is in no manifest
		time.Sleep(time.Minute)
		f.instances[0].lines.cut()
		time.Sleep(time.Minute)
		if got := statuses(p.said("a")); !slices.Equal(got, []string{"RUNNING", "STOPPED"}) || f.Manifests.Load() != 2 || f.Tasks.Load() != 0 {
			t.Errorf("%v in %d sessions, %d tasks", got, f.Manifests.Load(), f.Tasks.Load())
		}
	})
}

func TestStopOfWhatIsNotKnown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlane(t)
		start(t, p.fleet(t, Config{Instances: 1, StopDelay: time.Second}))
		p.order(1, order{task: "never", stop: true})
		time.Sleep(time.Minute)
		if got := statuses(p.said("never")); !slices.Equal(got, []string{"STOPPED"}) {
			t.Errorf("%v", got)
		}
	})
}

// An instance that was deregistered forgets its tasks and becomes another one.
func TestInactiveInstanceRegistersAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlane(t)
		f := p.fleet(t, Config{Instances: 2})
		start(t, f)
		p.order(1, orders(5, order{})...)
		time.Sleep(time.Minute)
		p.mu.Lock()
		p.inactive[instanceARN(1)] = true
		p.mu.Unlock()
		for _, i := range f.instances {
			i.lines.cut()
		}
		time.Sleep(time.Minute)
		if p.registrations() != 3 || f.Registered.Load() != 2 || f.Tasks.Load() != 0 {
			t.Errorf("%d registrations, %d instances, %d tasks", p.registrations(), f.Registered.Load(), f.Tasks.Load())
		}
		p.order(3, order{task: "new"})
		time.Sleep(time.Minute)
		if got := statuses(p.said("new")); !slices.Equal(got, []string{"RUNNING"}) {
			t.Errorf("%v", got)
		}
	})
}

// A fleet that is stopped leaves nothing behind, whatever it was doing: the bubble ends only when all that was started has ended.
func TestStopLeavesNothing(t *testing.T) {
	for name, do := range map[string]func(p *plane){
		"starting":  func(*plane) {},
		"stopping":  func(p *plane) { time.Sleep(time.Hour); p.order(1, order{task: "0001", stop: true}) },
		"reporting": func(p *plane) { p.refusing(func(string) error { return errBroken }); time.Sleep(time.Hour) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newPlane(t)
				f := p.fleet(t, Config{Instances: 3, StartDelay: 30 * time.Minute, StopDelay: time.Minute, Life: 3 * time.Hour, Telemetry: true, DisconnectEvery: time.Hour})
				stop := start(t, f)
				p.order(1, orders(5, order{})...)
				time.Sleep(time.Second)
				do(p)
				began := time.Now()
				stop()
				if took := time.Since(began); took > time.Second {
					t.Errorf("it took %s to stop", took)
				}
				reports := f.Reports.Load()
				time.Sleep(6 * time.Hour)
				if f.Reports.Load() != reports {
					t.Error("something reported on")
				}
			})
		})
	}
}
