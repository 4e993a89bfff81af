package agenttest

import (
	"context"
	"maps"
	"sync"

	"berth/internal/agent"
)

// Storage is the disk space of tasks in memory. It keeps the contract of agent.Storage. The zero value is one on which nothing is stored.
type Storage struct {
	Kept bool // it keeps limits by itself

	mu     sync.Mutex
	images int64            // bytes, of each task
	used   map[string]int64 // by task's id
	filled int64
	limits map[string]int64
	looks  map[string]int
	err    error
}

// Store makes a task take so many bytes, besides its images. Others see that the disk is as much fuller.
func (s *Storage) Store(task string, bytes int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.used == nil {
		s.used = map[string]int64{}
	}
	s.filled += bytes - s.used[task]
	s.used[task] = bytes
}

// SetImages makes the images of each task as large.
func (s *Storage) SetImages(bytes int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.images = bytes
}

// Fail makes everything fail, until it is told nil.
func (s *Storage) Fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.err = err
}

// Limits are the limits that hold, by task's id.
func (s *Storage) Limits() map[string]int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.limits)
}

// Looks is how often a task was measured.
func (s *Storage) Looks(task string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.looks[task]
}

// Limit implements agent.Storage.
func (s *Storage) Limit(_ context.Context, d agent.Disk) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.err != nil:
		return s.err
	case s.images >= d.LimitBytes:
		return agent.ErrNoSpace
	}
	if s.limits == nil {
		s.limits = map[string]int64{}
	}
	s.limits[d.Task] = d.LimitBytes
	return nil
}

// Used implements agent.Storage.
func (s *Storage) Used(_ context.Context, d agent.Disk) (agent.DiskUse, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.looks == nil {
		s.looks = map[string]int{}
	}
	s.looks[d.Task]++
	return agent.DiskUse{Bytes: s.images + s.used[d.Task], Kept: s.Kept}, s.err
}

// Release implements agent.Storage.
func (s *Storage) Release(_ context.Context, d agent.Disk) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err == nil {
		delete(s.limits, d.Task)
	}
	return s.err
}

// Filled implements agent.Storage.
func (s *Storage) Filled(context.Context) (int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.filled, s.err
}
