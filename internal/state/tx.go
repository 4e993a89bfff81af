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
	n    uint64
	undo []Change
}

// Change is one record before and after. Old is nil for a new record, New is nil for one that is gone.
type Change struct{ Old, New ecs.Record }

// Record is the newer of the two.
func (c Change) Record() ecs.Record {
	if c.New != nil {
		return c.New
	}
	return c.Old
}

// N is the number of the commit that this closure's writes will be part of.
func (tx *Tx) N() uint64 { return tx.n }

// Put stores r, which from now on must not be changed.
func (tx *Tx) Put(r ecs.Record) { tx.undo = append(tx.undo, Change{tx.put(r, false), r}) }

// Delete removes the record with r's key. It does nothing where there is none.
func (tx *Tx) Delete(r ecs.Record) {
	if old := tx.put(r, true); old != nil {
		tx.undo = append(tx.undo, Change{old, nil})
	}
}

// rollback takes back what the closure changed, newest first.
func (tx *Tx) rollback() {
	for i := len(tx.undo) - 1; i >= 0; i-- {
		if c := tx.undo[i]; c.Old != nil {
			tx.put(c.Old, false)
		} else {
			tx.put(c.New, true)
		}
	}
	tx.undo = nil
}
