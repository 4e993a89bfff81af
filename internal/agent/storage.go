package agent

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"berth/internal/acsproto"
)

// Storage bounds the disk space that a task takes, its ephemeral storage, and measures it. It is safe for concurrent use.
type Storage interface {
	// Limit bounds what the containers of a task and its volumes hold, before the newest of them starts. Where the file system keeps such bounds,
	// what they write beyond it fails from then on; else nothing happens. ErrNoSpace: their images alone are as large.
	Limit(ctx context.Context, d Disk) error
	// Used measures what they hold. ErrUnmeasurable: they hide it.
	Used(ctx context.Context, d Disk) (DiskUse, error)
	// Release forgets a task's bound, while its containers are still there. A task without one is no error.
	Release(ctx context.Context, d Disk) error
	// Filled is how many bytes are taken on the file system that has the containers, by whomever. It is cheap to ask.
	Filled(ctx context.Context) (int64, error)
}

// Disk is a task's ephemeral storage.
type Disk struct {
	Task       string   // the task's id
	LimitBytes int64    // images included
	Containers []string // the engine's ids of its containers. One that is not there any more takes nothing
}

// DiskUse is how much of it is taken.
type DiskUse struct {
	Bytes int64 // of the containers' images, writable layers and volumes
	Kept  bool  // the file system itself keeps the limit
}

// Layer is where a container keeps what it writes.
type Layer struct {
	Image   string   // the image's id
	Upper   string   // the directory with what it has written over its image, "" where the engine does not say it
	Work    string   // one that belongs to it, on the same file system; "" where there is none
	Volumes []string // the directories of the volumes that it mounts
}

// What a Storage's errors can be told apart by.
var (
	ErrNoSpace      = errors.New("no space left on device")
	ErrUnmeasurable = errors.New("cannot be measured")
)

// How tasks' space is looked at: each time that storageTick comes, those tasks whose last look is too old by storageDue, at most storageLooks at once.
const (
	storageTick  = time.Second
	storageLooks = 4
	storageIdle  = time.Minute // the longest time between two looks
	storagePace  = 256 * mib   // bytes in a second, which a task is taken to be able to write
	storageRest  = 4           // a look that took a second is not followed by another one for that many
)

// storageGrace is how long the containers of a task that has outgrown its storage have between SIGTERM and SIGKILL: they may go on writing.
const storageGrace = 2 * time.Second

// diskLook is what the last look at a task's space has found.
type diskLook struct {
	at     time.Time     // of its end
	took   time.Duration // 0 before the first one
	left   int64         // bytes up to the limit
	filled int64         // Storage.Filled when it began
	saved  int64         // MiB that it took when that was last to be written down
	busy   bool          // one is under way
}

// storageDue says whether a look is due: when the task may have used half of what was left by then, as fast as disks are, or when the file system
// has grown by as much since, whoever did it.
func storageDue(l diskLook, filled int64, now time.Time) bool {
	if l.busy {
		return false
	}
	since := now.Sub(l.at)
	if l.at.IsZero() || since >= storageIdle {
		return true
	}
	if since < storageRest*l.took {
		return false
	}
	half := max(l.left, 0) / 2
	return since >= max(time.Duration(half/storagePace)*time.Second, storageTick) || filled-l.filled > half
}

// diskLooks are the last looks, by task's ARN.
type diskLooks struct {
	mu   sync.Mutex
	last map[string]diskLook
}

// begin takes the tasks whose look is due, those that were not looked at for longest first, and forgets those that do not run.
func (l *diskLooks) begin(running []*task, filled int64, now time.Time) (due []*task) {
	l.mu.Lock()
	defer l.mu.Unlock()
	next := map[string]diskLook{}
	for _, t := range running {
		next[t.arn] = l.last[t.arn]
		if storageDue(next[t.arn], filled, now) {
			due = append(due, t)
		}
	}
	l.last = next
	slices.SortFunc(due, func(a, b *task) int { return next[a.arn].at.Compare(next[b.arn].at) })
	return due
}

func (l *diskLooks) set(arn string, f func(*diskLook)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if one, ok := l.last[arn]; ok {
		f(&one)
		l.last[arn] = one
	}
}

// keepStorage looks at what tasks have stored until ctx ends, and stops those that have outgrown their bound.
func (a *Agent) keepStorage(ctx context.Context) error {
	if a.Storage == nil {
		<-ctx.Done()
		return ctx.Err()
	}
	g := errgroup.Group{}
	g.SetLimit(storageLooks)
	defer g.Wait() //nolint:errcheck // they return none
	tick := time.NewTicker(storageTick)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
		running := a.storing()
		if len(running) == 0 {
			continue
		}
		filled, err := a.Storage.Filled(ctx)
		if err != nil {
			a.Log.Debug("not known how full the disk of the containers is", "err", err)
		}
		for _, t := range a.looks.begin(running, filled, time.Now()) {
			a.looks.set(t.arn, func(l *diskLook) { l.busy = true })
			if !g.TryGo(func() error { t.lookAtStorage(ctx, filled); return nil }) {
				a.looks.set(t.arn, func(l *diskLook) { l.busy = false })
				break
			}
		}
	}
}

// storing are the tasks with bounded storage that run.
func (a *Agent) storing() (list []*task) {
	for _, t := range a.all() {
		t.view(func(r *Record) {
			if r.Task.EphemeralStorageGiB > 0 && !r.stopping() && slices.ContainsFunc(r.Containers, func(c Container) bool { return c.Phase == Up }) {
				list = append(list, t)
			}
		})
	}
	return list
}

// lookAtStorage measures what a task has stored.
func (t *task) lookAtStorage(ctx context.Context, filled int64) {
	d, _ := t.disk()
	began := time.Now()
	use, err := t.agent.Storage.Used(ctx, d)
	now := time.Now()
	t.agent.looks.set(t.arn, func(l *diskLook) {
		l.busy, l.at, l.took, l.filled = false, now, now.Sub(began), filled
		if err == nil {
			l.left = d.LimitBytes - use.Bytes
		}
	})
	switch {
	case ctx.Err() != nil:
	case errors.Is(err, ErrUnmeasurable):
		t.outgrow(fmt.Sprintf("Task stopped: ephemeral storage %v", err))
	case err != nil:
		t.log.Warn("ephemeral storage not measured", "err", err)
	default:
		t.stored(use.Bytes, d.LimitBytes)
		if !use.Kept && use.Bytes > d.LimitBytes {
			t.outgrow(fmt.Sprintf("Task stopped: ephemeral storage limit of %d GiB exceeded", d.LimitBytes/gib))
		}
	}
}

const gib = 1024 * mib

// stored notes what a task has stored. It is written down anew when it has changed by a hundredth of the limit.
func (t *task) stored(bytes, limit int64) {
	now := (bytes + mib - 1) / mib
	news := false
	t.agent.looks.set(t.arn, func(l *diskLook) {
		if news = max(now-l.saved, l.saved-now)*mib >= limit/100; news {
			l.saved = now
		}
	})
	t.mu.Lock()
	t.rec.StoredMiB, t.dirty = now, t.dirty || news
	t.mu.Unlock()
	if news {
		t.poke()
	}
}

// outgrow stops a task that has outgrown its storage, and soon: each second it writes more.
func (t *task) outgrow(reason string) {
	t.mu.Lock()
	late := t.rec.stopping()
	t.rec.Outgrown = t.rec.Outgrown || !late
	t.mu.Unlock()
	if !late {
		t.give(reason)
	}
}

// grace is how long a container has between SIGTERM and SIGKILL.
func (t *task) grace(c acsproto.Container) (grace time.Duration) {
	t.view(func(r *Record) {
		if grace = graceOf(c); r.Outgrown {
			grace = min(grace, storageGrace)
		}
	})
	return grace
}

// disk is the task's ephemeral storage with the containers that it has by now; ok is false where it has no bound.
func (t *task) disk() (d Disk, ok bool) {
	t.view(func(r *Record) {
		d = Disk{Task: groupOf(r).Task, LimitBytes: r.Task.EphemeralStorageGiB * gib}
		for _, c := range r.Containers {
			if c.ID != "" && !hidden(c.Name) {
				d.Containers = append(d.Containers, c.ID)
			}
		}
	})
	return d, d.LimitBytes > 0
}

// limitStorage bounds the task's storage for a container that is to be started. What cannot be bounded does not start.
func (t *task) limitStorage(ctx context.Context, name string) error {
	d, ok := t.disk()
	if !ok || t.agent.Storage == nil || hidden(name) {
		return nil
	}
	limited, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	err := t.agent.Storage.Limit(limited, d)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, ErrUnavailable) || limited.Err() != nil:
		return fmt.Errorf("bound the task's ephemeral storage: %w", err)
	case errors.Is(err, ErrNoSpace):
		t.fail(name, "CannotPullContainerError: "+err.Error())
	default:
		t.fail(name, "ResourceInitializationError: unable to bound the task's ephemeral storage: "+err.Error())
	}
	return errGivenUp
}

// releaseStorage forgets the bound of a task whose containers are about to be removed.
func (t *task) releaseStorage(ctx context.Context) error {
	d, ok := t.disk()
	if !ok || t.agent.Storage == nil {
		return nil
	}
	if err := t.agent.Storage.Release(ctx, d); err != nil {
		return fmt.Errorf("forget the bound of the task's ephemeral storage: %w", err)
	}
	return nil
}

// EphemeralStorage is what a task, by its ARN, has stored by the last look and may store, in MiB; ok is false where it is not known or has no bound.
func (a *Agent) EphemeralStorage(task string) (usedMiB, reservedMiB int64, ok bool) {
	t := a.task(task)
	if t == nil {
		return 0, 0, false
	}
	t.view(func(r *Record) { usedMiB, reservedMiB = r.StoredMiB, r.Task.EphemeralStorageGiB*gib/mib })
	return usedMiB, reservedMiB, reservedMiB > 0
}
