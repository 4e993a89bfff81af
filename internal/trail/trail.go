package trail

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"berth/internal/frontdoor"
)

// Config is what a trail is made of. Zero fields take the defaults in their comments.
type Config struct {
	Dir      string        // where the files are
	Keep     time.Duration // how long records are kept; 90 days
	MostSize int64         // bytes of all files; 512 MiB. The oldest go first
	FileSize int64         // bytes of one file; 8 MiB
	Frequent bool          // also what agents do all the time, CloudTrail's data events
	Queue    int           // records that wait to be written; 8192. What is more is dropped and counted
	Waiting  int64         // bytes of them; 32 MiB
	Log      *slog.Logger  // nowhere
}

func (c Config) withDefaults() Config {
	if c.Keep == 0 {
		c.Keep = 90 * 24 * time.Hour
	}
	if c.MostSize == 0 {
		c.MostSize = 512 << 20
	}
	if c.FileSize == 0 {
		c.FileSize = 8 << 20
	}
	if c.Queue == 0 {
		c.Queue = 8192
	}
	if c.Waiting == 0 {
		c.Waiting = 32 << 20
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return c
}

// entry is what waits to be written: one of both.
type entry struct {
	call *frontdoor.Audited
	own  own
	size int64
}

// own is what ECS has done by itself.
type own interface{ record() *Record }

// Trail is the audit log of a replica. Its methods may be called concurrently; Take and Hand never wait.
type Trail struct {
	config  Config
	queue   chan entry
	waiting atomic.Int64 // bytes
	written atomic.Uint64
	dropped atomic.Uint64
	files   files

	mu    sync.Mutex
	grown chan struct{} // closed when records were written
	over  chan struct{} // closed when nobody is served any more
	end   sync.Once
	scans chan struct{} // who reads files: a few at the same time
}

// mostScans is how many readers look through files at the same time.
const mostScans = 2

// New opens the trail's directory. It writes while Run runs.
func New(c Config) (*Trail, error) {
	c = c.withDefaults()
	t := &Trail{config: c, queue: make(chan entry, c.Queue), grown: make(chan struct{}), over: make(chan struct{}), scans: make(chan struct{}, mostScans)}
	t.files = files{dir: c.Dir, each: c.FileSize, most: c.MostSize, keep: c.Keep}
	if err := t.files.open(); err != nil {
		return nil, fmt.Errorf("open the audit log: %w", err)
	}
	return t, nil
}

// overhead is about what a record takes in memory besides its input.
const overhead = 1 << 10

// Take is for frontdoor.Config.Audit.
func (t *Trail) Take(a *frontdoor.Audited) {
	if !a.Frequent || t.config.Frequent {
		t.put(entry{call: a, size: int64(a.Size) + overhead})
	}
}

// Hand takes down that credentials were handed out.
func (t *Trail) Hand(h *Handed) { t.put(entry{own: h, size: overhead}) }

func (t *Trail) put(e entry) {
	if t.waiting.Add(e.size) <= t.config.Waiting {
		select {
		case t.queue <- e:
			return
		default:
		}
	}
	t.waiting.Add(-e.size)
	t.dropped.Add(1)
}

// Sums are how many records were written, and dropped because the queue was full or the disk did not take them, since the start.
func (t *Trail) Sums() (written, dropped uint64) { return t.written.Load(), t.dropped.Load() }

// End gives every reader its end and takes no more. A server that shuts down calls it first, or it would wait for the readers.
func (t *Trail) End() { t.end.Do(func() { close(t.over) }) }

// Run writes until ctx ends, and then what waits.
func (t *Trail) Run(ctx context.Context) error {
	defer t.End()
	e := newEncoder()
	prune := time.NewTicker(time.Hour)
	defer prune.Stop()
	for {
		select {
		case one := <-t.queue:
			t.batch(e, one)
		case <-prune.C:
			if err := t.files.prune(time.Now()); err != nil {
				t.config.Log.Warn("old records of the audit log are not removed", "err", err)
			}
		case <-ctx.Done():
			select {
			case one := <-t.queue:
				t.batch(e, one)
			default:
				return t.files.close()
			}
		}
	}
}

// most of a batch, in bytes.
const mostBatch = 256 << 10

// batch writes an entry and those that wait behind it at once.
func (t *Trail) batch(e *encoder, one entry) {
	var lines []byte
	n := uint64(0)
	for {
		lines = append(lines, e.entry(one)...)
		t.waiting.Add(-one.size)
		n++
		if int64(len(lines)) >= min(mostBatch, t.config.FileSize/2) {
			break
		}
		select {
		case one = <-t.queue:
			continue
		default:
		}
		break
	}
	if err := t.files.write(lines, time.Now()); err != nil {
		t.dropped.Add(n)
		t.config.Log.Error("records of the audit log are lost", "records", n, "err", err)
		return
	}
	t.written.Add(n)
	t.mu.Lock()
	close(t.grown)
	t.grown = make(chan struct{})
	t.mu.Unlock()
}

// entry is the line of an entry.
func (e *encoder) entry(one entry) []byte {
	if one.own != nil {
		return e.line(one.own.record())
	}
	return e.line(e.call(one.call))
}

// growth is closed when there are more records than now.
func (t *Trail) growth() <-chan struct{} {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.grown
}
