package faults

import (
	"testing"
	"time"

	"berth/e2e/site"
	"berth/internal/simulate"
)

// TestClocks sets the replicas' clocks forward and back under clients and agents, as an operator or NTP may do it at any moment. Only their
// clocks on the wall jump, in berths that were built so; so far that callers' signatures still count. No leader changes because of it, and no
// machine's absence seems longer than it is.
func TestClocks(t *testing.T) {
	if site.Soak() == 0 {
		t.Skip("builds the Go library anew, which takes minutes: runs with -soak")
	}
	t.Parallel()
	program := site.BuildWithClock(t)
	var clocks []*site.Clock
	s := site.OpenWith(t, 3, site.NewNetwork(t, 3), func(r *site.Replica) {
		c := site.NewClock(t)
		clocks = append(clocks, c)
		r.Program, r.Env, r.Flags = program, []string{c.Env()}, []string{"--instance-lost-after", "2m"}
	})
	const jump = 4 * time.Minute
	endure(s, 1, []fault{
		{"the leader's clock jumps ahead", func(s *site.Site) { jumps(s, clocks, s.Leader(), jump) }},
		{"the leader's clock jumps back", func(s *site.Site) { jumps(s, clocks, s.Leader(), -jump) }},
		{"a follower's clock jumps ahead", func(s *site.Site) { jumps(s, clocks, s.Without(s.Leader())[0], jump) }},
		{"the leader is killed and the next one's clock is ahead", func(s *site.Site) {
			leader := s.Leader()
			for _, r := range s.Without(leader) {
				clocks[r.Machine-1].Set(jump)
			}
			leaderKilled(s)
			s.WaitReady()
			reset(clocks)
		}},
		{"the leader's clock jumps ahead while machines are away", func(s *site.Site) { jumpWhileAway(s, clocks, jump) }},
	})
}

// jumps sets a clock and, after a while, right again. The leader stays who it is.
func jumps(s *site.Site, clocks []*site.Clock, r *site.Replica, by time.Duration) {
	leader, terms := s.Leader(), s.Terms()
	clocks[r.Machine-1].Set(by)
	goOn(s, s.Members)
	time.Sleep(2 * apart)
	clocks[r.Machine-1].Set(0)
	goOn(s, s.Members)
	if now := s.Leader(); now != leader || s.Terms() != terms {
		s.T.Errorf("%v led, and %v leads, after %d terms more", leader, now, s.Terms()-terms)
	}
}

func reset(clocks []*site.Clock) {
	for _, c := range clocks {
		c.Set(0)
	}
}

// jumpWhileAway: machines that lost their replica for some seconds are not taken for lost for minutes. Those that are tested by it have nothing
// to do, but a machine that is deregistered does not come back.
func jumpWhileAway(s *site.Site, clocks []*site.Clock, jump time.Duration) {
	leader := s.Leader()
	through := s.Without(leader)[0]
	fleet := through.StartFleet(3, simulate.Config{CPUUnits: 1, MemoryMiB: 1})
	before := fleet.Manifests.Load()
	through.Kill()
	time.Sleep(apart) // the leader notes that they are away
	clocks[leader.Machine-1].Set(jump)
	time.Sleep(3 * apart)
	through.Start()
	through.WaitReady()
	clocks[leader.Machine-1].Set(0)
	s.WaitSessions(fleet, before)
}
