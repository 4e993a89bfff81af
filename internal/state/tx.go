package state

import "berth/internal/ecs"

// Snapshot is the picture of all tables as of one commit. It is immutable, and reading it takes no lock.
type Snapshot struct {
	*Tables
	N uint64 // the commit's number
}

// Tx is what a closure of Update sees and changes: the tables with everything before it, also what is not durable yet.
type Tx struct {
	*Tables
	changes []Change
	version int
}

// Version is the record version that every replica knows. A closure that writes a newer member or kind is refused with ErrNotAllUpgraded: so
// it asks first.
func (tx *Tx) Version() int { return tx.version }

// Change is one record before and after. Old is nil for a new record, New is nil for one that is gone.
type Change struct{ Old, New ecs.Record }

// Record is the newer of the two.
func (c Change) Record() ecs.Record {
	if c.New != nil {
		return c.New
	}
	return c.Old
}

// Put stores r, which from now on must not be changed.
func (tx *Tx) Put(r ecs.Record) { tx.changes = append(tx.changes, Change{tx.put(r, false), r}) }

// Delete removes the record with r's key. It does nothing where there is none.
func (tx *Tx) Delete(r ecs.Record) {
	if old := tx.put(r, true); old != nil {
		tx.changes = append(tx.changes, Change{old, nil})
	}
}

// DeleteUnchanged removes r if it is still what is stored, and not a newer record with its key.
func (tx *Tx) DeleteUnchanged(r ecs.Record) { tx.ReplaceUnchanged(r, nil) }

// ReplaceUnchanged puts n, or nothing where it is nil, in the place of r, if r is still what is stored.
func (tx *Tx) ReplaceUnchanged(r, n ecs.Record) {
	switch {
	case tx.find(r.Kind(), r.Key()) != r:
	case n == nil:
		tx.Delete(r)
	default:
		tx.Put(n)
	}
}

// rollback takes back what the closure changed, newest first.
func (tx *Tx) rollback() {
	for i := len(tx.changes) - 1; i >= 0; i-- {
		c := tx.changes[i]
		tx.set(c.New, c.Old)
	}
}

// replay changes it again.
func (tx *Tx) replay() {
	for _, c := range tx.changes {
		tx.set(c.Old, c.New)
	}
}

// set replaces from by to; nil stands for no record.
func (t *Tables) set(from, to ecs.Record) {
	if to != nil {
		t.put(to, false)
	} else {
		t.put(from, true)
	}
}
