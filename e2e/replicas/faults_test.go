package replicas

import (
	"strings"
	"syscall"
	"testing"
	"time"
)

// fault is what happens to a leader.
type fault struct {
	name string
	do   func(*replica)
	undo func(*replica) // the replica is there again
}

func faults() []fault {
	return []fault{
		{"kill -9", (*replica).kill, func(r *replica) { r.start() }},
		{"SIGSTOP", func(r *replica) { r.signal(syscall.SIGSTOP) }, func(r *replica) { r.signal(syscall.SIGCONT) }},
		{"drain", func(r *replica) { r.signal(syscall.SIGTERM) }, func(r *replica) { <-r.ended; r.start() }}, // what --drain does
	}
}

// suffer lets the leader meet a fault, and returns how long after it the first write succeeded through the others.
func (s *site) suffer(f fault, leader *replica) time.Duration {
	s.t.Helper()
	began := time.Now()
	f.do(leader)
	took := s.firstWrite(began, s.without(leader), strings.ReplaceAll(f.name, " ", "")+began.Format("150405"))
	s.t.Logf("%s of the leader: first write after %v", f.name, took.Round(time.Millisecond))
	if took > patience {
		s.t.Errorf("first write after %v", took)
	}
	f.undo(leader)
	leader.waitReady()
	return took
}

// BenchmarkFailover tells how long after a fault of the leader the first write succeeds. On a quiet machine: kill -9 at most 5 s, SIGSTOP at
// most 8 s, a drain at most 1 s.
func BenchmarkFailover(b *testing.B) {
	for _, kind := range []struct {
		name string
		open func(testing.TB) *site
	}{{"embedded", embedded}, {"external", external}} {
		b.Run(kind.name, func(b *testing.B) {
			s := kind.open(b)
			for _, f := range faults() {
				b.Run(strings.ReplaceAll(f.name, " ", ""), func(b *testing.B) {
					s.t = b
					var sum, worst time.Duration
					for range b.N {
						took := s.suffer(f, s.leader())
						sum, worst = sum+took, max(worst, took)
					}
					b.ReportMetric(sum.Seconds()/float64(b.N), "s/first-write")
					b.ReportMetric(worst.Seconds(), "s/worst")
					b.ReportMetric(0, "ns/op")
				})
				s.t = b
			}
		})
	}
}

// BenchmarkReconnect tells how long after the leader's end 5,000 agents, which all reach the control plane through one follower, have their
// sessions again: at most 30 s.
func BenchmarkReconnect(b *testing.B) {
	const agents = 5000
	s := embedded(b)
	fleet := s.startFleet(s.without(s.leader())[0], agents)
	var sum time.Duration
	for range b.N {
		leader := s.leader()
		if leader == fleet.through {
			b.Skip("the agents' replica has become the leader")
		}
		before, began := fleet.Manifests.Load(), time.Now()
		leader.kill()
		fleet.back(before)
		sum += time.Since(began)
		leader.start()
		leader.waitReady()
	}
	b.ReportMetric(sum.Seconds()/float64(b.N), "s/all-back")
	b.ReportMetric(0, "ns/op")
}
