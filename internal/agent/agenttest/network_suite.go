package agenttest

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"berth/internal/acsproto"
	"berth/internal/agent"
)

// NetworkRig is a network under test.
type NetworkRig struct {
	Network agent.Network
	PID     func(t *testing.T) int // a new process that may have an interface
	Dial    func(ctx context.Context, pid int, at netip.AddrPort) (net.Conn, error)
}

// RunNetwork runs the contract of networks on one. make is called once for each part of it.
func RunNetwork(t *testing.T, make func(t *testing.T) NetworkRig) {
	for name, f := range map[string]func(*testing.T, NetworkRig){
		"attach": testAttach, "attach waits": testAttachWaits, "detach": testDetach, "listen": testListen, "one address in two VPCs": testOneAddress,
		"end of ctx": testNetworkContext,
	} {
		t.Run(name, func(t *testing.T) { f(t, make(t)) })
	}
}

// endpoint is where tasks reach the task endpoints.
var endpoint = netip.MustParseAddrPort("169.254.170.2:80")

// networkWait is how long the suite waits for what must not happen.
const networkWait = 100 * time.Millisecond

// networkState has VPCs of one range, each with an interface of one address: eni-1 in vpc-1, and so on.
func networkState(vpcs ...string) agent.NetworkState {
	s := agent.NetworkState{VPCs: map[string]acsproto.VPC{}, Groups: map[string]acsproto.SecurityGroup{}, Interfaces: map[string]acsproto.NetworkInterface{}}
	for i, id := range vpcs {
		s.VPCs[id] = acsproto.VPC{ID: id, VNI: uint32(7 + i), CIDRs: []string{"10.0.0.0/16"}, Subnets: []acsproto.Subnet{{ID: "subnet-1", CIDR: "10.0.1.0/24"}}}
		eni := "eni-" + strings.TrimPrefix(id, "vpc-")
		s.Interfaces[eni] = acsproto.NetworkInterface{ID: eni, VPC: id, Subnet: "subnet-1", Address: "10.0.1.10", MAC: "02:00:00:00:00:01", Groups: []string{"sg-1"}, Local: true}
	}
	return s
}

func (r NetworkRig) apply(t *testing.T, vpcs ...string) {
	t.Helper()
	if err := r.Network.Apply(t.Context(), networkState(vpcs...)); err != nil {
		t.Fatal(err)
	}
}

func (r NetworkRig) attach(t *testing.T, id string, pid int) {
	t.Helper()
	if err := r.Network.Attach(t.Context(), id, pid); err != nil {
		t.Fatal(err)
	}
}

func (r NetworkRig) listen(t *testing.T, vpc string) net.Listener {
	t.Helper()
	l, err := r.Network.Listen(vpc, endpoint)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

// reaches tells which address a process is seen with at a listener; "" if it does not come there.
func (r NetworkRig) reaches(t *testing.T, l net.Listener, pid int) string {
	t.Helper()
	seen := make(chan string, 1)
	go func() {
		c, err := l.Accept()
		if err != nil {
			seen <- ""
			return
		}
		defer c.Close()
		host, _, _ := net.SplitHostPort(c.RemoteAddr().String())
		seen <- host
	}()
	c, err := r.Dial(t.Context(), pid, endpoint)
	if err != nil {
		l.Close() // so that nobody waits for it
		<-seen
		return ""
	}
	defer c.Close()
	return <-seen
}

func testAttach(t *testing.T, r NetworkRig) {
	r.apply(t, "vpc-1")
	l, first := r.listen(t, "vpc-1"), r.PID(t)
	r.attach(t, "eni-1", first)
	r.attach(t, "eni-1", first)
	if got := r.reaches(t, l, first); got != "10.0.1.10" {
		t.Errorf("seen as %q", got)
	}
	second := r.PID(t) // of the same task, that begins anew
	r.attach(t, "eni-1", second)
	if got := r.reaches(t, l, second); got != "10.0.1.10" {
		t.Errorf("seen as %q", got)
	}
	if got := r.reaches(t, l, first); got != "" {
		t.Errorf("the first process still has the interface: seen as %q", got)
	}
}

func testAttachWaits(t *testing.T, r NetworkRig) {
	r.apply(t, "vpc-1")
	ctx, cancel := context.WithTimeout(t.Context(), networkWait)
	defer cancel()
	pid := r.PID(t)
	if err := r.Network.Attach(ctx, "eni-2", pid); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("attach of what is not in the state: %v", err)
	}
	done := make(chan error, 1)
	go func() { done <- r.Network.Attach(t.Context(), "eni-2", pid) }()
	r.apply(t, "vpc-1", "vpc-2")
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if got := r.reaches(t, r.listen(t, "vpc-2"), pid); got != "10.0.1.10" {
		t.Errorf("seen as %q", got)
	}
}

func testDetach(t *testing.T, r NetworkRig) {
	r.apply(t, "vpc-1")
	pid := r.PID(t)
	for _, id := range []string{"eni-1", "eni-9"} {
		if err := r.Network.Detach(t.Context(), id); err != nil {
			t.Errorf("detach of %s, which is not there: %v", id, err)
		}
	}
	r.attach(t, "eni-1", pid)
	if err := r.Network.Detach(t.Context(), "eni-1"); err != nil {
		t.Fatal(err)
	}
	if got := r.reaches(t, r.listen(t, "vpc-1"), pid); got != "" {
		t.Errorf("it still has the interface: seen as %q", got)
	}
	r.attach(t, "eni-1", pid)
	if got := r.reaches(t, r.listen(t, "vpc-1"), pid); got != "10.0.1.10" {
		t.Errorf("attached again, seen as %q", got)
	}
}

func testListen(t *testing.T, r NetworkRig) {
	if _, err := r.Network.Listen("vpc-1", endpoint); err == nil {
		t.Error("listens in a VPC that is not here")
	}
	r.apply(t, "vpc-1", "vpc-2")
	l := r.listen(t, "vpc-1")
	if _, err := r.Network.Listen("vpc-1", endpoint); err == nil {
		t.Error("one port is opened twice")
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	l = r.listen(t, "vpc-1")
	done := make(chan error, 1)
	go func() { _, err := l.Accept(); done <- err }()
	r.apply(t, "vpc-2")
	if err := <-done; err == nil {
		t.Error("a port outlives its VPC")
	}
}

func testOneAddress(t *testing.T, r NetworkRig) {
	r.apply(t, "vpc-1", "vpc-2")
	one, two := r.PID(t), r.PID(t)
	r.attach(t, "eni-1", one)
	r.attach(t, "eni-2", two)
	l := r.listen(t, "vpc-2")
	if got := r.reaches(t, l, two); got != "10.0.1.10" {
		t.Errorf("seen as %q", got)
	}
	if got := r.reaches(t, l, one); got != "" {
		t.Error("a task reaches what listens in the other VPC")
	}
}

func testNetworkContext(t *testing.T, r NetworkRig) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := r.Network.Apply(ctx, networkState("vpc-1")); !errors.Is(err, context.Canceled) {
		t.Errorf("apply: %v", err)
	}
	r.apply(t, "vpc-1")
	if err := r.Network.Attach(ctx, "eni-2", r.PID(t)); !errors.Is(err, context.Canceled) {
		t.Errorf("attach: %v", err)
	}
}
