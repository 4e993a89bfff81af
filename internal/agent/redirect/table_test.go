package redirect

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/nftables"
)

// The tests run in a network of their own: the test starts itself again in it. A container is this program once more, in a network of its own, that
// asks for what it reads and prints the answer.
const role = "BERTH_REDIRECT_ROLE"

func TestMain(m *testing.M) {
	if os.Getenv(role) == "container" {
		asks()
		return
	}
	os.Exit(m.Run())
}

// inItsOwnNetwork runs a test again in a new network namespace; there it returns.
func inItsOwnNetwork(t *testing.T) {
	if os.Getenv(role) == "machine" {
		ip(t, "link set lo up")
		return
	}
	if os.Getuid() != 0 {
		t.Skip("only root has networks of its own")
	}
	c := exec.Command(os.Args[0], "-test.run", "^"+t.Name()+"$", "-test.v")
	c.Env = append(os.Environ(), role+"=machine")
	c.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET, Pdeathsig: syscall.SIGKILL}
	out, err := c.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS: "+t.Name()) {
		t.Fatalf("%v\n%s", err, out)
	}
	t.SkipNow()
}

func ip(t *testing.T, args string) {
	t.Helper()
	if out, err := exec.Command("ip", strings.Fields(args)...).CombinedOutput(); err != nil {
		t.Fatalf("ip %s: %v %s", args, err, out)
	}
}

func asks() {
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		if args, ok := strings.CutPrefix(lines.Text(), "ip "); ok {
			out, err := exec.Command("ip", strings.Fields(args)...).CombinedOutput()
			fmt.Printf("%s%v\n", strings.ReplaceAll(string(out), "\n", " "), err)
			continue
		}
		fmt.Println(ask(lines.Text()))
	}
}

// ask is what the address answers.
func ask(url string) string {
	client := http.Client{Timeout: time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	r, err := client.Get(url)
	if err != nil {
		return "no answer"
	}
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		return "no answer"
	}
	return string(b)
}

// container is a process in a network of its own, behind a bridge of the machine's.
type container struct {
	t   *testing.T
	in  io.Writer
	out *bufio.Scanner
}

// newContainer starts one at 10.N.0.2, behind the bridge with address 10.N.0.1.
func newContainer(t *testing.T, n int) *container {
	t.Helper()
	bridge := fmt.Sprintf("bridge%d", n)
	ip(t, "link add "+bridge+" type bridge")
	ip(t, fmt.Sprintf("address add 10.%d.0.1/24 dev %s", n, bridge))
	ip(t, "link set "+bridge+" up")
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), role+"=container")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET, Pdeathsig: syscall.SIGKILL}
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { in.Close(); cmd.Wait() }) //nolint:errcheck // it ends with its input
	ip(t, fmt.Sprintf("link add port%d type veth peer name eth0 netns %d", n, cmd.Process.Pid))
	ip(t, fmt.Sprintf("link set port%d master %s up", n, bridge))
	c := &container{t, in, bufio.NewScanner(out)}
	for _, line := range []string{"ip link set lo up", fmt.Sprintf("ip address add 10.%d.0.2/24 dev eth0", n), "ip link set eth0 up",
		fmt.Sprintf("ip route add default via 10.%d.0.1", n)} {
		if got := c.ask(line); got != "<nil>" {
			t.Fatalf("%s: %s", line, got)
		}
	}
	return c
}

func (c *container) ask(url string) string {
	c.t.Helper()
	fmt.Fprintln(c.in, url)
	if !c.out.Scan() {
		c.t.Fatal("the container has ended")
	}
	return c.out.Text()
}

// agentAt answers with a name on the loopback and on a bridge's address.
func agentAt(t *testing.T, name string, bridge string) (host, onBridge netip.AddrPort) {
	t.Helper()
	host, _ = listening(t, name, "127.0.0.1:0", nil)
	onBridge, _ = listening(t, name, bridge+":0", nil)
	return host, onBridge
}

// listening answers with a name until it is killed, or the test ends. connected is told of its connections.
func listening(t *testing.T, name, at string, connected func(net.Conn, http.ConnState)) (is netip.AddrPort, kill func() error) {
	t.Helper()
	l, err := net.Listen("tcp4", at)
	if err != nil {
		t.Fatal(err)
	}
	s := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, name) }), ConnState: connected} //nolint:errcheck,gosec // a test
	go s.Serve(l)                                                                                                                                //nolint:errcheck // until it is closed
	t.Cleanup(func() { s.Close() })
	return l.Addr().(*net.TCPAddr).AddrPort(), s.Close
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

const endpoint = "http://169.254.170.2/"

// eventually waits until f gives what is wanted.
func eventually(t *testing.T, what, want string, f func() string) {
	t.Helper()
	got := ""
	for range 100 {
		if got = f(); got == want {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Errorf("%s: %q, want %q", what, got, want)
}

// keep keeps a table until the returned function is called.
func keep(t *testing.T, table *Table) (stop func()) {
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { table.Keep(ctx); close(ended) }()
	return func() { cancel(); <-ended }
}

// TestRedirect: containers on the bridge and those on the machine's network reach an agent that lives, whatever becomes of the others, and nothing
// else of the machine is touched.
func TestRedirect(t *testing.T) {
	inItsOwnNetwork(t)
	inside, stranger := newContainer(t, 91), newContainer(t, 92)
	ip(t, "route add default via 10.91.0.2")
	host := func() string { return ask(endpoint) }
	from := func() string { return inside.ask(endpoint) }

	first, firstBridge := agentAt(t, "first", "10.91.0.1")
	second, secondBridge := agentAt(t, "second", "10.91.0.1")
	a, b := New("a", quiet()), New("b", quiet())
	for _, table := range []*Table{a, b} {
		table.lease, table.renewal = time.Second, 200*time.Millisecond
	}
	for range 2 { // again is the same
		if err := a.Open(first, firstBridge, netip.AddrPort{}); err != nil {
			t.Fatal(err)
		}
	}
	stopA := keep(t, a)
	if err := b.Open(second, secondBridge, netip.AddrPort{}); err != nil {
		t.Fatal(err)
	}
	stopB := keep(t, b)
	eventually(t, "host", "second", host) // the last one that was made
	eventually(t, "bridge", "second", from)
	if got := fmt.Sprint(a.Peers(t.Context()), b.Peers(t.Context())); got != fmt.Sprint([]netip.AddrPort{second}, []netip.AddrPort{first}) {
		t.Errorf("they know of each other %s", got)
	}

	for _, url := range []string{"http://169.254.170.2:81/", "http://169.254.170.3/", "http://10.91.0.1/"} {
		if got := inside.ask(url); got != "no answer" {
			t.Errorf("%s answers %s", url, got)
		}
	}
	if got := stranger.ask(endpoint); got != "no answer" {
		t.Errorf("a container on another bridge is answered %s", got)
	}
	l, err := net.Listen("tcp", ":80")
	if err != nil {
		t.Fatalf("port 80 of the machine is not free: %v", err)
	}
	l.Close()

	stopB()
	eventually(t, "host, when the second has ended", "first", host)
	eventually(t, "bridge, when the second has ended", "first", from)
	if err := b.Open(second, secondBridge, netip.AddrPort{}); err != nil { // and is killed: nobody renews it
		t.Fatal(err)
	}
	eventually(t, "host, when the second is back", "second", host)
	eventually(t, "host, when the second was killed", "first", host)
	eventually(t, "bridge, when the second was killed", "first", from)
	time.Sleep(fresh)
	if got := a.Peers(t.Context()); len(got) != 0 {
		t.Errorf("one that was killed is known at %v", got)
	}
	stopA()
	eventually(t, "host, when both have ended", "no answer", host)
	if err := a.Open(first, firstBridge, netip.AddrPort{}); err != nil {
		t.Fatal(err)
	}
	if tables, err := new(nftables.Conn).ListTables(); err != nil || len(tables) != 1 {
		t.Errorf("a table of one that was killed is left: %v, %v", tables, err)
	}
}

// TestTableIsRemoved: one that somebody removes is made again, and one that its own installation removes is gone.
func TestTableIsRemoved(t *testing.T) {
	inItsOwnNetwork(t)
	newContainer(t, 91)
	ip(t, "route add default via 10.91.0.2")
	host, bridge := agentAt(t, "agent", "10.91.0.1")
	a := New("a", quiet())
	a.renewal = 100 * time.Millisecond
	if err := a.Open(host, bridge, netip.AddrPort{}); err != nil {
		t.Fatal(err)
	}
	stop := keep(t, a)
	if err := Remove("a"); err != nil {
		t.Fatal(err)
	}
	eventually(t, "made again", "agent", func() string { return ask(endpoint) })
	stop()
	for range 2 {
		if err := Remove("a"); err != nil {
			t.Fatal(err)
		}
	}
	tables, err := new(nftables.Conn).ListTables()
	if err != nil || len(tables) != 0 {
		t.Errorf("left are %v, %v", tables, err)
	}
}

// TestNoBridge: without a bridge the machine's own network has its redirection, and with one of another machine there is an error and no table.
func TestNoBridge(t *testing.T) {
	inItsOwnNetwork(t)
	newContainer(t, 91)
	ip(t, "route add default via 10.91.0.2")
	host, _ := agentAt(t, "agent", "10.91.0.1")
	a := New("a", quiet())
	if err := a.Open(host, netip.MustParseAddrPort("192.0.2.1:80"), netip.AddrPort{}); err == nil || err.Error() != "no interface has the address 192.0.2.1" {
		t.Errorf("%v", err)
	}
	if got := ask(endpoint); got != "no answer" {
		t.Errorf("%s answers", got)
	}
	if err := a.Open(host, netip.AddrPort{}, netip.AddrPort{}); err != nil {
		t.Fatal(err)
	}
	if got := ask(endpoint); got != "agent" {
		t.Errorf("%s answers", got)
	}
}

// TestMetadata: containers on the bridge reach the agent's instance metadata, and nobody else does. Each agent knows of the others where theirs is, and the key
// by which they let it ask.
func TestMetadata(t *testing.T) {
	inItsOwnNetwork(t)
	inside, stranger := newContainer(t, 91), newContainer(t, 92)
	ip(t, "route add default via 10.91.0.2")
	const metadata = "http://169.254.169.254/"
	host, bridge := agentAt(t, "endpoints", "10.91.0.1")
	_, first := agentAt(t, "first", "10.91.0.1")
	_, second := agentAt(t, "second", "10.91.0.1")
	a, b := New("a", quiet()), New("b", quiet())
	for _, table := range []*Table{a, b} {
		table.lease, table.renewal = time.Second, 200*time.Millisecond
	}
	if err := a.Open(host, bridge, first); err != nil {
		t.Fatal(err)
	}
	defer keep(t, a)()
	from := func() string { return inside.ask(metadata) }
	eventually(t, "from the bridge", "first", from)
	if err := b.Open(host, bridge, second); err != nil {
		t.Fatal(err)
	}
	eventually(t, "from the bridge, by the table that was made last", "second", from)
	want := []Peer{{Installation: "b", Host: host, Metadata: second, Key: b.Key()}}
	if got := a.MetadataPeers(); fmt.Sprint(got) != fmt.Sprint(want) || len(b.Key()) < 20 || a.Key() == b.Key() {
		t.Errorf("known are %v, want %v", got, want)
	}
	if got := inside.ask(endpoint); got != "endpoints" {
		t.Errorf("the task endpoints are %s", got)
	}
	for who, got := range map[string]string{"the machine": ask(metadata), "another bridge": stranger.ask(metadata), "port 81": inside.ask("http://169.254.169.254:81/")} {
		if got != "no answer" {
			t.Errorf("%s reaches %s", who, got)
		}
	}
	eventually(t, "when the second was killed", "first", from)
	if err := a.Open(host, bridge, netip.AddrPort{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "without instance metadata", "no answer", from)
}

// TestKilledNeighbour: the table of an agent that was killed goes long before its lease, and that of one that has started again meanwhile stays.
func TestKilledNeighbour(t *testing.T) {
	inItsOwnNetwork(t)
	newContainer(t, 91)
	ip(t, "route add default via 10.91.0.2")
	first, firstBridge := agentAt(t, "first", "10.91.0.1")
	a, b := New("a", quiet()), New("b", quiet())
	a.renewal, a.lease, b.lease = 50*time.Millisecond, time.Hour, time.Hour
	if err := a.Open(first, firstBridge, netip.AddrPort{}); err != nil {
		t.Fatal(err)
	}
	defer keep(t, a)()
	for _, watched := range []bool{false, true} { // the first has not been seen yet by the other when it is killed
		seen := make(chan struct{}, 100)
		at, kill := listening(t, "second", "127.0.0.1:0", func(_ net.Conn, s http.ConnState) {
			if s == http.StateNew {
				seen <- struct{}{}
			}
		})
		if err := b.Open(at, netip.AddrPort{}, netip.AddrPort{}); err != nil {
			t.Fatal(err)
		}
		if watched {
			select {
			case <-seen:
			case <-time.After(10 * time.Second):
				t.Fatal("the second is not watched")
			}
			if got := ask(endpoint); got != "second" {
				t.Errorf("%s answers while the second lives", got)
			}
		}
		kill() //nolint:errcheck // it ends as it can
		eventually(t, "when the second was killed", "first", func() string { return ask(endpoint) })
	}

	second, secondBridge := agentAt(t, "second", "10.91.0.1")
	if err := b.Open(second, secondBridge, netip.AddrPort{}); err != nil {
		t.Fatal(err)
	}
	old := Peer{Installation: "b", Host: netip.MustParseAddrPort("127.0.0.1:1")}
	if err := (&neighbours{table: a}).remove(old); err != nil {
		t.Fatal(err)
	}
	if got := ask(endpoint); got != "second" {
		t.Errorf("%s answers when the second has started again", got)
	}
}
