package network

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/vishvananda/netns"
	"golang.org/x/sync/errgroup"

	"berth/internal/acsproto"
	"berth/internal/agent"
)

// order is what a child process does: it makes a Keeper on a machine, applies a state and attaches interfaces, and kills itself before a step.
type order struct {
	Installation string
	Machine      int // pid
	Underlay     netip.Addr
	State        agent.NetworkState
	Attach       map[string]int
	Detach       []string
	KillAt       int // counted from 1; 0: it lives to the end
}

// applyAndDie follows the order on stdin and prints each step.
func applyAndDie() {
	var o order
	fail := func(err error) {
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	fail(json.NewDecoder(os.Stdin).Decode(&o))
	ns, err := netns.GetFromPid(o.Machine)
	fail(err)
	steps := 0
	step := func(what string) {
		fmt.Println(what)
		if steps++; steps == o.KillAt {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {} // until it is dead
		}
	}
	var k *Keeper
	fail(runIn(ns, func() (err error) {
		k, err = New(Config{Installation: o.Installation, Underlay: o.Underlay, step: step})
		return err
	}))
	fail(k.Apply(context.Background(), o.State))
	for _, id := range sortedKeys(o.Attach) {
		fail(k.Attach(context.Background(), id, o.Attach[id]))
	}
	for _, id := range o.Detach {
		fail(k.Detach(context.Background(), id))
	}
	os.Exit(0) // without Close, as one that is killed after its last step
}

// follow runs an order and returns its steps.
func (o order) follow(t *testing.T) []string {
	t.Helper()
	self, err := os.Executable()
	must(t, err)
	data, err := json.Marshal(o)
	must(t, err)
	c := exec.Command(self)
	c.Env = append(os.Environ(), childEnv+"=apply")
	c.Stdin = bytes.NewReader(data)
	var out, errs bytes.Buffer
	c.Stdout, c.Stderr = &out, &errs
	err = c.Run()
	var exit *exec.ExitError
	killed := errors.As(err, &exit) && exit.Sys().(syscall.WaitStatus).Signaled()
	if err != nil && !killed || killed != (o.KillAt > 0) {
		t.Fatalf("killed: %v, at step %d of %d: %v, %s\n%s", killed, o.KillAt, strings.Count(out.String(), "\n"), err, errs.String(), out.String())
	}
	return strings.Split(strings.TrimSpace(out.String()), "\n")
}

// richWorld has something of everything.
func richWorld(hosts bool) world {
	w := newWorld()
	v := w.VPCs["vpc-1"]
	v.Reachable = true
	w.VPCs["vpc-1"] = v
	w.vpc("vpc-2")
	w.route("vpc-1", "subnet-a", acsproto.Route{Destination: "0.0.0.0/0", Via: "internet"}, acsproto.Route{Destination: "198.18.0.0/15", Via: "blackhole"})
	w.route("vpc-1", "subnet-b", acsproto.Route{Destination: "0.0.0.0/0", Via: "nat"})
	w.group("sg-web", fromGroup(80, "sg-open"), everything)
	w.nic("eni-a", "10.0.1.10", "sg-open", "sg-web")
	w.public("eni-a")
	w.nic("eni-b", "10.0.2.10", "sg-web")
	w.Interfaces["eni-c"] = acsproto.NetworkInterface{ID: "eni-c", VPC: "vpc-2", Subnet: "subnet-a", Address: "10.0.1.10", MAC: "02:00:00:00:00:01", Local: true, Groups: []string{"sg-x"}}
	if hosts {
		for i := range 3 {
			w.on(fmt.Sprintf("192.0.2.%d", 100+i), fmt.Sprintf("eni-far%d", i), fmt.Sprintf("10.0.1.%d", 100+i), "sg-open")
			n := w.Interfaces[fmt.Sprintf("eni-far%d", i)]
			n.Local = false
			w.Interfaces[n.ID] = n
		}
	}
	return w
}

// TestKilledAtEachStep kills an agent before each change that it makes in the kernel, and lets the next one begin. In the end the kernel is as if
// nobody had been killed.
func TestKilledAtEachStep(t *testing.T) {
	t.Parallel()
	s := newSite(t, true)
	tasks := map[string]task{"eni-a": newTask(t), "eni-b": newTask(t), "eni-c": newTask(t)}
	o := order{Installation: installation(t), Machine: s.machine.pid, Underlay: netip.MustParseAddr(machineAddress), State: richWorld(true).now(), Attach: map[string]int{}}
	for id, x := range tasks {
		o.Attach[id] = x.pid
	}
	run := func(o order) []string { // the one that comes after
		var k *Keeper
		must(t, runIn(s.machine.ns, func() (err error) {
			k, err = New(Config{Installation: o.Installation, Underlay: o.Underlay})
			return err
		}))
		defer func() { must(t, k.Close()) }()
		must(t, k.Apply(context.Background(), o.State))
		for id, pid := range o.Attach {
			must(t, k.Attach(context.Background(), id, pid))
		}
		for _, id := range o.Detach {
			must(t, k.Detach(context.Background(), id))
		}
		return dumpLines(t, k, tasks["eni-a"], tasks["eni-b"], tasks["eni-c"])
	}
	clear := func() {
		t.Helper()
		var k *Keeper
		must(t, runIn(s.machine.ns, func() (err error) { k, err = New(Config{Installation: o.Installation}); return err }))
		defer func() { must(t, k.Close()) }()
		must(t, k.Purge(context.Background()))
		if left := leftovers(t, k); len(left) > 0 {
			t.Fatalf("purge left %s", left)
		}
	}
	t.Cleanup(clear)

	// Less is wanted afterwards: one VPC is gone, another one has other routes and groups.
	less := o
	w := richWorld(true)
	delete(w.Interfaces, "eni-c")
	delete(w.Interfaces, "eni-far1")
	v := w.VPCs["vpc-1"]
	v.Reachable = false
	w.VPCs["vpc-1"] = v
	w.route("vpc-1", "subnet-b")
	w.nic("eni-b", "10.0.2.10", "sg-open")
	less.State, less.Attach, less.Detach = w.now(), map[string]int{"eni-b": tasks["eni-b"].pid}, []string{"eni-a"}

	for _, story := range []struct {
		name  string
		first *order
		then  order
	}{{"from nothing", nil, o}, {"from much", &o, less}} {
		begin := func() {
			clear()
			if story.first != nil {
				run(*story.first)
			}
		}
		begin()
		want := run(story.then)
		begin() // now the tasks are as they will be each time
		steps := story.then.follow(t)
		for n := 1; n <= len(steps); n++ {
			begin()
			killed := story.then
			killed.KillAt = n
			killed.follow(t)
			if diff := cmp.Diff(want, run(story.then)); diff != "" {
				t.Fatalf("%s, killed before step %d, %s:\n%s", story.name, n, steps[n-1], diff)
			}
		}
		t.Logf("%s: killed at each of %d steps", story.name, len(steps))
	}
}

// TestSecondApplyChangesNothing: what is applied already costs no change in the kernel, not even after a restart but for the table.
func TestSecondApplyChangesNothing(t *testing.T) {
	t.Parallel()
	var steps []string
	s := newSite(t, false)
	c := Config{Underlay: netip.MustParseAddr(machineAddress), step: func(what string) { steps = append(steps, what) }}
	k := s.keeper(t, c)
	w := richWorld(true)
	apply(t, k, w)
	x := attach(t, k, "eni-a")
	if len(steps) < 20 {
		t.Fatalf("the first time made %d steps", len(steps))
	}
	steps = nil
	apply(t, k, w)
	if fmt.Sprint(steps) != "[set kernel settings]" { // ip_forward of the machine
		t.Errorf("a second time made %q", steps)
	}
	w.group("sg-web", tcp(80, "0.0.0.0/0"), everything)
	steps = nil
	apply(t, k, w)
	if fmt.Sprint(steps) != "[set kernel settings change the table]" {
		t.Errorf("a changed rule made %q", steps)
	}
	must(t, k.Close())
	before := dumpLines(t, reopen(t, s, c), x)
	k2 := reopen(t, s, c)
	apply(t, k2, w)
	must(t, k2.Attach(t.Context(), "eni-a", x.pid))
	if diff := cmp.Diff(before, dumpLines(t, k2, x)); diff != "" {
		t.Errorf("a restart changed\n%s", diff)
	}
}

func reopen(t *testing.T, s site, c Config) *Keeper {
	t.Helper()
	c.Installation, c.step = installation(t), nil
	var k *Keeper
	must(t, runIn(s.machine.ns, func() (err error) { k, err = New(c); return err }))
	t.Cleanup(func() { must(t, k.Close()) })
	return k
}

// TestRestartKeepsConnections: an agent that ends and begins again interrupts nothing, and leaves no moment without rules.
func TestRestartKeepsConnections(t *testing.T) {
	t.Parallel()
	c := Config{Installation: installation(t)}
	k := newKeeper(t, c)
	w := newWorld()
	w.group("sg-web", tcp(80, "10.0.1.11/32"), nil)
	w.nic("eni-web", "10.0.1.10", "sg-web")
	w.nic("eni-client", "10.0.1.11", "sg-open")
	w.nic("eni-foe", "10.0.1.12", "sg-open")
	apply(t, k, w)
	web, client, foe := attach(t, k, "eni-web"), attach(t, k, "eni-client"), attach(t, k, "eni-foe")
	web.serveTCP(t, 80)
	conn, _, err := dial(client.ns, "10.0.1.10:80", patience)
	must(t, err)
	defer conn.Close()
	must(t, k.Close())
	if !alive(conn, patience) {
		t.Error("a connection ended with the agent")
	}
	foe.blocked(t, "10.0.1.10:80")
	k2 := newKeeper(t, c)
	for range 5 {
		apply(t, k2, w)
		if !alive(conn, patience) {
			t.Error("a connection ended with the new agent")
		}
	}
	foe.blocked(t, "10.0.1.10:80")
	must(t, k2.Attach(t.Context(), "eni-web", web.pid))
	client.reaches(t, "10.0.1.10:80")
}

func TestAttachWaitsForTheState(t *testing.T) {
	t.Parallel()
	k := newKeeper(t, Config{})
	w := newWorld()
	w.nic("eni-a", "10.0.1.10", "sg-open")
	apply(t, k, w)
	ctx, cancel := context.WithTimeout(t.Context(), silence)
	defer cancel()
	x := newTask(t)
	if err := k.Attach(ctx, "eni-b", x.pid); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("attach before the state: %v", err)
	}
	done := make(chan error, 1)
	go func() { done <- k.Attach(t.Context(), "eni-b", x.pid) }()
	w.nic("eni-b", "10.0.1.11", "sg-open")
	apply(t, k, w)
	must(t, <-done)
	must(t, k.Attach(t.Context(), "eni-b", x.pid)) // again is no error
	if !x.pings(t, "10.0.1.1", patience) {
		t.Error("it does not work")
	}
	if err := k.Attach(t.Context(), "eni-a", os.Getpid()); err == nil {
		t.Error("the machine itself got the interface")
	}
	y := newTask(t) // the task's containers begin anew in another namespace
	must(t, k.Attach(t.Context(), "eni-b", y.pid))
	if !y.pings(t, "10.0.1.1", patience) || x.pings(t, "10.0.1.1", silence) {
		t.Error("the interface has not moved")
	}
	z := attach(t, k, "eni-a")
	if err := k.Attach(t.Context(), "eni-a", y.pid); err == nil {
		t.Error("a process got two interfaces")
	}
	if !y.pings(t, "10.0.1.1", patience) || !z.pings(t, "10.0.1.1", patience) {
		t.Error("one of them is lost")
	}
	go func() { done <- k.Attach(t.Context(), "eni-c", x.pid) }()
	time.Sleep(10 * time.Millisecond) // it may wait already, or come to a Keeper that is closed
	must(t, k.Close())
	if err := <-done; !errors.Is(err, net.ErrClosed) {
		t.Errorf("attach of a closed Keeper: %v", err)
	}
}

func TestDetach(t *testing.T) {
	t.Parallel()
	k := newKeeper(t, Config{})
	w := newWorld()
	w.nic("eni-a", "10.0.1.10", "sg-open")
	w.nic("eni-b", "10.0.1.11", "sg-open")
	apply(t, k, w)
	a, b := attach(t, k, "eni-a"), attach(t, k, "eni-b")
	before := dumpLines(t, k, a, b)
	must(t, k.Detach(t.Context(), "eni-b"))
	must(t, k.Detach(t.Context(), "eni-b"))
	must(t, k.Detach(t.Context(), "eni-none"))
	if text := dump(t, k); strings.Contains(text, "enib") {
		t.Errorf("left of it:\n%s", text)
	}
	apply(t, k, w) // still not
	if text := dump(t, k); strings.Contains(text, "enib") {
		t.Errorf("it came back:\n%s", text)
	}
	must(t, k.Attach(t.Context(), "eni-b", b.pid))
	if diff := cmp.Diff(before, dumpLines(t, k, a, b)); diff != "" {
		t.Errorf("attached again:\n%s", diff)
	}
	if err := k.Detach(t.Context(), "../x"); err == nil {
		t.Error("detached what is no interface")
	}
}

// TestAddressesAreUsedAgain: a task that gets the address of one that is gone does not get its connections.
func TestAddressesAreUsedAgain(t *testing.T) {
	t.Parallel()
	k := newKeeper(t, Config{})
	w := newWorld()
	w.nic("eni-old", "10.0.1.10", "sg-open")
	w.nic("eni-client", "10.0.1.11", "sg-open")
	apply(t, k, w)
	old, client := attach(t, k, "eni-old"), attach(t, k, "eni-client")
	old.serveUDP(t, 99)
	var conn net.Conn
	must(t, runIn(client.ns, func() (err error) { conn, err = net.Dial("udp4", "10.0.1.10:99"); return err }))
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(patience))
	_, err := conn.Write([]byte("?"))
	must(t, err)
	_, err = conn.Read(make([]byte, 100))
	must(t, err)
	delete(w.Interfaces, "eni-old")
	w.group("sg-shut", nil, nil)
	w.nic("eni-new", "10.0.1.10", "sg-shut")
	apply(t, k, w)
	heard := attach(t, k, "eni-new").hears(t, 99)
	_, err = conn.Write([]byte("?"))
	must(t, err)
	if from := heard(silence); from != "" {
		t.Errorf("a packet of the old connection came from %s", from)
	}
}

func TestOneWrongVPCLeavesOthersAlone(t *testing.T) {
	t.Parallel()
	s := newSite(t, false)
	serveTCP(t, s.internet.ns, 80)
	k := s.keeper(t, Config{})
	w := newWorld()
	w.vpc("vpc-2")
	w.route("vpc-2", "subnet-a", acsproto.Route{Destination: "0.0.0.0/0", Via: "nat"})
	v := w.VPCs["vpc-2"]
	v.Reachable = true
	w.VPCs["vpc-2"] = v
	w.nic("eni-a", "10.0.1.10", "sg-open")
	w.Interfaces["eni-c"] = acsproto.NetworkInterface{ID: "eni-c", VPC: "vpc-2", Subnet: "subnet-a", Address: "10.0.1.10", MAC: "02:00:00:00:00:01", Local: true, Groups: []string{"sg-two"}}
	w.Groups["sg-two"] = acsproto.SecurityGroup{ID: "sg-two", VPC: "vpc-2", Ingress: everything, Egress: everything}
	apply(t, k, w)
	c := attach(t, k, "eni-c")
	bad := w.Interfaces["eni-c"]
	bad.Address = "10.9.9.9"
	w.Interfaces["eni-c"] = bad
	w.nic("eni-b", "10.0.1.11", "sg-open")
	err := k.Apply(t.Context(), w.now())
	if err == nil || !strings.Contains(err.Error(), "vpc-2: interface eni-c: address") {
		t.Errorf("got %v", err)
	}
	b := attach(t, k, "eni-b")
	if !b.pings(t, "10.0.1.1", patience) {
		t.Error("the other VPC was not applied")
	}
	if !c.pings(t, "10.0.1.1", patience) {
		t.Error("the wrong VPC is not as it was")
	}
	c.reaches(t, hostAddress+":80")
	c.serveTCP(t, 81)
	s.machine.reaches(t, "10.0.1.10:81")
}

// TestSweep: what an earlier process had and nobody wants any more goes, and only that.
func TestSweep(t *testing.T) {
	t.Parallel()
	c := Config{Installation: installation(t)}
	k, other := newKeeper(t, c), newKeeper(t, Config{Installation: c.Installation + "x"})
	w := newWorld()
	w.vpc("vpc-2")
	w.nic("eni-a", "10.0.1.10", "sg-open")
	w.nic("eni-b", "10.0.1.11", "sg-open")
	w.Interfaces["eni-c"] = acsproto.NetworkInterface{ID: "eni-c", VPC: "vpc-2", Subnet: "subnet-a", Address: "10.0.1.10", MAC: "02:00:00:00:00:01", Local: true}
	apply(t, k, w)
	apply(t, other, w)
	a := attach(t, k, "eni-a")
	attach(t, k, "eni-b")
	attach(t, k, "eni-c")
	attach(t, other, "eni-c")
	beside := dumpLines(t, other)
	must(t, k.Close())

	k2 := newKeeper(t, c)
	delete(w.Interfaces, "eni-b")
	delete(w.Interfaces, "eni-c")
	apply(t, k2, w)
	text := dump(t, k2)
	if strings.Contains(text, "vpc-2") || strings.Contains(text, "enib") || !strings.Contains(text, "enia") {
		t.Errorf("after the sweep:\n%s", text)
	}
	if diff := cmp.Diff(beside, dumpLines(t, other)); diff != "" {
		t.Errorf("the other installation changed:\n%s", diff)
	}
	if !a.pings(t, "10.0.1.1", patience) {
		t.Error("what stays does not work")
	}
}

// TestAllAtOnce attaches, detaches and applies from all sides. In the end all is as the last state says.
func TestAllAtOnce(t *testing.T) {
	t.Parallel()
	k := newKeeper(t, Config{})
	w := newWorld()
	const tasks = 6
	for i := range tasks {
		w.nic(fmt.Sprintf("eni-%d", i), fmt.Sprintf("10.0.1.%d", 10+i), "sg-open", "sg-web")
	}
	apply(t, k, w)
	var g errgroup.Group
	pids := make([]task, tasks)
	for i := range tasks {
		pids[i] = newTask(t)
		g.Go(func() error {
			id := fmt.Sprintf("eni-%d", i)
			for range 3 {
				if err := k.Attach(t.Context(), id, pids[i].pid); err != nil {
					return err
				}
				if err := k.Detach(t.Context(), id); err != nil {
					return err
				}
			}
			return k.Attach(t.Context(), id, pids[i].pid)
		})
	}
	states := make([]agent.NetworkState, 10)
	for i := range states {
		w.group("sg-web", tcp(int32(80+i%3), "0.0.0.0/0"), nil)
		states[i] = w.now()
	}
	g.Go(func() error {
		for _, s := range states {
			if err := k.Apply(t.Context(), s); err != nil {
				return err
			}
			if l, err := k.Listen("vpc-1", netip.MustParseAddrPort("169.254.170.2:80")); err != nil {
				return err
			} else if err := l.Close(); err != nil {
				return err
			}
		}
		return nil
	})
	must(t, g.Wait())
	for i, x := range pids {
		if !x.pings(t, fmt.Sprintf("10.0.1.%d", 10+(i+1)%tasks), patience) {
			t.Errorf("task %d does not reach the next one", i)
		}
	}
	got := dumpLines(t, k, pids...)
	must(t, k.Close())
	k2 := newKeeper(t, Config{})
	must(t, k2.Apply(t.Context(), states[len(states)-1]))
	if d := cmp.Diff(got, dumpLines(t, k2, pids...)); d != "" {
		t.Errorf("made anew:\n%s", d)
	}
}
