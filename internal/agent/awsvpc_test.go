package agent_test

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sync/errgroup"

	"berth/internal/acs"
	"berth/internal/acsproto"
	"berth/internal/agent"
	"berth/internal/agent/agenttest"
)

// vpcWorld is a world with a network, whose control plane tells each session of VPCs what the test has said.
type vpcWorld struct {
	*world
	network *agenttest.Network
	names   *agenttest.Names

	mu   sync.Mutex
	told map[string]chan acsproto.Network // by cluster: what a session that is there is told next
	news map[string][]acsproto.Network    // what a new session is told
}

func newVPCWorld(t *testing.T) *vpcWorld {
	w := &vpcWorld{world: newWorld(t), network: &agenttest.Network{}, names: &agenttest.Names{}, told: map[string]chan acsproto.Network{}, news: map[string][]acsproto.Network{}}
	w.engine.AddImage("pause", agenttest.Image{})
	w.config.Pause = func(context.Context) (string, error) { return "pause", nil }
	w.config.Network, w.config.Names = w.network, w.names
	w.config.RunAgent = w.session
	return w
}

// session is one that is told of VPCs beside its orders, as it is over one socket.
func (w *vpcWorld) session(ctx context.Context, c acs.AgentConfig, o acs.Orders) error {
	w.mu.Lock()
	told := make(chan acsproto.Network)
	w.told[c.Cluster] = told
	news := slices.Clone(w.news[c.Cluster])
	w.mu.Unlock()
	for _, m := range news {
		o.Network(ctx, m)
	}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return w.control.RunAgent(ctx, c, o) })
	g.Go(func() error {
		for {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case m := <-told:
				o.Network(ctx, m)
			}
		}
	})
	return g.Wait()
}

// tell tells the session of a cluster's instance, if there is one, and those after it.
func (w *vpcWorld) tell(cluster string, m acsproto.Network) {
	w.mu.Lock()
	if m.Whole {
		w.news[cluster] = nil
	}
	w.news[cluster] = append(w.news[cluster], m)
	told := w.told[cluster]
	w.mu.Unlock()
	if told == nil {
		return
	}
	select {
	case told <- m:
	case <-time.After(time.Second): // its session has ended
	}
}

const eni = "eni-0123456789abcdef0"

// inVPC is a message with one VPC and interfaces of the instance.
func inVPC(n int64, enis ...string) acsproto.Network {
	m := acsproto.Network{N: n, Whole: true, VPCs: []acsproto.VPC{{ID: "vpc-1", CIDRs: []string{"10.0.0.0/16"}, Subnets: []acsproto.Subnet{{ID: "subnet-1", CIDR: "10.0.1.0/24"}}}},
		Groups: []acsproto.SecurityGroup{{ID: "sg-1", VPC: "vpc-1"}}}
	for i, id := range enis {
		m.Interfaces = append(m.Interfaces, acsproto.NetworkInterface{ID: id, VPC: "vpc-1", Subnet: "subnet-1", Address: fmt.Sprintf("10.0.1.%d", 10+i), Groups: []string{"sg-1"}, Local: true})
	}
	return m
}

// networked is a task in awsvpc mode.
func networked(n int, id string, containers ...acsproto.Container) acsproto.Task {
	t := task(n, containers...)
	t.NetworkMode = "awsvpc"
	t.Interfaces = []acsproto.ElasticNetworkInterface{{AttachmentARN: "arn:aws:ecs:us-east-1:123456789012:attachment/a" + fmt.Sprint(n), ID: id, MACAddress: "02:00:00:00:00:01",
		IPv4Addresses: []acsproto.IPv4Address{{Primary: true, PrivateAddress: "10.0.1.10"}}, SubnetGatewayIPv4Address: "10.0.1.1/24"}}
	return t
}

// attachedTo fails unless an interface is the pause container's.
func (w *vpcWorld) attachedTo(id string) {
	w.t.Helper()
	pid := w.engine.PID(w.name("-internal-ecs-pause"))
	if got := w.network.Attached(); len(got) != 1 || got[id] != pid || pid == 0 {
		w.t.Errorf("attached are %v, want %s to process %d", got, id, pid)
	}
}

// nothingLeft fails if anything of a task that has stopped is left in the network.
func (w *vpcWorld) nothingLeft() {
	w.t.Helper()
	if got := w.network.Attached(); len(got) != 0 {
		w.t.Errorf("attached are still %v", got)
	}
	if n := w.engine.Containers(agent.Running); n != 0 {
		w.t.Errorf("%d containers run", n)
	}
}

// TestNetworkedTask follows a task with an interface from its order to its end: nothing is reported RUNNING before the interface is there, and nothing STOPPED
// before it is gone.
func TestNetworkedTask(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newVPCWorld(t)
		var mu sync.Mutex
		var order []string
		note := func(op string) {
			mu.Lock()
			defer mu.Unlock()
			if op == "submit" || strings.HasPrefix(op, "attach") || strings.HasPrefix(op, "detach") {
				order = append(order, op)
			}
		}
		w.network.Cut, w.control.Cut = note, note
		w.tell("demo", inVPC(1, eni))
		w.start()
		defer func() { w.kill() }()
		one := networked(1, eni, essential("a", "app"), essential("b", "app"))
		w.control.Run(one)
		w.expect(one.ARN, "RUNNING a:RUNNING b:RUNNING")
		w.attachedTo(eni)
		first := w.control.Reports(one.ARN)[0]
		if len(first.Attachments) != 1 || *first.Attachments[0].AttachmentArn != one.Interfaces[0].AttachmentARN || *first.Attachments[0].Status != "ATTACHED" {
			t.Errorf("the first report, %s, tells of attachments %v", told(first), first.Attachments)
		}
		w.control.Stop(one.ARN)
		w.expect(one.ARN, "STOPPED a:STOPPED(143) b:STOPPED(143)")
		w.nothingLeft()
		mu.Lock()
		defer mu.Unlock()
		at := func(op string) int { return slices.Index(order, op+" "+eni) }
		last := len(order) - 1
		if at("attach") != 0 || at("detach") < 0 || at("detach") > last || order[last] != "submit" {
			t.Errorf("in the order %q: want attach first, and detach before the last report", order)
		}
		w.once()
	})
}

// TestDetachIsInsistedOn: while an interface cannot be taken away the task is not STOPPED.
func TestDetachIsInsistedOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newVPCWorld(t)
		w.config.Network = &failing{Network: w.network, of: "detach", times: 3}
		w.tell("demo", inVPC(1, eni))
		w.start()
		defer func() { w.kill() }()
		one := networked(1, eni, essential("a", "app"))
		w.control.Run(one)
		w.expect(one.ARN, "RUNNING a:RUNNING")
		w.control.Stop(one.ARN)
		synctest.Wait()
		if s := w.control.Statuses(one.ARN); slices.Contains(s, "STOPPED") {
			t.Errorf("reported %v while it has its interface", s)
		}
		time.Sleep(time.Minute)
		w.expect(one.ARN, "STOPPED a:STOPPED(143)")
		w.nothingLeft()
	})
}

// failing is a network whose first calls of one kind fail.
type failing struct {
	*agenttest.Network
	of string

	mu    sync.Mutex
	times int
}

func (f *failing) fail(op string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.of != op || f.times == 0 {
		return nil
	}
	f.times--
	return errors.New("netlink: no buffer space available")
}

func (f *failing) Attach(ctx context.Context, id string, pid int) error {
	if err := f.fail("attach"); err != nil {
		return err
	}
	return f.Network.Attach(ctx, id, pid)
}

func (f *failing) Detach(ctx context.Context, id string) error {
	if err := f.fail("detach"); err != nil {
		return err
	}
	return f.Network.Detach(ctx, id)
}

const noInterface = "STOPPED a:STOPPED Timeout waiting for network interface provisioning to complete."

func TestAttach(t *testing.T) {
	for _, c := range []struct {
		name  string
		fails int               // attaches that fail
		do    func(w *vpcWorld) // after the order
		early string            // a second after that
		after time.Duration     // what then
		want  string            // last
	}{
		{"waits for what is told", 0, func(w *vpcWorld) { time.Sleep(time.Minute); w.tell("demo", inVPC(1, eni)) }, "RUNNING a:RUNNING", 0, "RUNNING a:RUNNING"},
		{"is tried again", 4, func(w *vpcWorld) { w.tell("demo", inVPC(1, eni)) }, "nothing", time.Minute, "RUNNING a:RUNNING"},
		{"never comes", 0, func(*vpcWorld) {}, "nothing", 3*time.Minute - 2*time.Second, "nothing"},
		{"times out", 0, func(*vpcWorld) {}, "nothing", 3 * time.Minute, noInterface},
		{"fails until it times out", 1000, func(w *vpcWorld) { w.tell("demo", inVPC(1, eni)) }, "nothing", 4 * time.Minute, noInterface},
		{"times out over a restart", 0, func(w *vpcWorld) { time.Sleep(time.Minute); w.kill(); time.Sleep(2 * time.Minute); w.start() }, "nothing", 2 * time.Minute, noInterface},
		{"stops before it is there", 0, func(w *vpcWorld) { time.Sleep(time.Minute); w.control.Stop(task(1).ARN) }, "STOPPED a:STOPPED", 0, "STOPPED a:STOPPED"},
		{"the pause container ends before it is there", 0, func(w *vpcWorld) { time.Sleep(time.Minute); w.engine.Exit(w.name("-internal-ecs-pause"), 1) }, "STOPPED a:STOPPED", 0, "STOPPED a:STOPPED"},
		{"the pause container ends later", 0, func(w *vpcWorld) {
			w.tell("demo", inVPC(1, eni))
			synctest.Wait()
			w.engine.Exit(w.name("-internal-ecs-pause"), 1)
		}, "STOPPED a:STOPPED(143)", 0, "STOPPED a:STOPPED(143)"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newVPCWorld(t)
				w.config.Network = &failing{Network: w.network, of: "attach", times: c.fails}
				w.start()
				defer func() { w.kill() }()
				one := networked(1, eni, essential("a", "app"))
				w.control.Run(one)
				synctest.Wait()
				c.do(w)
				time.Sleep(time.Second)
				w.expect(one.ARN, c.early)
				time.Sleep(c.after)
				w.expect(one.ARN, c.want)
				if strings.HasPrefix(c.want, "STOPPED") {
					w.nothingLeft()
				} else if strings.HasPrefix(c.want, "RUNNING") {
					w.attachedTo(eni)
				}
				w.once()
			})
		})
	}
}

// TestNetworkedKilledAtEveryStep is TestKilledAtEveryStep for a task with an interface: it ends with it attached to its pause container, or with nothing left.
func TestNetworkedKilledAtEveryStep(t *testing.T) {
	for _, c := range []struct {
		name string
		do   func(w *vpcWorld)
		want string
	}{
		{"runs", func(*vpcWorld) {}, `RUNNING a:RUNNING`},
		{"ends", func(w *vpcWorld) { w.engine.AddImage("app", jobImage) }, `STOPPED a:STOPPED(\((0|143)\))?`},
		{"is stopped", func(w *vpcWorld) { time.AfterFunc(2*time.Minute, func() { w.control.Stop(task(1).ARN) }) }, `STOPPED (a:STOPPED(\(143\))?|TaskStateError: .*)`},
	} {
		for _, lose := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, ledger lost %v", c.name, lose), func(t *testing.T) {
				points := 0
				for ended := false; !ended; {
					points++
					synctest.Test(t, func(t *testing.T) { ended = networkedKilledAt(t, points, "", lose, c.do, c.want) == "" })
				}
				if points < 20 {
					t.Errorf("only %d points: the test does not reach what it is for", points)
				}
				for _, only := range []string{"attach ", "detach "} {
					synctest.Test(t, func(t *testing.T) {
						if at := networkedKilledAt(t, 1, only, lose, c.do, c.want); at == "" && (c.name != "runs" || only == "attach ") {
							t.Errorf("there was no %s", only)
						}
					})
				}
			})
		}
	}
}

func networkedKilledAt(t *testing.T, n int, only string, lose bool, do func(*vpcWorld), want string) string {
	w := newVPCWorld(t)
	do(w)
	w.tell("demo", inVPC(1, eni))
	one := networked(1, eni, essential("a", "app"))
	w.control.Run(one)
	at := w.untilNetworked(n, only)
	if lose {
		w.ledger.Lose()
	}
	again := w.untilNetworked(n%7+3, "")
	time.Sleep(3 * time.Minute)
	w.start()
	defer func() { w.kill() }()
	time.Sleep(3 * time.Minute)
	synctest.Wait()
	got := w.story(one.ARN)
	if !regexp.MustCompile("^" + want + "$").MatchString(got) {
		t.Errorf("killed at point %d (%s) and then at %q: the last report is\n%s, want\n%s", n, at, again, got, want)
	}
	for call, times := range w.engine.Done() {
		if times > 1 && !strings.HasPrefix(call, "pull ") {
			t.Errorf("killed at point %d (%s): %s happened %d times", n, at, call, times)
		}
	}
	if strings.HasPrefix(got, "RUNNING") {
		w.attachedTo(eni)
	} else {
		w.nothingLeft()
	}
	if t.Failed() {
		t.Fatalf("killed at point %d (%s) and then at %q", n, at, again)
	}
	return at
}

// untilNetworked is until with the network's points too.
func (w *vpcWorld) untilNetworked(n int, only string) string {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	c := &cutter{left: n, only: only, cancel: cancel}
	w.engine.Cut, w.ledger.Cut, w.control.Cut, w.network.Cut, w.names.Cut = c.cut, c.cut, c.cut, c.cut, c.cut
	a, err := agent.New(w.config)
	if err != nil {
		w.t.Fatal(err)
	}
	a.Run(ctx) //nolint:errcheck // it is killed
	w.engine.Cut, w.ledger.Cut, w.control.Cut, w.network.Cut, w.names.Cut = nil, nil, nil, nil, nil
	return c.at
}

// TestNetworkedAdopted: an agent that lost its ledger knows a task's interface from its containers' labels, tells of it, and takes it away in the end.
func TestNetworkedAdopted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newVPCWorld(t)
		w.tell("demo", inVPC(1, eni))
		w.start()
		one := networked(1, eni, essential("a", "app"))
		w.control.Run(one)
		w.expect(one.ARN, "RUNNING a:RUNNING")
		w.kill()
		w.ledger.Lose()
		w.start()
		defer func() { w.kill() }()
		time.Sleep(time.Minute)
		w.expect(one.ARN, "RUNNING a:RUNNING")
		w.attachedTo(eni)
		r := w.control.Reports(one.ARN)
		if len(r) < 2 || len(r[len(r)-1].Attachments) != 1 {
			t.Errorf("of %d reports the last tells of attachments %v", len(r), r[len(r)-1].Attachments)
		}
		w.control.Stop(one.ARN)
		w.expect(one.ARN, "STOPPED a:STOPPED(143)")
		w.nothingLeft()
		w.once()
	})
}
