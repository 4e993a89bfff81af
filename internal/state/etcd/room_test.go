package etcd

import (
	"sync/atomic"
	"testing"
)

// TestMemberWithoutRoom: a leader whose disk gets full gives way to a member that has room, and leads again only where nobody else does.
func TestMemberWithoutRoom(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	var full atomic.Bool
	c := s.member(t, t.TempDir())
	c.free = func(string) (uint64, error) {
		if full.Load() {
			return criticalBelow - 1, nil
		}
		return 1 << 40, nil
	}
	first := openTest(t, c)
	second := s.join(t, first)
	third := s.join(t, second)
	term := <-leads(t, first)
	others := []<-chan *Term{leads(t, second), leads(t, third)}

	full.Store(true)
	<-term.Done()
	again := leads(t, first)
	var next *Term
	select {
	case next = <-others[0]:
	case next = <-others[1]:
	case <-again:
		t.Fatal("the member without room leads again")
	}
	until(t, "etcd is led elsewhere", func() bool {
		own := first.server.etcd.Server
		return own.Leader() != 0 && own.Leader() != own.MemberID()
	})
	if err := next.Resign(t.Context()); err != nil { // nobody else campaigns from here on but the third
		t.Fatal(err)
	}
	var last *Term
	select {
	case last = <-others[0]:
	case last = <-others[1]:
	case <-again:
		t.Fatal("the member without room leads before the third")
	}
	if err := last.Resign(t.Context()); err != nil {
		t.Fatal(err)
	}
	<-again // there is no other
}
