// Package statefile is an agent's ledger in one file, and the lock that keeps a second agent out of its directory.
package statefile

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"sync"
	"time"

	"go.etcd.io/bbolt"

	"berth/internal/agent"
)

// Name is the file's name in the agent's directory.
const Name = "agent.db"

var bucket = []byte("agent")

// File is a ledger in a file. It implements agent.Ledger.
type File struct {
	db   *bbolt.DB
	lock *lock

	mu      sync.Mutex
	next    *batch // collects what comes while another batch is written
	writing bool
}

var _ agent.Ledger = (*File)(nil)

// batch is what is written at once.
type batch struct {
	changes map[string][]byte
	done    chan struct{} // closed when it is written, or is not
	err     error
}

// Open opens the ledger in dir, which is made where it is missing. An *InUseError says that another agent has it.
func Open(dir string) (*File, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the agent's directory: %w", err)
	}
	l, err := takeLock(filepath.Join(dir, "agent.lock"))
	if err != nil {
		return nil, err
	}
	db, err := bbolt.Open(filepath.Join(dir, Name), 0o600, &bbolt.Options{Timeout: time.Second, FreelistType: bbolt.FreelistMapType})
	if err == nil {
		err = db.Update(func(tx *bbolt.Tx) error { _, err := tx.CreateBucketIfNotExists(bucket); return err })
	}
	if err != nil {
		if db != nil {
			db.Close()
		}
		l.release()
		return nil, fmt.Errorf("open the agent's state file: %w", err)
	}
	return &File{db: db, lock: l}, nil
}

// Close closes the file and lets others in. Writes must have returned.
func (f *File) Close() error { return errors.Join(f.db.Close(), f.lock.release()) }

// Read implements agent.Ledger.
func (f *File) Read(each func(key string, value []byte) error) error {
	return f.db.View(func(tx *bbolt.Tx) error {
		return tx.Bucket(bucket).ForEach(func(k, v []byte) error {
			if err := each(string(k), append([]byte(nil), v...)); err != nil {
				return fmt.Errorf("state file, key %s: %w", k, err)
			}
			return nil
		})
	})
}

// Write implements agent.Ledger. What many write at once goes to the disk together: while one batch is written, the next collects.
func (f *File) Write(ctx context.Context, changes map[string][]byte) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	f.mu.Lock()
	if f.next == nil {
		f.next = &batch{changes: map[string][]byte{}, done: make(chan struct{})}
	}
	mine := f.next
	maps.Copy(mine.changes, changes)
	lead := !f.writing
	f.writing = true
	f.mu.Unlock()
	if lead {
		f.drain()
	}
	<-mine.done // also when ctx ends: the outcome is known within one write
	return mine.err
}

// drain writes batches until none waits.
func (f *File) drain() {
	for {
		f.mu.Lock()
		b := f.next
		f.next = nil
		if b == nil {
			f.writing = false
			f.mu.Unlock()
			return
		}
		f.mu.Unlock()
		b.err = f.commit(b.changes)
		close(b.done)
	}
}

func (f *File) commit(changes map[string][]byte) error {
	err := f.db.Update(func(tx *bbolt.Tx) error {
		b := tx.Bucket(bucket)
		for k, v := range changes {
			var err error
			if v == nil {
				err = b.Delete([]byte(k))
			} else {
				err = b.Put([]byte(k), v)
			}
			if err != nil {
				return fmt.Errorf("key %s: %w", k, err)
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("write the agent's state file: %w", err)
	}
	return nil
}
