package network

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"

	"berth/internal/acsproto"
	"berth/internal/agent"
)

// childEnv makes the test binary another process: "wait" stands for a task's pause container, "apply" is an agent that is killed.
const childEnv = "BERTH_NETWORK_TEST"

func TestMain(m *testing.M) {
	switch os.Getenv(childEnv) {
	case "wait":
		fmt.Println("ready")
		_, _ = io.Copy(io.Discard, os.Stdin) // until the test ends, however it does
		os.Exit(0)
	case "apply":
		applyAndDie()
	case "new":
		newAndClose()
	}
	os.Exit(m.Run())
}

// needRoot skips a test that changes the kernel.
func needRoot(t testing.TB) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("it makes network namespaces: run it as root")
	}
}

// task is a process with a network namespace of its own.
type task struct {
	pid int
	ns  netns.NsHandle
}

func newTask(t testing.TB) task {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := exec.Command(self)
	c.Env = append(os.Environ(), childEnv+"=wait")
	c.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
	in, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { in.Close(); _ = c.Wait() })
	if _, err := io.ReadFull(out, make([]byte, 6)); err != nil {
		t.Fatal(err)
	}
	ns, err := netns.GetFromPid(c.Process.Pid)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ns.Close() })
	return task{c.Process.Pid, ns}
}

// space opens a task's namespace with the tools of the package, and with root's rights in it: those of a task with NET_ADMIN.
func (k task) space(t testing.TB) *space {
	t.Helper()
	ns, err := netns.GetFromPid(k.pid)
	if err != nil {
		t.Fatal(err)
	}
	s, err := openSpace(ns, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.close() })
	return s
}

// installation is a new one's id. It is in the process's number, so that tests of two processes do not meet.
func installation(t testing.TB) string {
	t.Helper()
	return fmt.Sprintf("t%dx%s", os.Getpid(), digest(t.Name())[:6])
}

// newKeeper makes a Keeper, and removes all of its installation at the end.
func newKeeper(t testing.TB, c Config) *Keeper {
	t.Helper()
	needRoot(t)
	if c.Installation == "" {
		c.Installation = installation(t)
	}
	k, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := k.Close(); err != nil {
			t.Error(err)
		}
		purge(t, c)
	})
	return k
}

// purge removes an installation and shows that nothing is left of it.
func purge(t testing.TB, c Config) {
	t.Helper()
	c.step = nil
	k, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	defer k.Close()
	if err := k.Purge(context.Background()); err != nil {
		t.Error(err)
	}
	for _, l := range leftovers(t, k) {
		t.Errorf("purge left %s", l)
	}
}

// leftovers are what the kernel has of an installation beside VPCs.
func leftovers(t testing.TB, k *Keeper) (left []string) {
	t.Helper()
	entries, err := filepath.Glob(filepath.Join(namespaces, k.machine.prefix()+"*"))
	if err != nil {
		t.Fatal(err)
	}
	left = append(left, entries...)
	links, err := complete(k.machine.space.links.LinkList)
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range links {
		if strings.HasPrefix(l.Attrs().Name, k.machine.prefixOfWays()) {
			left = append(left, "device "+l.Attrs().Name)
		}
	}
	tables, err := k.machine.space.rules.conn.ListTables()
	if err != nil {
		t.Fatal(err)
	}
	for _, table := range tables {
		if table.Name == k.machine.table() {
			left = append(left, "table "+table.Name)
		}
	}
	chains, err := k.machine.space.rules.conn.ListChains()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range chains {
		ours, err := k.machine.ours(c)
		if err != nil {
			t.Fatal(err)
		}
		if len(ours) > 0 {
			left = append(left, fmt.Sprintf("%d rules in chain %s", len(ours), c.Name))
		}
	}
	return left
}

// everything allows all, to or from everybody.
var everything = []acsproto.SecurityRule{{Protocol: "-1", CIDR: "0.0.0.0/0"}}

// world is a state under construction: a VPC with two subnets and an open group.
type world struct{ agent.NetworkState }

func newWorld() world {
	w := world{agent.NetworkState{VPCs: map[string]acsproto.VPC{}, Groups: map[string]acsproto.SecurityGroup{}, Interfaces: map[string]acsproto.NetworkInterface{}}}
	w.vpc("vpc-1")
	w.group("sg-open", everything, everything)
	return w
}

func (w world) vpc(id string) *acsproto.VPC {
	v := acsproto.VPC{ID: id, VNI: uint32(100 + len(w.VPCs)), CIDRs: []string{"10.0.0.0/16"}, DNS: true,
		Subnets: []acsproto.Subnet{{ID: "subnet-a", CIDR: "10.0.1.0/24"}, {ID: "subnet-b", CIDR: "10.0.2.0/24"}}}
	w.VPCs[id] = v
	return &v
}

func (w world) group(id string, ingress, egress []acsproto.SecurityRule) {
	w.Groups[id] = acsproto.SecurityGroup{ID: id, VPC: "vpc-1", Ingress: ingress, Egress: egress}
}

// nic adds a local interface of vpc-1: its third number is the subnet's.
func (w world) nic(id, address string, groups ...string) {
	a := netip.MustParseAddr(address).As4()
	subnet := map[byte]string{1: "subnet-a", 2: "subnet-b"}[a[2]]
	w.Interfaces[id] = acsproto.NetworkInterface{ID: id, VPC: "vpc-1", Subnet: subnet, Address: address, Groups: groups, Local: true,
		MAC: fmt.Sprintf("02:00:%02x:%02x:%02x:%02x", a[0], a[1], a[2], a[3])}
}

// now is the state as it is, which later changes leave alone.
func (w world) now() agent.NetworkState {
	s := newState()
	for k, v := range w.VPCs {
		s.VPCs[k] = v
	}
	for k, v := range w.Groups {
		s.Groups[k] = v
	}
	for k, v := range w.Interfaces {
		s.Interfaces[k] = v
	}
	return s
}

func newState() agent.NetworkState {
	return agent.NetworkState{VPCs: map[string]acsproto.VPC{}, Groups: map[string]acsproto.SecurityGroup{}, Interfaces: map[string]acsproto.NetworkInterface{}}
}

func apply(t testing.TB, k *Keeper, w world) {
	t.Helper()
	if err := k.Apply(context.Background(), w.now()); err != nil {
		t.Fatal(err)
	}
}

// attach gives a new task the interface.
func attach(t testing.TB, k *Keeper, id string) task {
	t.Helper()
	x := newTask(t)
	if err := k.Attach(context.Background(), id, x.pid); err != nil {
		t.Fatal(err)
	}
	return x
}

// silence is how long a test waits for a packet that must not come.
const silence = 200 * time.Millisecond

// patience is how long it waits for one that must.
const patience = 10 * time.Second

// serveTCP echoes on a port of the task.
func (k task) serveTCP(t testing.TB, port int) {
	t.Helper()
	serveTCP(t, k.ns, port)
}

func serveTCP(t testing.TB, ns netns.NsHandle, port int) {
	t.Helper()
	var l net.Listener
	if err := runIn(ns, func() (err error) { l, err = net.Listen("tcp4", fmt.Sprintf(":%d", port)); return err }); err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			t.Cleanup(func() { c.Close() })
			go func() { fmt.Fprintf(c, "%s\n", c.RemoteAddr()); _, _ = io.Copy(c, c); c.Close() }()
		}
	}()
	t.Cleanup(func() { l.Close(); <-done })
}

// dial connects to another task; wait is how long that may take. What the other side sees as its address is the first line.
func dial(ns netns.NsHandle, at string, wait time.Duration) (conn net.Conn, seen string, err error) {
	err = runIn(ns, func() (err error) { conn, err = net.DialTimeout("tcp4", at, wait); return err })
	if err != nil {
		return nil, "", err
	}
	_ = conn.SetReadDeadline(time.Now().Add(patience))
	b := make([]byte, 1)
	for seen == "" || seen[len(seen)-1] != '\n' {
		if _, err := conn.Read(b); err != nil {
			conn.Close()
			return nil, "", err
		}
		seen += string(b)
	}
	return conn, strings.TrimSpace(seen), nil
}

// reaches and blocked say whether a TCP connection comes about.
func (k task) reaches(t testing.TB, at string) (seen string) {
	t.Helper()
	c, seen, err := dial(k.ns, at, patience)
	if err != nil {
		t.Errorf("connect to %s: %v", at, err)
		return ""
	}
	c.Close()
	return seen
}

func (k task) blocked(t testing.TB, at string) {
	t.Helper()
	c, seen, err := dial(k.ns, at, silence)
	if err == nil {
		c.Close()
		t.Errorf("connected to %s, as %s; it must be blocked", at, seen)
	}
	if errors.Is(err, unix.ECONNREFUSED) {
		t.Errorf("connect to %s: refused by its machine; it must not come that far", at)
	}
}

// alive tells whether an echo comes back on a connection.
func alive(c net.Conn, wait time.Duration) bool {
	_ = c.SetDeadline(time.Now().Add(wait))
	if _, err := c.Write([]byte("x")); err != nil {
		return false
	}
	_, err := io.ReadFull(c, make([]byte, 1))
	return err == nil
}

// connection2 is an open connection to an echo.
type connection2 struct{ net.Conn }

// check tells whether it is alive as wanted.
func (c connection2) check(t *testing.T, want bool, why string) {
	t.Helper()
	wait := silence
	if want {
		wait = patience
	}
	if got := alive(c.Conn, wait); got != want {
		t.Errorf("%s: alive is %v, want %v", why, got, want)
	}
}

// serveTicks sends a line every now and then, whoever connects.
func (k task) serveTicks(t testing.TB, port int) {
	t.Helper()
	var l net.Listener
	must(t, runIn(k.ns, func() (err error) { l, err = net.Listen("tcp4", fmt.Sprintf(":%d", port)); return err }))
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			t.Cleanup(func() { c.Close() })
			go func() {
				for _, err := c.Write([]byte("tick\n")); err == nil; _, err = c.Write([]byte("tick\n")) {
					time.Sleep(5 * time.Millisecond)
				}
			}()
		}
	}()
	t.Cleanup(func() { l.Close(); <-done })
}

// stops tells whether nothing more comes on a connection, after what is on its way.
func stops(c net.Conn) bool {
	until := time.Now().Add(patience)
	for time.Now().Before(until) {
		_ = c.SetReadDeadline(time.Now().Add(silence))
		if _, err := c.Read(make([]byte, 1000)); err != nil {
			return errors.Is(err, os.ErrDeadlineExceeded)
		}
	}
	return false
}
