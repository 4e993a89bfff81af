package etcd

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"path/filepath"
	"sync"
	"time"
)

// Level is how much may still be written.
type Level int

// The levels. At Low only what frees space or reports facts should be written, at Critical nothing.
const (
	OK Level = iota
	Low
	Critical
)

func (l Level) String() string { return [...]string{"ok", "low", "critical"}[l] }

// The limits of free disk space. Of the database's quota (8 GiB by default) the same parts count: a 16th and a 64th.
const (
	lowBelow      = 512 << 20
	criticalBelow = 128 << 20
	startsWith    = 24 << 20 // less than this and etcd would end the process while it starts
	lowPart       = 16
	criticalPart  = 64
)

// guard watches the file system of the data directory: when it is full, etcd ends the process, and again at each start.
type guard struct {
	dir   string
	quota int64
	used  func() int64                 // bytes of the database that are in use; nil before it is open
	disk  func(string) (uint64, error) // bytes that are free where a directory is
	full  func(context.Context)        // called when the level becomes Critical; nil where nothing can be done
	log   *slog.Logger

	mu    sync.Mutex
	free  uint64
	level Level
}

func newGuard(dir string, quota int64, log *slog.Logger) *guard {
	return &guard{dir: dir, quota: quota, disk: diskFree, log: log}
}

// Space is how many bytes can still be written, on the disk or in the quota, whichever is less, and what that means. Of an external cluster
// it knows nothing.
func (b *Backend) Space() (free uint64, level Level) {
	if b.guard == nil {
		return math.MaxUint64, OK
	}
	b.guard.mu.Lock()
	defer b.guard.mu.Unlock()
	return b.guard.free, b.guard.level
}

// Size is how large the embedded server's database file is, and how much of it is in use; ok is false with an external cluster.
func (b *Backend) Size() (size, used int64, ok bool) {
	if b.server == nil {
		return 0, 0, false
	}
	db := b.server.etcd.Server.Backend()
	return db.Size(), db.SizeInUse(), true
}

// prepare makes a start possible: on a full disk it gives up the ballast, and if that is not enough it says what is.
func (g *guard) prepare() error {
	free, err := g.measure()
	if err != nil {
		return err
	}
	if free < criticalBelow {
		if err := dropBallast(g.dir); err != nil {
			return err
		}
		if free, err = g.measure(); err != nil {
			return err
		}
		if free < startsWith {
			return fmt.Errorf("the disk is full: %d MiB are free, etcd needs %d MiB to start; %s", free>>20, startsWith>>20, g.advice())
		}
	}
	g.keepBallast(free)
	return nil
}

// watch measures every few seconds: no event tells of a file system that fills.
func (g *guard) watch(ctx context.Context) {
	tick := time.NewTicker(3 * time.Second)
	defer tick.Stop()
	for was := OK; ; {
		if free, err := g.measure(); err != nil {
			g.log.Warn("free space is not known", "err", err)
		} else {
			g.keepBallast(free)
		}
		now := g.now()
		if now == Critical && was != Critical && g.full != nil {
			g.full(ctx)
		}
		was = now
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (g *guard) now() Level {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.level
}

// measure updates what Space says, and returns the disk's free bytes.
func (g *guard) measure() (uint64, error) {
	disk, err := g.disk(g.dir)
	if err != nil {
		return 0, err
	}
	free, level := disk, levelOf(disk, lowBelow, criticalBelow)
	if g.used != nil && g.quota > 0 {
		left := uint64(max(0, g.quota-g.used()))
		free = min(free, left)
		level = max(level, levelOf(left, uint64(g.quota)/lowPart, uint64(g.quota)/criticalPart))
	}
	g.mu.Lock()
	before := g.level
	g.free, g.level = free, level
	g.mu.Unlock()
	if level > before {
		g.log.Error("space runs out", "level", level.String(), "free", free, "disk", disk, "advice", g.advice())
	} else if level < before {
		g.log.Info("there is space again", "level", level.String(), "free", free)
	}
	return disk, nil
}

func levelOf(free, low, critical uint64) Level {
	switch {
	case free < critical:
		return Critical
	case free < low:
		return Low
	}
	return OK
}

// keepBallast makes the ballast where it is missing, once that takes the disk to no level.
func (g *guard) keepBallast(free uint64) {
	if free < lowBelow+2*ballastSize {
		return
	}
	if err := makeBallast(g.dir); err != nil {
		g.log.Warn("there is no ballast for a full disk", "err", err)
	}
}

// advice says what may be deleted: what is large beside etcd's own files.
func (g *guard) advice() string {
	text := fmt.Sprintf("free some space on the file system of %s (logs, old snapshots, images that no container uses)", g.dir)
	if large := largest(g.dir); large != "" {
		text += "; largest in it: " + large
	}
	return text + "; never delete " + filepath.Join(g.dir, etcdDir)
}
