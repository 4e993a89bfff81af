package registry

import "sync"

// uploads are those that a request is under way for. The zero value is ready.
type uploads struct {
	mu   sync.Mutex
	busy map[string]bool // by storage and id
}

// enter marks an upload; false where another request is under way for it.
func (u *uploads) enter(key string) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.busy[key] {
		return false
	}
	if u.busy == nil {
		u.busy = map[string]bool{}
	}
	u.busy[key] = true
	return true
}

func (u *uploads) leave(key string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	delete(u.busy, key)
}
