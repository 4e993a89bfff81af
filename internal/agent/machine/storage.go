package machine

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"log/slog"
	"sync"

	"golang.org/x/sys/unix"

	"berth/internal/agent"
)

// Storage bounds and measures the disk space of tasks. Where the file system of the engine's data has project quotas, all that a task writes is of
// one project, and the kernel keeps its limit. Elsewhere it adds up what is in the task's directories. It implements agent.Storage.
type Storage struct {
	layers Layers
	root   func(context.Context) (string, error)
	open   func(root string) (quotas, error)
	log    *slog.Logger

	mu       sync.Mutex
	data     string     // the engine's data root, "" before it is known
	quotas   quotas     // nil: the file system keeps no limits
	choosing sync.Mutex // one project is chosen at a time
}

var _ agent.Storage = (*Storage)(nil)

// Layers tells where an engine's containers keep what they write. ErrNotFound of package agent: there is no such container or image.
type Layers interface {
	Layer(ctx context.Context, container string) (agent.Layer, error)
	// LayerBytes has the engine itself measure what a container has written over its image.
	LayerBytes(ctx context.Context, container string) (int64, error)
	// ImageBytes is the size of an image, unpacked.
	ImageBytes(ctx context.Context, image string) (int64, error)
}

// quotas are the project quotas of a file system.
type quotas interface {
	// Project is the project of a directory, 0 for none.
	Project(dir string) (uint32, error)
	// Mark makes a directory the project's, with all in it and all that comes.
	Mark(ctx context.Context, dir string, project uint32) error
	// Bound sets what a project may take, 0 for no limit.
	Bound(project uint32, bytes int64) error
	// Use is what a project takes, and its limit.
	Use(project uint32) (bytes, limit int64, err error)
}

// OpenStorage returns the storage of tasks whose containers an engine keeps below its data root. root tells that, and is asked until it answers once.
func OpenStorage(layers Layers, root func(context.Context) (string, error), log *slog.Logger) *Storage {
	return &Storage{layers: layers, root: root, open: openQuotas, log: log}
}

// kept are the file system's quotas, nil where it has none.
func (s *Storage) kept(ctx context.Context) (quotas, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.data != "" {
		return s.quotas, nil
	}
	data, err := s.root(ctx)
	if err != nil {
		return nil, fmt.Errorf("ask the engine where it keeps its data: %w", err)
	}
	if s.quotas, err = s.open(data); err != nil {
		s.log.Info("tasks that outgrow their ephemeral storage are stopped", "why", err)
		s.quotas = nil
	} else {
		s.log.Info("the file system keeps the limits of tasks' ephemeral storage", "directory", data)
	}
	s.data = data
	return s.quotas, nil
}

// disk is what is known of a task's space.
type disk struct {
	images  int64    // bytes
	layers  []string // the ids of containers whose engine does not say where they write
	dirs    []string // that they write to, each once
	project uint32   // of those directories, 0 for none
}

// look finds out where a task's containers keep what they write.
func (s *Storage) look(ctx context.Context, q quotas, d agent.Disk) (found disk, err error) {
	images, seen := map[string]bool{}, map[string]bool{"": true}
	for _, id := range d.Containers {
		l, err := s.layers.Layer(ctx, id)
		switch {
		case errors.Is(err, agent.ErrNotFound):
			continue
		case err != nil:
			return found, fmt.Errorf("where container %s writes: %w", id, err)
		}
		images[l.Image] = true
		if l.Upper == "" || !exists(l.Upper) { // the engine may be on another machine
			found.layers, l.Upper, l.Work = append(found.layers, id), "", ""
		}
		for _, dir := range append(l.Volumes, l.Upper, l.Work) {
			if !seen[dir] {
				seen[dir], found.dirs = true, append(found.dirs, dir)
			}
		}
	}
	for image := range images {
		n, err := s.layers.ImageBytes(ctx, image)
		if err != nil && !errors.Is(err, agent.ErrNotFound) {
			return found, fmt.Errorf("size of image %s: %w", image, err)
		}
		found.images += n
	}
	if q != nil {
		found.project, err = projectOf(q, found.dirs)
	}
	return found, err
}

// firstProject is the first of the projects that are tasks'. What has a lower one is the operator's or the engine's.
const firstProject = 1 << 30

// projectOf finds the project that some of the directories have already.
func projectOf(q quotas, dirs []string) (uint32, error) {
	for _, dir := range dirs {
		p, err := q.Project(dir)
		switch {
		case errors.Is(err, unix.ENOENT):
		case err != nil:
			return 0, fmt.Errorf("project of %s: %w", dir, err)
		case p >= firstProject:
			return p, nil
		}
	}
	return 0, nil
}

// Limit implements agent.Storage.
func (s *Storage) Limit(ctx context.Context, d agent.Disk) error {
	q, err := s.kept(ctx)
	if err != nil {
		return err
	}
	found, err := s.look(ctx, q, d)
	switch {
	case err != nil:
		return err
	case found.images >= d.LimitBytes:
		return fmt.Errorf("the images of the task are %d MiB and its ephemeral storage %d MiB: %w", found.images>>20, d.LimitBytes>>20, agent.ErrNoSpace)
	case q == nil || len(found.dirs) == 0:
		return nil
	}
	return s.bound(ctx, q, d, found)
}

// bound makes all that a task writes one project's, and bounds that.
func (s *Storage) bound(ctx context.Context, q quotas, d agent.Disk, found disk) (err error) {
	s.choosing.Lock()
	defer s.choosing.Unlock()
	if found.project == 0 { // another container of the task may have it by now
		if found.project, err = projectOf(q, found.dirs); err != nil {
			return err
		}
	}
	if found.project == 0 {
		if found.project, err = freeProject(q, d.Task); err != nil {
			return err
		}
	}
	if err := q.Bound(found.project, d.LimitBytes-found.images); err != nil {
		return fmt.Errorf("bound project %d: %w", found.project, err)
	}
	for _, dir := range found.dirs {
		if err := q.Mark(ctx, dir, found.project); err != nil {
			return fmt.Errorf("make %s one of project %d: %w", dir, found.project, err)
		}
	}
	return nil
}

// freeProject chooses a project for a task that nothing has.
func freeProject(q quotas, task string) (uint32, error) {
	h := fnv.New32a()
	h.Write([]byte(task)) //nolint:errcheck // it never fails
	for try := range uint32(1000) {
		p := firstProject + (h.Sum32()+try)%firstProject
		used, limit, err := q.Use(p)
		if err != nil {
			return 0, fmt.Errorf("use of project %d: %w", p, err)
		}
		if used == 0 && limit == 0 {
			return p, nil
		}
	}
	return 0, errors.New("no project is free")
}

// Used implements agent.Storage.
func (s *Storage) Used(ctx context.Context, d agent.Disk) (agent.DiskUse, error) {
	q, err := s.kept(ctx)
	if err != nil {
		return agent.DiskUse{}, err
	}
	found, err := s.look(ctx, q, d)
	if err != nil {
		return agent.DiskUse{}, err
	}
	if found.project != 0 {
		used, _, err := q.Use(found.project)
		if err != nil {
			return agent.DiskUse{}, fmt.Errorf("use of project %d: %w", found.project, err)
		}
		return agent.DiskUse{Bytes: found.images + used, Kept: true}, nil
	}
	bytes, err := s.measure(ctx, found)
	if err != nil {
		return agent.DiskUse{}, err
	}
	deleted, err := bytesDeleted(ctx, "/proc", s.data, d.Containers)
	return agent.DiskUse{Bytes: found.images + bytes + deleted}, err
}

// measure adds up what is in a task's directories, and what the engine itself must measure.
func (s *Storage) measure(ctx context.Context, found disk) (total int64, err error) {
	for _, dir := range found.dirs {
		n, err := bytesBelow(ctx, dir)
		if err != nil {
			return 0, err
		}
		total += n
	}
	for _, id := range found.layers {
		n, err := s.layers.LayerBytes(ctx, id)
		if err != nil && !errors.Is(err, agent.ErrNotFound) {
			return 0, fmt.Errorf("size of container %s: %w", id, err)
		}
		total += n
	}
	return total, nil
}

// Release implements agent.Storage.
func (s *Storage) Release(ctx context.Context, d agent.Disk) error {
	q, err := s.kept(ctx)
	if q == nil || err != nil {
		return err
	}
	found, err := s.look(ctx, q, d)
	if err != nil || found.project == 0 {
		return err
	}
	if err := q.Bound(found.project, 0); err != nil {
		return fmt.Errorf("forget the bound of project %d: %w", found.project, err)
	}
	return nil
}

// Filled implements agent.Storage.
func (s *Storage) Filled(ctx context.Context) (int64, error) {
	if _, err := s.kept(ctx); err != nil {
		return 0, err
	}
	var f unix.Statfs_t
	if err := unix.Statfs(s.data, &f); err != nil { // data does not change any more
		return 0, fmt.Errorf("look how full %s is: %w", s.data, err)
	}
	return int64(f.Blocks-f.Bfree) * f.Bsize, nil
}
