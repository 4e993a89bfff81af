package agent

import (
	"context"
	"encoding/json"
	"sync"
	"time"
)

// marks are how far logs are sent. They are written down together, now and then: after a crash, what was sent since is sent again. The zero value is ready.
type marks struct {
	mu    sync.Mutex
	all   map[string]LogMark // by the task's ARN, a slash, and the container's name
	dirty map[string]bool
}

func (m *marks) of(key string) LogMark {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.all[key]
}

// kept takes in a mark that is written down.
func (m *marks) kept(key string, mark LogMark) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.all == nil {
		m.all, m.dirty = map[string]LogMark{}, map[string]bool{}
	}
	m.all[key] = mark
}

func (m *marks) set(key string, mark LogMark) {
	m.kept(key, mark)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.dirty[key] = true
}

// forget takes the marks of a task's containers away, and returns the changes of the ledger that do.
func (m *marks) forget(task string, names []string) map[string][]byte {
	m.mu.Lock()
	defer m.mu.Unlock()
	changes := map[string][]byte{}
	for _, name := range names {
		key := task + "/" + name
		if _, known := m.all[key]; known {
			changes[logPrefix+key] = nil
		}
		delete(m.all, key)
		delete(m.dirty, key)
	}
	return changes
}

// news are the marks that are not written down.
func (m *marks) news() (map[string][]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	changes := map[string][]byte{}
	for key := range m.dirty {
		value, err := json.Marshal(m.all[key])
		if err != nil {
			return nil, err
		}
		changes[logPrefix+key] = value
	}
	clear(m.dirty)
	return changes, nil
}

// again marks what could not be written down.
func (m *marks) again(changes map[string][]byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for key := range changes {
		if key = key[len(logPrefix):]; !m.all[key].At.IsZero() {
			m.dirty[key] = true
		}
	}
}

// marksEvery is how often marks are written down.
const marksEvery = time.Second

// keepMarks writes marks down until ctx ends, and then once more.
func (a *Agent) keepMarks(ctx context.Context) error {
	tick := time.NewTicker(marksEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			a.writeMarks(ctx)
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), marksEvery)
			defer cancel()
			a.writeMarks(last)
			return nil
		}
	}
}

func (a *Agent) writeMarks(ctx context.Context) {
	changes, err := a.marks.news()
	if err == nil && len(changes) > 0 {
		err = a.Ledger.Write(ctx, changes)
	}
	if err != nil {
		a.Log.Warn("how far logs are sent is not written down, trying again", "err", err)
		a.marks.again(changes)
	}
}
