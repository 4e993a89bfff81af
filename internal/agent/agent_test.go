package agent_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"

	"berth/internal/acsproto"
	"berth/internal/agent"
	"berth/internal/agent/agenttest"
)

// world is an agent with everything around it in memory.
type world struct {
	t       *testing.T
	engine  *agenttest.Engine
	ledger  *agenttest.Ledger
	control *agenttest.Control
	config  agent.Config
	kill    func()
	ended   chan error
	agent   *agent.Agent // that runs
}

func newWorld(t *testing.T) *world {
	w := &world{t: t, engine: agenttest.NewEngine("test"), ledger: &agenttest.Ledger{}, control: agenttest.NewControl()}
	w.engine.AddImage("app", agenttest.Image{})
	w.engine.AddImage("job", agenttest.Image{Runs: time.Minute})
	w.engine.AddImage("brief", agenttest.Image{Runs: time.Millisecond, ExitCode: 3})
	w.engine.AddImage("stubborn", agenttest.Image{Stubborn: true})
	w.engine.AddImage("checked", agenttest.Image{HealthyIn: 10 * time.Second})
	w.config = agent.Config{
		Installation: "test", Instances: []agent.InstanceConfig{{Name: "one", Cluster: "demo", Attributes: map[string]string{"stack": "blue"}}},
		Engine: w.engine.Seam(), Ledger: w.ledger, API: func(agent.InstanceConfig) agent.API { return w.control },
		RunAgent: w.control.RunAgent, RunTelemetry: w.control.RunTelemetry, CleanUpAfter: time.Hour,
	}
	if os.Getenv("AGENT_TEST_LOG") != "" {
		w.config.Log = slog.New(slog.NewTextHandler(os.Stderr, nil))
	}
	return w
}

// start starts an agent, which is killed at the end of the test if not before.
func (w *world) start() {
	w.t.Helper()
	a, err := agent.New(w.config)
	if err != nil {
		w.t.Fatal(err)
	}
	w.agent = a
	ctx, cancel := context.WithCancel(context.Background())
	w.ended = make(chan error, 1)
	ended := w.ended
	go func() { ended <- a.Run(ctx) }()
	w.kill = func() { cancel(); <-ended; w.kill = func() {} }
}

func task(n int, containers ...acsproto.Container) acsproto.Task {
	return acsproto.Task{ARN: fmt.Sprintf("arn:aws:ecs:us-east-1:123456789012:task/demo/%032x", n), Cluster: "demo", Family: "web", Version: "7",
		Containers: containers}
}

func essential(name, image string) acsproto.Container {
	return acsproto.Container{Name: name, Image: image, Essential: true}
}

// name finds the engine's name of a container, by its place among the calls.
func (w *world) name(container string) string {
	for call := range w.engine.Done() {
		if n, ok := strings.CutPrefix(call, "create "); ok && strings.Contains(n, "-"+container+"-") {
			return n
		}
	}
	w.t.Fatalf("container %s was never created", container)
	return ""
}

// story is what the last report says of a task: "STOPPED a:STOPPED(3) reason".
func (w *world) story(arn string) string {
	reports := w.control.Reports(arn)
	if len(reports) == 0 {
		return "nothing"
	}
	return told(reports[len(reports)-1])
}

func told(r *awsecs.SubmitTaskStateChangeInput) string {
	words := []string{*r.Status}
	for _, c := range r.Containers {
		s := *c.ContainerName + ":" + *c.Status
		if c.ExitCode != nil {
			s += fmt.Sprintf("(%d)", *c.ExitCode)
		}
		if c.Reason != nil {
			s += " " + *c.Reason
		}
		words = append(words, s)
	}
	if aws.ToString(r.Reason) != "" {
		words = append(words, *r.Reason)
	}
	return strings.Join(words, " ")
}

// once fails if anything was created or started twice.
func (w *world) once() {
	w.t.Helper()
	for call, n := range w.engine.Done() {
		if n > 1 && !strings.HasPrefix(call, "pull ") {
			w.t.Errorf("%s happened %d times", call, n)
		}
	}
}

func (w *world) expect(arn, want string) {
	w.t.Helper()
	synctest.Wait()
	if got := w.story(arn); got != want {
		w.t.Errorf("the last report is\n%s, want\n%s", got, want)
	}
}

func TestLaunchAndExit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.start()
		defer func() { w.kill() }()
		one := task(1, essential("a", "job"))
		began := time.Now()
		w.control.Run(one)
		w.expect(one.ARN, "RUNNING a:RUNNING")
		if d := time.Since(began); d > 0 {
			t.Errorf("RUNNING was reported after %v: nothing should have waited", d)
		}
		time.Sleep(2 * time.Minute)
		w.expect(one.ARN, "STOPPED a:STOPPED(0)")
		if got := w.control.Statuses(one.ARN); !slices.Equal(got, []string{"RUNNING", "STOPPED"}) {
			t.Errorf("statuses %v", got)
		}
		time.Sleep(2 * time.Hour)
		synctest.Wait()
		if n := w.engine.Containers(agent.Exited); n != 0 || slices.Contains(w.ledger.Keys(), "task/"+one.ARN) {
			t.Errorf("after the clean-up %d containers are left, ledger %v", n, w.ledger.Keys())
		}
		w.once()
	})
}

func TestTasks(t *testing.T) {
	dependent := func(name, on, condition string) acsproto.Container {
		return acsproto.Container{Name: name, Image: "app", Essential: true, DependsOn: []acsproto.DependsOn{{ContainerName: on, Condition: condition}}}
	}
	side := func(name, image string) acsproto.Container { return acsproto.Container{Name: name, Image: image} }
	checked := essential("a", "checked")
	checked.HealthCheckType, checked.DockerConfig.Config = "docker", `{"Healthcheck":{"Test":["CMD","true"]}}`
	slow := checked
	slow.StartTimeout = 5
	published := essential("a", "app")
	published.PortMappings = []acsproto.PortMapping{{ContainerPort: 80, Protocol: "tcp"}}
	for _, c := range []struct {
		name       string
		containers []acsproto.Container
		after      time.Duration
		do         func(w *world)
		want       string
	}{
		{"essential exits, the other is stopped", []acsproto.Container{essential("a", "brief"), essential("b", "app")}, time.Second, nil,
			"STOPPED a:STOPPED(3) b:STOPPED(143)"},
		{"other exits, the task runs on", []acsproto.Container{side("a", "brief"), essential("b", "app")}, time.Second, nil, "RUNNING a:STOPPED(3) b:RUNNING"},
		{"image is nowhere", []acsproto.Container{essential("a", "nowhere")}, time.Second, nil,
			"STOPPED a:STOPPED CannotPullContainerError: manifest for nowhere not found: manifest unknown"},
		{"start is refused", []acsproto.Container{essential("a", "broken")}, time.Second, nil,
			"STOPPED a:STOPPED CannotStartContainerError: exec: /no: not found"},
		{"COMPLETE opens", []acsproto.Container{side("a", "job"), dependent("b", "a", "COMPLETE")}, 2 * time.Minute, nil, "RUNNING a:STOPPED(0) b:RUNNING"},
		{"SUCCESS never opens", []acsproto.Container{side("a", "brief"), dependent("b", "a", "SUCCESS")}, time.Minute, nil,
			"STOPPED a:STOPPED(3) b:STOPPED(143) CannotStartContainerError: dependency a stopped before it was SUCCESS"},
		{"HEALTHY opens", []acsproto.Container{checked, dependent("b", "a", "HEALTHY")}, 11 * time.Second, nil, "RUNNING a:RUNNING b:RUNNING"},
		{"HEALTHY comes too late", []acsproto.Container{slow, dependent("b", "a", "HEALTHY")}, 6 * time.Second, nil,
			"STOPPED a:STOPPED(143) b:STOPPED(143) CannotStartContainerError: dependency a was not HEALTHY within its start timeout of 5 seconds"},
		{"stop", []acsproto.Container{essential("a", "app")}, time.Second, func(w *world) { w.control.Stop(task(1).ARN) }, "STOPPED a:STOPPED(143)"},
		{"stop of what ignores it", []acsproto.Container{essential("a", "stubborn")}, time.Second, func(w *world) {
			w.control.Stop(task(1).ARN)
			time.Sleep(31 * time.Second)
		}, "STOPPED a:STOPPED(137)"},
		{"out of memory, and the innocent", []acsproto.Container{essential("a", "app"), essential("b", "stubborn")}, time.Second, func(w *world) {
			w.engine.Exhaust(w.name("a"), w.name("b"))
			time.Sleep(31 * time.Second)
		}, "STOPPED a:STOPPED(137) OutOfMemoryError: Container killed due to memory usage b:STOPPED(137)"},
		{"killed from outside", []acsproto.Container{essential("a", "app")}, time.Second, func(w *world) { w.engine.Exit(w.name("a"), 137) },
			"STOPPED a:STOPPED(137)"},
		{"removed from outside", []acsproto.Container{essential("a", "app")}, time.Second, func(w *world) { w.engine.Vanish(w.name("a")) },
			"STOPPED a:STOPPED(137)"},
		{"not to be read", []acsproto.Container{dependent("a", "b", "START"), dependent("b", "a", "START")}, time.Second, nil,
			"STOPPED UnrecogniedTaskError: Error loading task - the containers a, b wait for each other"},
		{"the engine chooses the port", []acsproto.Container{published}, time.Second, nil, "RUNNING a:RUNNING"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				w.engine.AddImage("broken", agenttest.Image{StartError: fmt.Errorf("exec: /no: not found")})
				w.start()
				defer func() { w.kill() }()
				one := task(1, c.containers...)
				w.control.Run(one)
				time.Sleep(c.after)
				synctest.Wait()
				if c.do != nil {
					c.do(w)
				}
				w.expect(one.ARN, c.want)
				w.once()
			})
		})
	}
}

func TestStopOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.start()
		defer func() { w.kill() }()
		first, second := essential("first", "stubborn"), essential("second", "stubborn")
		first.StopTimeout, second.StopTimeout = 10, 20
		second.DependsOn = []acsproto.DependsOn{{ContainerName: "first", Condition: "START"}}
		one := task(1, first, second)
		w.control.Run(one)
		time.Sleep(time.Second)
		w.control.Stop(one.ARN)
		time.Sleep(29 * time.Second)
		w.expect(one.ARN, "RUNNING first:RUNNING second:STOPPED(137)")
		time.Sleep(2 * time.Second)
		w.expect(one.ARN, "STOPPED first:STOPPED(137) second:STOPPED(137)")
	})
}

func TestReportsAreInsistedOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.control.Refuse(fmt.Errorf("the control plane is away"))
		w.start()
		one := task(1, essential("a", "job"))
		w.control.Run(one)
		time.Sleep(5 * time.Minute)
		w.kill()
		if got := w.story(one.ARN); got != "nothing" {
			t.Fatalf("reported %s", got)
		}
		w.control.Refuse(nil)
		w.start()
		defer func() { w.kill() }()
		w.expect(one.ARN, "STOPPED a:STOPPED(0)")
		w.once()
	})
}

func TestEngineGoesAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.start()
		defer func() { w.kill() }()
		one, two := task(1, essential("a", "job")), task(2, essential("b", "app"))
		w.control.Run(one)
		synctest.Wait()
		w.engine.Down(true)
		w.control.Run(two)
		time.Sleep(2 * time.Minute) // a ends unheard
		synctest.Wait()
		if got := w.story(one.ARN) + ", " + w.story(two.ARN); got != "RUNNING a:RUNNING, nothing" {
			t.Errorf("while the engine is away: %s", got)
		}
		w.engine.Down(false)
		time.Sleep(40 * time.Second)
		w.expect(one.ARN, "STOPPED a:STOPPED(0)")
		w.expect(two.ARN, "RUNNING b:RUNNING")
		w.once()
	})
}

// TestHealthWhileTheEngineIsNotHeard: a container becomes healthy after the engine is back, and before its events are followed again.
func TestHealthWhileTheEngineIsNotHeard(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.start()
		defer func() { w.kill() }()
		checked := essential("a", "checked")
		checked.HealthCheckType, checked.DockerConfig.Config = "docker", `{"Healthcheck":{"Test":["CMD","true"]}}`
		waits := acsproto.Container{Name: "b", Image: "app", Essential: true, DependsOn: []acsproto.DependsOn{{ContainerName: "a", Condition: "HEALTHY"}}}
		w.control.Run(task(1, checked, waits))
		time.Sleep(5 * time.Second)
		w.engine.Down(true)
		time.Sleep(30 * time.Second)
		w.engine.Down(false)
		time.Sleep(time.Minute)
		w.expect(task(1).ARN, "RUNNING a:RUNNING b:RUNNING")
	})
}

func TestFullDisk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.start()
		defer func() { w.kill() }()
		one, two := task(1, essential("a", "job")), task(2, essential("b", "app"))
		w.control.Run(one)
		synctest.Wait()
		w.ledger.SetFail(fmt.Errorf("no space left on device"))
		w.control.Run(two)
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		if got := w.story(one.ARN); got != "RUNNING a:RUNNING" {
			t.Errorf("an end that is not written down was reported: %s", got)
		}
		if w.control.Refusals(two.ARN) == 0 {
			t.Errorf("a payload that is not written down was acked")
		}
		w.ledger.SetFail(nil)
		time.Sleep(40 * time.Second)
		w.expect(one.ARN, "STOPPED a:STOPPED(0)")
		w.once()
	})
}

func TestLedgerIsLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.start()
		init := acsproto.Container{Name: "init", Image: "brief"}
		one, two := task(1, essential("a", "app"), init), task(2, essential("b", "job"))
		w.control.Run(one)
		w.control.Run(two)
		time.Sleep(time.Second)
		arn := "arn:aws:ecs:us-east-1:123456789012:container-instance/demo/00000000000000000000000000000001"
		w.kill()
		w.ledger.Lose()
		time.Sleep(2 * time.Minute)
		w.start()
		defer func() { w.kill() }()
		w.expect(one.ARN, "RUNNING a:RUNNING init:STOPPED(3)")
		w.expect(two.ARN, "STOPPED b:STOPPED(0)")
		if r := w.control.Registered(); len(r) != 2 || aws.ToString(r[1].ContainerInstanceArn) != arn {
			t.Errorf("registered %d times, the last as %v", len(r), aws.ToString(r[len(r)-1].ContainerInstanceArn))
		}
		w.engine.Exit(w.name("a"), 9)
		w.expect(one.ARN, "STOPPED a:STOPPED(9) init:STOPPED(3)")
		w.once()
	})
}

// TestLedgerIsLostAfterAnotherRegistration: exited containers still tell of the instance that was deregistered. The agent must not take itself
// for that one, which would stop what runs.
func TestLedgerIsLostAfterAnotherRegistration(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.start()
		const old = 8
		for n := range old {
			w.control.Run(task(n+1, essential(fmt.Sprintf("old%d", n), "app")))
		}
		time.Sleep(time.Second)
		for n := range old {
			w.control.Disown(task(n + 1).ARN)
		}
		w.control.Deactivate("arn:aws:ecs:us-east-1:123456789012:container-instance/demo/00000000000000000000000000000001")
		time.Sleep(time.Minute)
		one := task(old+1, essential("new", "app"))
		w.control.Run(one)
		w.expect(one.ARN, "RUNNING new:RUNNING")
		w.kill()
		w.ledger.Lose()
		w.start()
		defer func() { w.kill() }()
		time.Sleep(time.Minute)
		w.expect(one.ARN, "RUNNING new:RUNNING")
		if n := w.engine.Containers(agent.Running); n != 1 {
			t.Errorf("%d containers run", n)
		}
		r := w.control.Registered()
		if got := aws.ToString(r[len(r)-1].ContainerInstanceArn); !strings.HasSuffix(got, "2") {
			t.Errorf("it registered as %q", got)
		}
		w.once()
	})
}

func TestManifestStopsWhatIsNotWanted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.start()
		defer func() { w.kill() }()
		one := task(1, essential("a", "app"))
		w.control.Run(one)
		time.Sleep(time.Second)
		w.control.Disown(one.ARN)
		synctest.Wait()
		if n := w.engine.Containers(agent.Running); n != 0 {
			t.Errorf("%d containers run that nobody wants", n)
		}
	})
}

func TestUnknownStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.control.Run(task(1, essential("a", "app")))
		w.control.Stop(task(1).ARN)
		w.start()
		defer func() { w.kill() }()
		w.expect(task(1).ARN, "STOPPED TaskStateError: Agent could not progress task's state to stopped")
	})
}

func TestInactiveInstanceStartsAnew(t *testing.T) {
	for _, restart := range []bool{false, true} {
		t.Run(fmt.Sprintf("restart %v", restart), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				w.start()
				defer func() { w.kill() }()
				one := task(1, essential("a", "stubborn"))
				w.control.Run(one)
				time.Sleep(time.Second)
				if restart {
					w.kill()
				}
				w.control.Disown(one.ARN)
				w.control.Deactivate("arn:aws:ecs:us-east-1:123456789012:container-instance/demo/00000000000000000000000000000001")
				if restart {
					w.start()
				}
				time.Sleep(20 * time.Second)
				if n := len(w.control.Registered()); n != 1 {
					t.Errorf("registered %d times while an orphan runs", n)
				}
				time.Sleep(20 * time.Second)
				synctest.Wait()
				if n := w.engine.Containers(agent.Running); n != 0 {
					t.Errorf("%d orphans run", n)
				}
				if r := w.control.Registered(); len(r) != 2 || r[1].ContainerInstanceArn != nil {
					t.Errorf("registered %d times, the last as %v", len(r), aws.ToString(r[len(r)-1].ContainerInstanceArn))
				}
				two := task(2, essential("b", "app"))
				w.control.Run(two)
				w.expect(two.ARN, "RUNNING b:RUNNING")
			})
		})
	}
}

var (
	appImage = agenttest.Image{}
	jobImage = agenttest.Image{Runs: time.Minute}

	longImage = agenttest.Image{Runs: 5 * time.Minute}
)
