package faults

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"syscall"
	"testing"
	"time"
)

// TestFaults is a cluster of three that suffers one fault after another under clients and agents, whose history is checked at the end.
func TestFaults(t *testing.T) {
	t.Parallel()
	s := open(t, 3)
	c := s.startCrowd()
	for i, size := range []int{4, 3, 3} { // a third of the instances at each replica
		s.members[i].startFleet(size, c.taken)
	}
	definition := s.define()
	before := s.serve(definition, 20)
	c.work(definition)
	faults := []struct {
		name   string
		suffer func(*site)
	}{
		{"the leader is cut off", (*site).leaderCutOff},
		{"a follower is cut off", (*site).followerCutOff},
		{"the leader hears and is not heard", (*site).leaderUnheard},
		{"a follower is heard and does not hear the leader", (*site).followerDeaf},
		{"the leader stands still", (*site).leaderPaused},
		{"the leader is killed", (*site).leaderKilled},
		{"all are killed", (*site).allKilled},
	}
	began := time.Now()
	for n := 0; n < len(faults) || time.Since(began) < *soak; n++ {
		f := faults[n%len(faults)]
		if n >= len(faults) {
			f = faults[rand.IntN(len(faults))]
		}
		at := time.Now()
		f.suffer(s)
		for _, r := range s.members {
			r.waitReady()
		}
		t.Logf("%s: over after %v", f.name, time.Since(at).Round(time.Millisecond))
		if t.Failed() {
			break
		}
	}
	c.finish()
	if after := s.served(20); !slices.Equal(before, after) {
		t.Errorf("the service's tasks were\n%v\nand are\n%v\nthough none has ended", before, after)
	}
}

func machines(members []*replica) (out []int) {
	for _, r := range members {
		out = append(out, r.machine)
	}
	return out
}

// apart is how long a fault lasts at least after the others go on.
const apart = time.Second

// goOn waits until the replicas have a leader among themselves, and each takes writes; and a while longer.
func (s *site) goOn(among []*replica) {
	s.t.Helper()
	began := time.Now()
	leader := s.leader(among...)
	s.t.Logf("%v leads after %v", leader, time.Since(began).Round(time.Millisecond))
	for _, r := range among {
		r.writable()
	}
	s.t.Logf("both write after %v", time.Since(began).Round(time.Millisecond))
	time.Sleep(apart)
}

// unready waits until a replica says itself that it is of no use.
func (r *replica) unready() {
	r.t.Helper()
	eventually(r.t, fmt.Sprintf("%v says that it is cut off", r), func() error {
		if text, err := r.readiness(); err == nil {
			return fmt.Errorf("it says %s", text)
		}
		return nil
	})
}

func (s *site) leaderCutOff() {
	leader := s.leader()
	rest := s.without(leader)
	s.network.cut(s.t, leader.machine, machines(rest)...)
	s.goOn(rest)
	leader.unready()
	s.network.heal(s.t, machines(s.members)...)
}

func (s *site) followerCutOff() {
	follower := s.without(s.leader())[0]
	rest := s.without(follower)
	s.network.cut(s.t, follower.machine, machines(rest)...)
	s.goOn(rest)
	follower.unready()
	s.network.heal(s.t, machines(s.members)...)
}

func (s *site) leaderUnheard() {
	leader := s.leader()
	rest := s.without(leader)
	for _, r := range rest {
		s.network.drop(s.t, leader.machine, r.machine)
	}
	s.goOn(rest)
	s.network.heal(s.t, machines(s.members)...)
}

// followerDeaf may change the leader or not; whoever leads, writes go on through the third, which hears and is heard.
func (s *site) followerDeaf() {
	leader := s.leader()
	rest := s.without(leader)
	s.network.drop(s.t, leader.machine, rest[0].machine)
	time.Sleep(2 * apart)
	rest[1].writable()
	s.network.heal(s.t, machines(s.members)...)
}

func (s *site) leaderPaused() {
	leader := s.leader()
	leader.signal(syscall.SIGSTOP)
	s.goOn(s.without(leader))
	leader.signal(syscall.SIGCONT)
}

func (s *site) leaderKilled() {
	leader := s.leader()
	leader.kill()
	s.goOn(s.without(leader))
	leader.start()
}

func (s *site) allKilled() {
	for _, r := range s.members {
		r.signal(syscall.SIGKILL)
	}
	for _, r := range s.members {
		<-r.ended
		r.start()
	}
}
