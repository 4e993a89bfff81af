// Package mem is the store's backend in memory: it keeps the whole contract of the durable one, loses everything with the process, and fails
// on demand.
package mem

import (
	"cmp"
	"fmt"
	"slices"
	"sync"
	"time"

	"berth/internal/ecs"
	"berth/internal/state"
)

// Lease is how long a leader that does not answer stays leader.
const Lease = 3 * time.Second

// Cluster is what the replicas of one installation share. It stands for the etcd cluster: it outlives every replica.
type Cluster struct {
	mu        sync.Mutex
	records   map[id][]byte
	log       []commit // in order; commits up to number forgotten are not in it
	forgotten uint64
	head      state.Mark
	revision  int64
	leader    *Term          // nil while there is none
	version   int            // of the records
	replicas  map[string]int // the record versions that replicas with a name know
	changed   chan struct{}  // closed and replaced whenever something above changes
}

type id struct {
	kind ecs.Kind
	key  string
}

// commit is one transaction as followers see it: a deletion of what was not there is not in it.
type commit struct {
	mark   state.Mark
	writes []state.Write
}

// NewCluster returns an empty cluster.
func NewCluster() *Cluster {
	return &Cluster{records: map[id][]byte{}, version: 1, replicas: map[string]int{}, changed: make(chan struct{})}
}

// Backend returns a new replica's connection to the cluster.
func (c *Cluster) Backend() *Backend {
	b := &Backend{cluster: c, version: ecs.RecordVersion}
	b.Faults.backend = b
	return b
}

// BackendOf returns the connection of the replica of that name, which from now on knows this version of the records.
func (c *Cluster) BackendOf(name string, version int) *Backend {
	b := c.Backend()
	b.version = version
	c.mu.Lock()
	defer c.mu.Unlock()
	c.replicas[name] = version
	c.wake()
	return b
}

// Compact forgets how the newest commit came about: who follows from an older one gets ErrCompacted.
func (c *Cluster) Compact() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.log, c.forgotten = nil, c.head.N
	c.wake()
}

// wake lets everybody who waits look again. The caller holds mu.
func (c *Cluster) wake() {
	close(c.changed)
	c.changed = make(chan struct{})
}

// apply is the transaction: compare the fence and the commit number, then write everything. The caller holds mu.
func (c *Cluster) apply(t *Term, n uint64, writes []state.Write) error {
	if c.leader != t || c.head.N != n-1 {
		return fmt.Errorf("commit %d of term %d: %w", n, t.fence, state.ErrRefused)
	}
	done := make([]state.Write, 0, len(writes))
	for _, w := range writes {
		at := id{w.Kind, w.Key}
		if w.Value != nil {
			w.Value = append([]byte{}, w.Value...)
			c.records[at] = w.Value
		} else if _, ok := c.records[at]; ok {
			delete(c.records, at)
		} else {
			continue
		}
		done = append(done, w)
	}
	c.revision++
	c.head = state.Mark{N: n, Term: t.fence, Revision: c.revision}
	c.log = append(c.log, commit{c.head, done})
	c.wake()
	return nil
}

// after returns the commits after a mark. The caller holds mu.
func (c *Cluster) after(m state.Mark) ([]commit, error) {
	if m.N < c.forgotten {
		return nil, fmt.Errorf("commits after %d: %w", m.N, state.ErrCompacted)
	}
	if m.N >= c.head.N {
		return nil, nil
	}
	return c.log[m.N-c.forgotten:], nil
}

// all copies every record, ordered by key, so that a simulation runs the same each time. The caller holds mu.
func (c *Cluster) all() []state.Write {
	all := make([]state.Write, 0, len(c.records))
	for at, v := range c.records {
		all = append(all, state.Write{Kind: at.kind, Key: at.key, Value: append([]byte{}, v...)})
	}
	slices.SortFunc(all, func(a, b state.Write) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Key, b.Key))
	})
	return all
}

// elect makes t the leader with a new fence. The caller holds mu and has seen that there is no leader.
func (c *Cluster) elect(t *Term) {
	c.revision++
	t.fence = uint64(c.revision)
	c.leader = t
	c.wake()
}

// depose ends t's lease, if it still holds. The caller holds mu.
func (c *Cluster) depose(t *Term) {
	if c.leader == t {
		c.leader = nil
		c.revision++
		c.wake()
	}
}
