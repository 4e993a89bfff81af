package deployment

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"pgregory.net/rapid"

	"berth/internal/arn"
	"berth/internal/ecs"
)

// ground is a cluster's instances under a world whose service is a daemon.
type ground struct {
	*world
	machines []*machine
}

type machine struct {
	arn      arn.Instance
	active   bool // DRAINING where not
	eligible bool
	full     bool // no room for another task
	others   int  // tasks that are no daemon's
}

func newGround(machines int, low int32, breaker types.DeploymentCircuitBreaker) *ground {
	g := &ground{world: newWorld(0, low, 100, breaker)}
	for range machines {
		g.join()
	}
	return g
}

func (g *ground) join() *machine {
	m := &machine{arn: demo.Instance(fmt.Sprintf("i%d", len(g.machines)+1)), active: true, eligible: true}
	g.machines = append(g.machines, m)
	return m
}

func (g *ground) on(m *machine) (out []*ecs.Task) {
	for _, t := range g.live() {
		if t.ContainerInstanceArn == m.arn {
			out = append(out, t)
		}
	}
	return out
}

func (g *ground) look() View {
	v := g.view()
	v.Daemon = &Daemon{}
	for _, m := range g.machines {
		here := g.on(m)
		if m.active && m.eligible {
			v.Daemon.Eligible++
			if len(here) == 0 && !m.full {
				v.Daemon.Lacking = append(v.Daemon.Lacking, m.arn)
			}
			continue
		}
		if m.active || m.others == 0 {
			for _, t := range here {
				if t.DesiredStatus == ecs.Running {
					v.Daemon.Misplaced = append(v.Daemon.Misplaced, t)
					if m.active {
						v.Daemon.Violating = append(v.Daemon.Violating, t)
					}
				}
			}
		}
	}
	return v
}

func (g *ground) decide() Plan {
	p := Decide(g.look(), g.now)
	if p.Service != nil {
		g.service = p.Service
	}
	for _, a := range p.Counted {
		g.task(a).Counted = true
	}
	for _, s := range p.Stop {
		g.task(s.Task).Stop(g.now, StopCode, s.Reason)
	}
	for _, i := range p.On {
		g.made++
		g.tasks = append(g.tasks, &ecs.Task{
			TaskArn: demo.Task(fmt.Sprintf("t%d", g.made)), Service: web, StartedBy: g.service.Primary().ID, ContainerInstanceArn: i,
			TaskDefinitionArn: g.service.Primary().TaskDefinition, DesiredStatus: ecs.Running, LastStatus: ecs.Pending, CreatedAt: g.now,
		})
	}
	g.events = append(g.events, p.Events...)
	return p
}

// rest plays until nothing changes any more.
func (g *ground) rest(bad func(*ecs.Task) bool) error {
	for quiet := 0; quiet < 3; {
		quiet++
		for n := 0; ; n++ {
			p := g.decide()
			if p.Empty() && !p.More {
				if !p.Again.IsZero() && p.Again.Sub(g.now) < time.Hour {
					g.now, quiet = p.Again, 0
				}
				break
			}
			quiet = 0
			if n > 1000 {
				return fmt.Errorf("never comes to rest: %v", p)
			}
		}
		for _, m := range g.machines {
			if len(g.on(m)) > 1 {
				return fmt.Errorf("%d tasks on %s", len(g.on(m)), m.arn)
			}
		}
		if !g.quiet() {
			quiet = 0
		}
		g.reactAll(bad)
	}
	return nil
}

func (g *ground) mustRest(t testing.TB, bad func(*ecs.Task) bool) {
	t.Helper()
	if err := g.rest(bad); err != nil {
		t.Fatal(err)
	}
}

func TestDaemonServesEveryInstance(t *testing.T) {
	g := newGround(3, 0, types.DeploymentCircuitBreaker{})
	g.mustRest(t, nil)
	if len(g.live()) != 3 || g.service.DesiredCount != 3 || g.service.Primary().RolloutState != types.DeploymentRolloutStateCompleted {
		t.Fatalf("%d tasks, %+v", len(g.live()), g.service)
	}
	g.join()
	g.mustRest(t, nil)
	if len(g.live()) != 4 || g.service.DesiredCount != 4 {
		t.Errorf("after an instance has joined: %d tasks, desired count %d", len(g.live()), g.service.DesiredCount)
	}
	g.exit(g.live()[0])
	g.mustRest(t, nil)
	if len(g.live()) != 4 {
		t.Errorf("after one has exited: %d tasks", len(g.live()))
	}
	g.machines[1].eligible = false
	want := "(service web) " + Violated + "(task " + g.on(g.machines[1])[0].TaskArn.ID() + ")."
	g.mustRest(t, nil)
	if got := g.violations(); len(got) != 1 || got[0] != want {
		t.Errorf("events %q, want %q", got, want)
	}
	if len(g.on(g.machines[1])) != 0 || len(g.live()) != 3 {
		t.Errorf("after an instance does not fulfil the constraints any more: %d tasks there", len(g.on(g.machines[1])))
	}
}

// violations are the events that tell of placement constraints that do not hold any more.
func (g *ground) violations() (out []string) {
	for _, e := range g.events {
		if strings.Contains(e, Violated) {
			out = append(out, e)
		}
	}
	return out
}

// TestDaemonsDrainLast: a daemon stays on a draining instance until everything else on it has stopped.
func TestDaemonsDrainLast(t *testing.T) {
	g := newGround(2, 0, types.DeploymentCircuitBreaker{})
	g.mustRest(t, nil)
	g.machines[0].active, g.machines[0].others = false, 1
	g.mustRest(t, nil)
	if len(g.on(g.machines[0])) != 1 || g.service.DesiredCount != 1 {
		t.Fatalf("%d tasks on the draining instance, desired count %d", len(g.on(g.machines[0])), g.service.DesiredCount)
	}
	g.machines[0].others = 0
	g.mustRest(t, nil)
	if len(g.on(g.machines[0])) != 0 || len(g.live()) != 1 {
		t.Errorf("%d tasks on the drained instance, %d in all", len(g.on(g.machines[0])), len(g.live()))
	}
	if got := g.violations(); len(got) > 0 {
		t.Errorf("draining violates no constraint: %q", got)
	}
}

func TestDaemonUpdateKeepsTheMinimum(t *testing.T) {
	g := newGround(10, 50, types.DeploymentCircuitBreaker{})
	g.mustRest(t, nil)
	g.update("web:2")
	least := 10
	for range 200 {
		g.decide()
		healthy := 0
		for _, x := range g.live() {
			if x.DesiredStatus == ecs.Running && x.Healthy() {
				healthy++
			}
		}
		least = min(least, healthy)
		g.reactAll(nil)
	}
	if least != 5 {
		t.Errorf("at some time %d of 10 were healthy, want 5", least)
	}
	for _, x := range g.live() {
		if x.TaskDefinitionArn != "web:2" {
			t.Errorf("%s still runs %s", x.TaskArn, x.TaskDefinitionArn)
		}
	}
	if len(g.live()) != 10 || len(g.service.Deployments) != 1 {
		t.Errorf("%d tasks, %d deployments", len(g.live()), len(g.service.Deployments))
	}
}

func TestDaemonBreakerRollsBack(t *testing.T) {
	g := newGround(4, 0, types.DeploymentCircuitBreaker{Enable: true, Rollback: true})
	g.mustRest(t, nil)
	g.update("web:bad")
	g.mustRest(t, isBad)
	if got := g.service.Primary().TaskDefinition; got != "web:1" || len(g.live()) != 4 {
		t.Errorf("%s is the primary's, with %d tasks", got, len(g.live()))
	}
}

// TestDaemonRollsBackBeforeItStarts: what was found on the instances was found for the definition that failed. Its constraints may be others
// than those of the one that the service goes back to.
func TestDaemonRollsBackBeforeItStarts(t *testing.T) {
	g := newGround(3, 0, types.DeploymentCircuitBreaker{Enable: true, Rollback: true})
	for _, m := range g.machines {
		m.eligible = false
	}
	g.mustRest(t, nil)
	g.update("web:bad")
	for _, m := range g.machines {
		m.eligible = true
	}
	for n := 0; g.service.Primary().TaskDefinition == "web:bad"; n++ {
		p := g.decide()
		if g.service.Primary().TaskDefinition != "web:bad" && (p.Start > 0 || len(p.Stop) > 0 || !p.More) {
			t.Errorf("with the rollback comes %v", p)
		}
		if n == 100 {
			t.Fatal("it never rolls back")
		}
		g.now = g.now.Add(time.Second)
		g.reactAll(isBad)
	}
}

// TestDaemonAlwaysSettles: whatever happens to instances and tasks, each eligible instance with room ends with one task of the primary.
func TestDaemonAlwaysSettles(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := newGround(rapid.IntRange(0, 6).Draw(t, "machines"), rapid.SampledFrom([]int32{0, 50, 99}).Draw(t, "low"), types.DeploymentCircuitBreaker{})
		g.budget = rapid.IntRange(2, 20).Draw(t, "budget")
		for range rapid.IntRange(0, 12).Draw(t, "steps") {
			var m *machine
			if len(g.machines) > 0 {
				m = rapid.SampledFrom(g.machines).Draw(t, "machine")
			}
			switch what := rapid.SampledFrom([]string{"join", "drain", "constraint", "exit", "update", "sick", "time", "others"}).Draw(t, "what"); {
			case what == "join":
				g.join()
			case what == "update":
				g.update(fmt.Sprintf("web:%d", g.made))
			case what == "time":
				g.reactAll(nil)
			case m == nil:
			case what == "drain":
				m.active = !m.active
			case what == "constraint":
				m.eligible = !m.eligible
			case what == "others":
				m.others = 1 - m.others
			case len(g.on(m)) == 0:
			case what == "exit":
				g.exit(g.on(m)[0])
			case what == "sick":
				g.on(m)[0].HealthStatus = ecs.HealthUnhealthy
			}
			g.decide()
		}
		for _, m := range g.machines {
			m.others = 0
		}
		if err := g.rest(nil); err != nil {
			t.Fatal(err)
		}
		blocked := g.service.DesiredCount > 0 && bounds(g.service).min == g.service.DesiredCount // no task can be spared, so none is replaced
		for _, m := range g.machines {
			want := 0
			if m.active && m.eligible {
				want = 1
			}
			here := g.on(m)
			old := slices.ContainsFunc(here, func(x *ecs.Task) bool { return x.StartedBy != g.service.Primary().ID })
			if len(here) != want || old && !blocked {
				t.Fatalf("%d tasks on %s, want %d of the primary deployment", len(here), m.arn, want)
			}
			if old && !g.said("because of the service deployment configuration") {
				t.Fatalf("blocked, and nothing says so: %q", g.events)
			}
		}
	})
}
