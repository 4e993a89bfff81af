package faults

import (
	"math/rand/v2"
	"slices"
	"syscall"
	"testing"
	"time"

	"berth/e2e/site"
)

// fault is something that an installation suffers, and is over when it returns.
type fault struct {
	name   string
	suffer func(*site.Site)
}

// TestFaults is a cluster of three that suffers one fault after another under clients and agents, whose history is checked at the end.
func TestFaults(t *testing.T) {
	t.Parallel()
	s := site.Open(t, 3, site.NewNetwork(t, 3))
	endure(s, 3, []fault{
		{"the leader is cut off", leaderCutOff},
		{"a follower is cut off", followerCutOff},
		{"the leader hears and is not heard", leaderUnheard},
		{"a follower is heard and does not hear the leader", followerDeaf},
		{"the leader stands still", leaderPaused},
		{"the leader is killed", leaderKilled},
		{"all are killed", allKilled},
	})
}

// calm is for how long after a fault the leader must not change a second time. The short form of the tests looks only until the next fault.
const calm = 30 * time.Second

// endure lets an installation suffer each of the faults, and then others of them as long as the soak lasts, under clients, so many readers at
// each replica, and agents. None of the agents' tasks may end of it, and no fault may change the leader twice.
func endure(s *site.Site, readers int, faults []fault) {
	t := s.T
	c := startCrowd(s)
	for i, size := range []int{4, 3, 3} { // a third of the instances at each replica
		startFleet(s.Members[i], size, c.taken)
	}
	definition := define(s)
	before := serve(s, definition, 20)
	c.work(definition, readers)
	began := time.Now()
	for n := 0; n < len(faults) || time.Since(began) < site.Soak(); n++ {
		f := faults[n%len(faults)]
		if n >= len(faults) {
			f = faults[rand.IntN(len(faults))]
		}
		at, terms := time.Now(), s.Terms()
		f.suffer(s)
		s.WaitReady()
		t.Logf("%s: over after %v", f.name, time.Since(at).Round(time.Millisecond))
		if site.Soak() > 0 {
			time.Sleep(calm - time.Since(at))
		}
		if changes := s.Terms() - terms; changes > 1 {
			t.Errorf("%s: the leader changed %d times within %v", f.name, changes, time.Since(at).Round(time.Millisecond))
		}
		if t.Failed() {
			break
		}
	}
	c.finish()
	if after := served(s, 20); !slices.Equal(before, after) {
		t.Errorf("the service's tasks were\n%v\nand are\n%v\nthough none has ended", before, after)
	}
}

func machines(members []*site.Replica) (out []int) {
	for _, r := range members {
		out = append(out, r.Machine)
	}
	return out
}

// apart is how long a fault lasts at least after the others go on.
const apart = time.Second

// goOn waits until the replicas have a leader among themselves, and each takes writes; and a while longer.
func goOn(s *site.Site, among []*site.Replica) {
	s.T.Helper()
	began := time.Now()
	leader := s.Leader(among...)
	s.T.Logf("%v leads after %v", leader, time.Since(began).Round(time.Millisecond))
	for _, r := range among {
		r.WaitWritable()
	}
	s.T.Logf("all write after %v", time.Since(began).Round(time.Millisecond))
	time.Sleep(apart)
}

func leaderCutOff(s *site.Site) { cutOff(s, s.Leader()) }

func followerCutOff(s *site.Site) { cutOff(s, s.Without(s.Leader())[0]) }

func cutOff(s *site.Site, r *site.Replica) {
	rest := s.Without(r)
	s.Network.Cut(r.Machine, machines(rest)...)
	goOn(s, rest)
	r.WaitUnready()
	s.Network.Heal()
}

func leaderUnheard(s *site.Site) {
	leader := s.Leader()
	rest := s.Without(leader)
	for _, r := range rest {
		s.Network.Drop(leader.Machine, r.Machine)
	}
	goOn(s, rest)
	s.Network.Heal()
}

// followerDeaf may change the leader or not; whoever leads, writes go on through the third, which hears and is heard.
func followerDeaf(s *site.Site) {
	leader := s.Leader()
	rest := s.Without(leader)
	s.Network.Drop(leader.Machine, rest[0].Machine)
	time.Sleep(2 * apart)
	rest[1].WaitWritable()
	s.Network.Heal()
}

func leaderPaused(s *site.Site) {
	leader := s.Leader()
	leader.Signal(syscall.SIGSTOP)
	goOn(s, s.Without(leader))
	leader.Signal(syscall.SIGCONT)
}

func leaderKilled(s *site.Site) {
	leader := s.Leader()
	leader.Kill()
	goOn(s, s.Without(leader))
	leader.Start()
}

func allKilled(s *site.Site) {
	for _, r := range s.Members {
		r.Signal(syscall.SIGKILL)
	}
	for _, r := range s.Members {
		<-r.Ended()
		r.Start()
	}
}
