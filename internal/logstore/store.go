// Package logstore keeps log streams and their events in an embedded LSM (pebble). One goroutine writes: what concurrent calls want is gathered into
// one batch, and all are answered when it is on the disk. Readers see what was written before they began, and hold nobody up.
package logstore

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
	"golang.org/x/sync/semaphore"

	"berth/internal/logs"
)

// Config is what a store is made of.
type Config struct {
	Dir string
	// FS is where Dir is; the system's disk where nil.
	FS vfs.FS
	// MinFree is how many bytes stay free on the disk: with less the store is full. Default 1 GiB.
	MinFree uint64
	// MaxBytes is how large the store may be; 0 is no limit.
	MaxBytes uint64
	Log      *slog.Logger
}

// What the store takes of memory at most, besides what readers hold: four tables in memory, the cache, and the calls that wait.
const (
	tableBytes  = 16 << 20
	tables      = 4
	cacheBytes  = 32 << 20
	waitingMost = 16 << 20 // bytes of events in calls that are not answered
	batchMost   = 4 << 20  // bytes of events in one batch; a batch takes at least one call
)

// Store is an open log store. It is safe for concurrent use.
type Store struct {
	config  Config
	db      *pebble.DB
	calls   chan *call
	room    *semaphore.Weighted
	closed  chan struct{} // Close was called
	done    chan struct{} // the writer has ended
	full    atomic.Bool
	readers sync.RWMutex // readers hold it, and Close takes it
	next    uint64       // the writer's own: what no stream and no event has as its number

	looked  time.Time // the writer's own: when it was last looked whether there is room,
	written int       // and how much it has written since
}

// Open opens the store in a directory, which is made where it is missing. It fails where another process has it open.
func Open(c Config) (*Store, error) {
	if c.FS == nil {
		c.FS = vfs.Default
	}
	if c.MinFree == 0 {
		c.MinFree = 1 << 30
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	db, err := pebble.Open(c.Dir, options(c))
	if err != nil {
		return nil, fmt.Errorf("open the log store in %s: %w", c.Dir, err)
	}
	s := &Store{
		config: c, db: db, calls: make(chan *call, 1024), room: semaphore.NewWeighted(waitingMost), closed: make(chan struct{}), done: make(chan struct{}),
	}
	if s.next, err = s.number(); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	go s.write()
	return s, nil
}

func options(c Config) *pebble.Options {
	o := &pebble.Options{
		FS: c.FS, Logger: logger{c.Log}, FormatMajorVersion: pebble.FormatNewest,
		CacheSize: cacheBytes, MemTableSize: tableBytes, MemTableStopWritesThreshold: tables, MaxOpenFiles: 512,
		L0CompactionThreshold: 4, L0StopWritesThreshold: 20, LBaseMaxBytes: 64 << 20, BytesPerSync: 1 << 20,
	}
	o.CompactionConcurrencyRange = func() (int, int) { return 1, 2 }
	return o
}

// number is the number that comes next: behind the last one that was promised not to be given again.
func (s *Store) number() (uint64, error) {
	value, closer, err := s.db.Get([]byte(nextKey))
	if errors.Is(err, pebble.ErrNotFound) {
		return 1, nil
	}
	if err != nil {
		return 0, fmt.Errorf("read the log store's next number: %w", err)
	}
	defer closer.Close()
	if len(value) != numberSize {
		return 0, fmt.Errorf("the log store's next number is of %d bytes", len(value))
	}
	return binary.BigEndian.Uint64(value), nil
}

// Close ends the store when all calls that it has begun are answered. Later ones fail, and so do readers that are not done.
func (s *Store) Close() error {
	close(s.closed)
	<-s.done
	s.readers.Lock()
	defer s.readers.Unlock()
	if err := s.db.Close(); err != nil {
		return fmt.Errorf("close the log store: %w", err)
	}
	return nil
}

// errClosed is the error of calls to a closed store.
var errClosed = errors.New("the log store is closed")

// begin lets a reader in; it fails where the store is closed. What it returns is called when the reader is done.
func (s *Store) begin() (end func(), err error) {
	s.readers.RLock()
	select {
	case <-s.closed:
		s.readers.RUnlock()
		return nil, errClosed
	default:
		return s.readers.RUnlock, nil
	}
}

// Full reports whether events are refused for want of room.
func (s *Store) Full() bool { return s.full.Load() }

// Size is how many bytes the store takes on the disk, 0 when it is closed.
func (s *Store) Size() uint64 {
	end, err := s.begin()
	if err != nil {
		return 0
	}
	defer end()
	return s.db.Metrics().DiskSpaceUsage()
}

// Stored is about how many bytes a group takes on the disk. What was written in the last moments may be missing.
func (s *Store) Stored(group string) (uint64, error) {
	end, err := s.begin()
	if err != nil {
		return 0, err
	}
	defer end()
	n, err := s.db.EstimateDiskUsage(groupKey(group, eventMark), eventsEnd(group))
	if err != nil {
		return 0, fmt.Errorf("estimate the size of log group %s: %w", group, err)
	}
	return n, nil
}

// Groups are the ids of the groups that the store has something of, in order.
func (s *Store) Groups(ctx context.Context) (ids []string, err error) {
	end, err := s.begin()
	if err != nil {
		return nil, err
	}
	defer end()
	it, err := s.db.NewIterWithContext(ctx, &pebble.IterOptions{LowerBound: []byte("g"), UpperBound: []byte("h")})
	if err != nil {
		return nil, fmt.Errorf("read the log store's groups: %w", err)
	}
	for ok := it.First(); ok; ok = it.SeekGE(groupEnd(ids[len(ids)-1])) {
		ids = append(ids, groupOf(it.Key()))
	}
	if err := it.Close(); err != nil {
		return nil, fmt.Errorf("read the log store's groups: %w", err)
	}
	return ids, nil
}

// emptyStream is a stream before its first event.
func emptyStream(name string, number uint64, created logs.Time) logs.Stream {
	return logs.Stream{Name: name, Number: number, Created: created, First: math.MaxInt64}
}

// logger brings pebble's words into ours.
type logger struct{ to *slog.Logger }

// Infof tells what pebble does, for debugging.
func (l logger) Infof(format string, args ...any) {
	l.to.Debug("log store: " + fmt.Sprintf(format, args...))
}

// Errorf tells what went wrong.
func (l logger) Errorf(format string, args ...any) {
	l.to.Error("log store: " + fmt.Sprintf(format, args...))
}

// Fatalf ends the process: pebble calls it where the disk has failed under a write and it is not known what is there. The next start finds what was
// acknowledged.
func (l logger) Fatalf(format string, args ...any) {
	l.Errorf(format, args...)
	panic("log store: " + fmt.Sprintf(format, args...))
}
