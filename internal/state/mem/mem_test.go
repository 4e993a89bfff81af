package mem_test

import (
	"testing"
	"testing/synctest"
	"time"

	"berth/internal/state"
	"berth/internal/state/backendtest"
	"berth/internal/state/mem"
)

func TestContract(t *testing.T) {
	for _, b := range backendtest.Behaviours() {
		t.Run(b.Name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { b.Check(t, cluster()) })
		})
	}
}

func cluster() backendtest.Cluster {
	c := mem.NewCluster()
	return backendtest.Cluster{
		Replica: func(*testing.T) backendtest.Replica { return replica(c.Backend()) },
		Version: func(_ *testing.T, name string, version int) backendtest.Replica {
			return replica(c.BackendOf(name, version))
		},
		Compact: func(*testing.T) { c.Compact() },
		Lease:   mem.Lease,
	}
}

func replica(b *mem.Backend) backendtest.Replica {
	const late = time.Second
	return backendtest.Replica{
		Backend: b,
		Next: func(f backendtest.Fault) {
			b.Faults.Next(map[backendtest.Fault]mem.Fault{
				backendtest.LostAnswer:  {Outcome: mem.LostAnswer},
				backendtest.LostRequest: {Outcome: mem.LostRequest},
				backendtest.Late:        {Outcome: mem.Late, After: late},
				backendtest.NoSpace:     {Outcome: mem.Failed, Err: state.ErrNoSpace},
			}[f])
		},
		Arrive:  func() { time.Sleep(late); synctest.Wait() },
		Expire:  b.Faults.ExpireLease,
		Silence: b.Faults.Cut,
	}
}
