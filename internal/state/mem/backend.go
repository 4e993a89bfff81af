package mem

import (
	"context"
	"fmt"
	"time"

	"berth/internal/state"
)

// Backend is one replica's connection to its cluster.
type Backend struct {
	Faults  Faults
	cluster *Cluster
	version int   // of the records that this replica knows
	term    *Term // newest of this replica; guarded by cluster.mu
}

var (
	_ state.Backend = (*Backend)(nil)
	_ state.Term    = (*Term)(nil)
)

// Campaign waits for the leader's lease to end and takes its place.
func (b *Backend) Campaign(ctx context.Context, address string) (state.Term, error) {
	t := &Term{backend: b, address: address, done: make(chan struct{})}
	err := b.until(ctx, func() (bool, error) {
		if b.cluster.version > b.version {
			return false, state.ErrNewer
		}
		if b.cluster.leader != nil {
			return false, nil
		}
		b.cluster.elect(t)
		t.version = b.cluster.version
		b.term = t
		return true, nil
	})
	if err != nil {
		return nil, fmt.Errorf("campaign as %s: %w", address, err)
	}
	return t, nil
}

// Load yields every record as of the newest commit.
func (b *Backend) Load(ctx context.Context, each func(state.Write) error) (state.Mark, error) {
	var all []state.Write
	var mark state.Mark
	err := b.until(ctx, func() (bool, error) {
		all, mark = b.cluster.all(), b.cluster.mark()
		return true, nil
	})
	if err != nil {
		return state.Mark{}, fmt.Errorf("load records: %w", err)
	}
	for _, w := range all {
		if err := each(w); err != nil {
			return state.Mark{}, err
		}
	}
	return mark, nil
}

// Follow calls apply for each commit after mark.
func (b *Backend) Follow(ctx context.Context, mark state.Mark, apply func(state.Mark, []state.Write) error) error {
	for {
		var next []commit
		err := b.until(ctx, func() (ok bool, err error) {
			next, err = b.cluster.after(mark)
			return len(next) > 0, err
		})
		if err != nil {
			return fmt.Errorf("follow commits after %d: %w", mark.N, err)
		}
		for _, c := range next {
			if err := apply(c.mark, c.copyOfWrites()); err != nil {
				return err
			}
			mark = c.mark
		}
	}
}

// copyOfWrites is the callee's to keep and change.
func (c commit) copyOfWrites() []state.Write {
	out := make([]state.Write, len(c.writes))
	for i, w := range c.writes {
		if w.Value != nil {
			w.Value = append([]byte{}, w.Value...)
		}
		out[i] = w
	}
	return out
}

// Head reads the newest commit's mark.
func (b *Backend) Head(ctx context.Context) (state.Mark, error) {
	var mark state.Mark
	err := b.until(ctx, func() (bool, error) {
		mark = b.cluster.mark()
		return true, b.Faults.head
	})
	if err != nil {
		return state.Mark{}, fmt.Errorf("read the newest commit: %w", err)
	}
	return mark, nil
}

// Leader returns the leader's address.
func (b *Backend) Leader(ctx context.Context) (string, error) {
	var address string
	err := b.until(ctx, func() (bool, error) {
		if t := b.cluster.leader; t != nil {
			address = t.address
		}
		return true, nil
	})
	if err != nil {
		return "", fmt.Errorf("read the leader's address: %w", err)
	}
	return address, nil
}

// mark is the newest commit as a reader of this moment sees it. The caller holds mu.
func (c *Cluster) mark() state.Mark {
	m := c.head
	m.Revision = c.revision
	return m
}

// until calls look, holding the cluster's lock, at every change until it says true or fails. A cut replica sees nothing: it waits.
func (b *Backend) until(ctx context.Context, look func() (bool, error)) error {
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		b.cluster.mu.Lock()
		changed := b.cluster.changed
		var done bool
		var err error
		if !b.Faults.cut {
			done, err = look()
		}
		b.cluster.mu.Unlock()
		if done || err != nil {
			return err
		}
		select {
		case <-changed:
		case <-ctx.Done():
		}
	}
}

// Term is one leader's time in office.
type Term struct {
	backend   *Backend
	address   string
	fence     uint64
	version   int
	confirmed time.Time // when the replica was cut off; zero while it is not
	lost      bool
	done      chan struct{}
}

// Commit applies a batch, or meets the next injected fault.
func (t *Term) Commit(ctx context.Context, n uint64, writes []state.Write) error {
	if err := check(n, writes); err != nil {
		return err
	}
	if f, ok := t.backend.Faults.take(); ok {
		return f.commit(ctx, t, n, writes)
	}
	return t.deliver(ctx, n, writes)
}

// deliver brings the transaction to the cluster; while the replica is cut off it does not arrive, and nobody can say whether it did.
func (t *Term) deliver(ctx context.Context, n uint64, writes []state.Write) error {
	var outcome error
	if err := t.backend.until(ctx, func() (bool, error) {
		outcome = t.backend.cluster.apply(t, n, writes)
		return true, nil
	}); err != nil {
		return fmt.Errorf("commit %d: %w: %w", n, state.ErrUnknown, err)
	}
	return outcome
}

// check refuses what etcd would refuse: a key twice, or more than its limits.
func check(n uint64, writes []state.Write) error {
	if n == 0 || len(writes) > state.MaxBatchWrites {
		return fmt.Errorf("commit %d: %d writes are too many", n, len(writes))
	}
	size, seen := 0, make(map[id]bool, len(writes))
	for _, w := range writes {
		at := id{w.Kind, w.Key}
		if seen[at] {
			return fmt.Errorf("commit %d: key %s/%s is written twice", n, w.Kind, w.Key)
		}
		seen[at] = true
		size += len(w.Kind) + len(w.Key) + len(w.Value)
	}
	if size > state.MaxBatchBytes {
		return fmt.Errorf("commit %d: %d bytes are too many", n, size)
	}
	return nil
}

// Confirmed is now while the cluster is in reach and the lease holds.
func (t *Term) Confirmed() (time.Time, time.Duration) {
	t.backend.cluster.mu.Lock()
	defer t.backend.cluster.mu.Unlock()
	if t.confirmed.IsZero() {
		return time.Now(), Lease
	}
	return t.confirmed, Lease
}

// Number is the term's in the marks of its commits.
func (t *Term) Number() uint64 { return t.fence }

// Version is the record version of the store when the term began, or as Raise has made it.
func (t *Term) Version() int {
	t.backend.cluster.mu.Lock()
	defer t.backend.cluster.mu.Unlock()
	return t.version
}

// Raise waits until all replicas know newer records.
func (t *Term) Raise(ctx context.Context) (int, error) {
	err := t.backend.until(ctx, func() (bool, error) {
		c := t.backend.cluster
		if c.leader != t {
			return false, state.ErrRefused
		}
		all := t.backend.version
		for _, v := range c.replicas {
			all = min(all, v)
		}
		if all <= t.version {
			return false, nil
		}
		c.version, t.version = all, all
		c.wake()
		return true, nil
	})
	if err != nil {
		return 0, fmt.Errorf("raise the record version: %w", err)
	}
	return t.Version(), nil
}

// Done is closed when the lease is lost and the replica knows it.
func (t *Term) Done() <-chan struct{} { return t.done }

// Resign gives the leadership up.
func (t *Term) Resign(ctx context.Context) error {
	err := t.backend.until(ctx, func() (bool, error) {
		t.backend.cluster.depose(t)
		t.end()
		return true, nil
	})
	if err != nil {
		return fmt.Errorf("resign: %w", err)
	}
	return nil
}

// end makes the loss of the lease known. The caller holds the cluster's lock.
func (t *Term) end() {
	if t.lost {
		return
	}
	t.lost = true
	if t.confirmed.IsZero() {
		t.confirmed = time.Now()
	}
	close(t.done)
}
