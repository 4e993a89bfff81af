package replicas

import (
	"strings"
	"syscall"
	"testing"
	"time"

	"berth/e2e/site"
	"berth/internal/simulate"
)

// fault is what happens to a leader.
type fault struct {
	name string
	do   func(*site.Replica)
	undo func(*site.Replica) // the replica is there again
}

func faults() []fault {
	return []fault{
		{"kill -9", (*site.Replica).Kill, func(r *site.Replica) { r.Start() }},
		{"SIGSTOP", func(r *site.Replica) { r.Signal(syscall.SIGSTOP) }, func(r *site.Replica) { r.Signal(syscall.SIGCONT) }},
		{"drain", func(r *site.Replica) { r.Signal(syscall.SIGTERM) }, func(r *site.Replica) { <-r.Ended(); r.Start() }}, // what --drain does
	}
}

// suffer lets the leader meet a fault, and returns how long after it the first write succeeded through the others. The leader changes once.
func suffer(s *site.Site, f fault, leader *site.Replica) time.Duration {
	s.T.Helper()
	began, terms := time.Now(), s.Terms()
	f.do(leader)
	took := firstWrite(s, began, s.Without(leader), strings.ReplaceAll(f.name, " ", "")+began.Format("150405"))
	s.T.Logf("%s of the leader: first write after %v", f.name, took.Round(time.Millisecond))
	f.undo(leader)
	leader.WaitReady()
	if site.Soak() > 0 {
		time.Sleep(30*time.Second - time.Since(began))
	}
	if changes := s.Terms() - terms; changes != 1 {
		s.T.Errorf("%s: the leader changed %d times within %v", f.name, changes, time.Since(began).Round(time.Millisecond))
	}
	return took
}

// BenchmarkFailover tells how long after a fault of the leader the first write succeeds. On a quiet machine: kill -9 at most 5 s, SIGSTOP at
// most 8 s, a drain at most 1 s.
func BenchmarkFailover(b *testing.B) {
	for _, kind := range []struct {
		name string
		open func(testing.TB) *site.Site
	}{{"embedded", embedded}, {"external", external}} {
		b.Run(kind.name, func(b *testing.B) {
			s := kind.open(b)
			for _, f := range faults() {
				b.Run(strings.ReplaceAll(f.name, " ", ""), func(b *testing.B) {
					s.T = b
					var sum, worst time.Duration
					for range b.N {
						took := suffer(s, f, s.Leader())
						sum, worst = sum+took, max(worst, took)
					}
					b.ReportMetric(sum.Seconds()/float64(b.N), "s/first-write")
					b.ReportMetric(worst.Seconds(), "s/worst")
					b.ReportMetric(0, "ns/op")
				})
				s.T = b
			}
		})
	}
}

// BenchmarkReconnect tells how long after the leader's end 5,000 agents, which all reach the control plane through one follower, have their
// sessions again: at most 30 s.
func BenchmarkReconnect(b *testing.B) {
	const agents = 5000
	s := embedded(b)
	through := s.Without(s.Leader())[0]
	fleet := through.StartFleet(agents, simulate.Config{CPUUnits: 4096, MemoryMiB: 16384})
	var sum time.Duration
	for range b.N {
		leader := s.Leader()
		if leader == through {
			b.Skip("the agents' replica has become the leader")
		}
		before, began := fleet.Manifests.Load(), time.Now()
		leader.Kill()
		s.WaitSessions(fleet, before)
		sum += time.Since(began)
		leader.Start()
		leader.WaitReady()
	}
	b.ReportMetric(sum.Seconds()/float64(b.N), "s/all-back")
	b.ReportMetric(0, "ns/op")
}
