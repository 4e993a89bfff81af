package etcd

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"berth/internal/pki"
	"berth/internal/state"
)

const minute = time.Minute

// site makes members of one cluster on loopback ports.
type site struct {
	authority *pki.Authority
	ports     int
}

func newSite(t *testing.T) *site {
	t.Helper()
	a, err := pki.New()
	if err != nil {
		t.Fatal(err)
	}
	return &site{authority: a}
}

// member is the configuration of a new member.
func (s *site) member(t *testing.T, dir string) Config {
	t.Helper()
	s.ports++
	peer := freePort(t)
	cert, err := s.authority.Issue("127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	chain, key, err := pki.Files(cert)
	if err != nil {
		t.Fatal(err)
	}
	name := fmt.Sprintf("replica-%d", s.ports)
	c := Config{Dir: dir, Replica: name, Cluster: &Cluster{
		Name: name, Listen: peer, URL: "https://" + peer, Address: "http://" + freePort(t), CommonName: pki.Replica,
		CertFile: filepath.Join(dir, "peer.crt"), KeyFile: filepath.Join(dir, "peer.key"), CAFile: filepath.Join(dir, "ca.crt"),
	}}
	for file, b := range map[string][]byte{c.Cluster.CertFile: chain, c.Cluster.KeyFile: key, c.Cluster.CAFile: s.authority.PEM()} {
		if err := os.WriteFile(file, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

// join opens a new member of b's cluster.
func (s *site) join(t *testing.T, b *Backend) *Backend {
	t.Helper()
	c := s.member(t, t.TempDir())
	c.Quota = b.config.Quota
	patiently(t, func(ctx context.Context) (err error) {
		c.Cluster.Join, err = b.AddLearner(ctx, c.Cluster.URL)
		return err
	})
	return openTest(t, c)
}

// patiently does again what the cluster refuses: members that have just connected do not count as healthy for some seconds.
func patiently(t *testing.T, do func(context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), minute)
	defer cancel()
	for {
		err := do(ctx)
		if err == nil {
			return
		}
		if !errors.Is(err, ErrBusy) {
			t.Fatal(err)
		}
		pause(ctx, 250*time.Millisecond)
	}
}

func remove(t *testing.T, b *Backend, id uint64) {
	t.Helper()
	patiently(t, func(ctx context.Context) error { return b.RemoveMember(ctx, id) })
}

func members(t *testing.T, b *Backend) []Member {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), minute)
	defer cancel()
	list, err := b.Members(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// until waits for something that comes by itself.
func until(t *testing.T, what string, is func() bool) {
	t.Helper()
	for began := time.Now(); !is(); time.Sleep(10 * time.Millisecond) {
		if time.Since(began) > minute {
			t.Fatalf("not within a minute: %s", what)
		}
	}
}

// leads runs a campaign to its end.
func leads(t *testing.T, b *Backend) <-chan *Term {
	won := make(chan *Term, 1)
	ctx, cancel := context.WithCancel(t.Context())
	var campaign sync.WaitGroup
	campaign.Go(func() {
		for ctx.Err() == nil {
			if term, err := b.Campaign(ctx, b.config.Cluster.Address); err == nil {
				won <- term.(*Term)
				return
			}
		}
	})
	t.Cleanup(func() { cancel(); campaign.Wait() })
	return won
}

// TestCluster is the life of a cluster: one member alone becomes the first of three, members learn, vote, restart and are removed.
func TestCluster(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	dir := t.TempDir()
	alone, err := Open(t.Context(), Config{Dir: dir, Log: testLog(t)})
	if err != nil {
		t.Fatal(err)
	}
	commit(t, lead(t, alone), 1, put("before", 10))
	closeTest(t, alone)

	first := s.member(t, dir)
	first.Log = testLog(t)
	a := openTest(t, first)
	if got := members(t, a); len(got) != 1 || got[0].PeerURL != first.Cluster.URL || got[0].Address != first.Cluster.Address || !got[0].Self {
		t.Errorf("the first member: %+v", got)
	}
	b, c := s.join(t, a), s.join(t, a)
	list := members(t, c)
	if len(list) != 3 {
		t.Fatalf("members: %+v", list)
	}
	for _, m := range list {
		if m.Learner || m.Name == "" || m.Address == "" {
			t.Errorf("member %+v", m)
		}
	}
	if _, err := a.AddLearner(t.Context(), list[0].PeerURL); err == nil || errors.Is(err, ErrBusy) {
		t.Errorf("a second member at the same peer URL: %v", err)
	}

	term := lead(t, a)
	commit(t, term, 2, put("k", 10))
	for _, x := range []*Backend{a, b, c} {
		if names, m := keys(t, x); len(names) != 2 || m.N != 2 {
			t.Errorf("%s has %v as of %d", x.config.Replica, names, m.N)
		}
	}
	until(t, "all know the leader", func() bool {
		l, _ := c.Seen()
		return l.Address == "here" && l.Replica == first.Replica
	})

	closeTest(t, b)
	commit(t, term, 3, put("while b is down", 10))
	again := b.config
	again.Cluster.Join = nil // a restart knows it from the data
	b = openTest(t, again)
	if _, m := keys(t, b); m.N != 3 {
		t.Errorf("after its restart b has commit %d", m.N)
	}

	removed := c.config
	var id uint64
	for _, m := range members(t, c) {
		if m.Self {
			id = m.ID
		}
	}
	remove(t, a, id)
	select {
	case <-c.Ended():
	case <-time.After(minute):
		t.Fatal("a removed member goes on")
	}
	if !errors.Is(c.Err(), ErrRemoved) {
		t.Errorf("a removed member ended with %v", c.Err())
	}
	closeTest(t, c)
	removed.Cluster.Join = nil
	if x, err := Open(t.Context(), removed); !errors.Is(err, ErrRemoved) {
		if err == nil {
			closeTest(t, x)
		}
		t.Errorf("a removed member started again: %v", err)
	}
	if got := members(t, a); len(got) != 2 {
		t.Errorf("members after the removal: %+v", got)
	}
	commit(t, term, 4, put("two are left", 10))
}

// TestJoinBeforeTheOthersKnow: a new member starts before those that it asks have heard of it, and becomes a member when they have.
func TestJoinBeforeTheOthersKnow(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	a := openTest(t, s.member(t, t.TempDir()))
	c := s.member(t, t.TempDir())
	c.Log = testLog(t)
	c.Cluster.Join = append(members(t, a), Member{PeerURL: c.Cluster.URL})
	type opened struct {
		*Backend
		error
	}
	done := make(chan opened, 1)
	go func() {
		b, err := Open(t.Context(), c)
		done <- opened{b, err}
	}()
	until(t, "it has asked", func() bool {
		_, err := os.Stat(filepath.Join(c.Dir, etcdDir))
		return err == nil
	})
	pause(t.Context(), time.Second)
	select {
	case b := <-done:
		t.Fatalf("it has not waited: %v", b.error)
	default:
	}
	patiently(t, func(ctx context.Context) error {
		_, err := a.AddLearner(ctx, c.Cluster.URL)
		return err
	})
	b := <-done
	if b.error != nil {
		t.Fatal(b.error)
	}
	closeTest(t, b.Backend)
}

// TestRemovedWhileDown: a member that did not see its own removal learns of it from the others when it starts.
func TestRemovedWhileDown(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	a := openTest(t, s.member(t, t.TempDir()))
	b := s.join(t, a)
	c := s.join(t, a)
	var id uint64
	for _, m := range members(t, b) {
		if m.Self {
			id = m.ID
		}
	}
	closeTest(t, b)
	remove(t, c, id)
	ctx, cancel := context.WithTimeout(t.Context(), minute)
	defer cancel()
	b.config.Cluster.Join = nil
	if x, err := Open(ctx, b.config); !errors.Is(err, ErrRemoved) {
		if err == nil {
			closeTest(t, x)
		}
		t.Errorf("started with %v", err)
	}
}

// TestStrangerIsNoMember: without a certificate of the authority nobody gets through the peer port.
func TestStrangerIsNoMember(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	a := openTest(t, s.member(t, t.TempDir()))
	foreign := newSite(t).member(t, t.TempDir())
	list, err := a.AddLearner(t.Context(), foreign.Cluster.URL)
	if err != nil {
		t.Fatal(err)
	}
	foreign.Cluster.Join, foreign.Log = list, testLog(t)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if x, err := Open(ctx, foreign); err == nil {
		closeTest(t, x)
		t.Error("a member of another authority has joined")
	}
}

// TestSuccession: the leader's process ends without a word, and another member leads long before the lease is over; the others' etcd leader
// goes first.
func TestSuccession(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	a := openTest(t, s.member(t, t.TempDir()))
	b, c := s.join(t, a), s.join(t, a)
	address, hang := process(t)
	a.config.Cluster.Address = address
	term := <-leads(t, a)
	commit(t, term, 1, put("k", 1))
	next := leads(t, b)
	other := leads(t, c)
	for _, x := range []*Backend{b, c} {
		until(t, "it sees the leader", func() bool { l, _ := x.Seen(); return l.Address == address })
	}
	hang.wait(t, 2)

	began := time.Now()
	hang.end()
	var won *Term
	select {
	case won = <-next:
	case won = <-other:
	case <-time.After(minute):
		t.Fatal("nobody leads")
	}
	t.Logf("the next leader after %v", time.Since(began))
	if err := term.Commit(t.Context(), 2, []state.Write{put("late", 1)}); !errors.Is(err, state.ErrRefused) {
		t.Errorf("the one before commits: %v", err)
	}
	commit(t, won, 2, put("k", 2))
}

// TestClusterMakesRoom writes more than the quota, nearly all of it overwritten, to three members: each makes room in its own database, and
// no commit is lost.
func TestClusterMakesRoom(t *testing.T) {
	t.Parallel()
	const quota = 24 << 20
	s := newSite(t)
	c := s.member(t, t.TempDir())
	c.Quota = quota
	a := openTest(t, c)
	b := s.join(t, a)
	other := s.join(t, a)
	term := lead(t, a)
	n := uint64(0)
	for sent := 0; sent < 2*quota; {
		var batch []state.Write
		for i := range 100 {
			batch = append(batch, put(fmt.Sprint(i), 8<<10))
		}
		err := term.Commit(t.Context(), n+1, batch)
		switch {
		case err == nil:
			n++
			sent += 800 << 10
		case errors.Is(err, state.ErrNoSpace): // the other members are still at it
			forgetRoom(a)
			pause(t.Context(), 100*time.Millisecond)
		case errors.Is(err, state.ErrRefused) || errors.Is(err, state.ErrUnknown): // defragmenting took longer than the lease
			if err := term.Resign(t.Context()); err != nil {
				t.Log(err) // the lease ends by itself
			}
			until(t, "it leads again", func() bool {
				forgetRoom(a)
				next, err := a.Campaign(t.Context(), "here")
				if err == nil {
					term = next.(*Term)
				}
				return err == nil
			})
			_, m := keys(t, a)
			if m.N < n {
				t.Fatalf("commit %d was acknowledged, and the newest is %d", n, m.N)
			}
			n = m.N
		default:
			t.Fatalf("commit %d: %v", n+1, err)
		}
	}
	for _, x := range []*Backend{a, b, other} {
		if names, m := keys(t, x); len(names) != 100 || m.N != n {
			t.Errorf("%s has %d records as of %d, want 100 as of %d", x.config.Replica, len(names), m.N, n)
		}
	}
}

// forgetRoom lets a replica make room again at once.
func forgetRoom(b *Backend) {
	b.room.mu.Lock()
	defer b.room.mu.Unlock()
	b.room.last = time.Time{}
}

// fakeProcess is what is left of a replica's process for the others to see: a listener and its connections.
type fakeProcess struct {
	listener net.Listener
	mu       sync.Mutex
	conns    []net.Conn
}

func process(t *testing.T) (string, *fakeProcess) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &fakeProcess{listener: l}
	var accept sync.WaitGroup
	accept.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			p.mu.Lock()
			p.conns = append(p.conns, c)
			p.mu.Unlock()
		}
	})
	t.Cleanup(func() { p.end(); accept.Wait() })
	return "http://" + l.Addr().String(), p
}

func (p *fakeProcess) wait(t *testing.T, n int) {
	until(t, "the others hold connections", func() bool {
		p.mu.Lock()
		defer p.mu.Unlock()
		return len(p.conns) >= n
	})
}

func (p *fakeProcess) end() {
	p.listener.Close()
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.conns {
		c.Close()
	}
	p.conns = nil
}
