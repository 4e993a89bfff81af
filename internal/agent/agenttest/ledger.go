package agenttest

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"

	"berth/internal/agent"
)

// Ledger is an agent's ledger in memory. It lives on when the agent is made anew.
type Ledger struct {
	Cut  func(op string) // as the engine's
	Fail error           // of every write while it is set; set it with SetFail

	mu     sync.Mutex
	values map[string][]byte
}

var _ agent.Ledger = (*Ledger)(nil)

// SetFail makes every write fail, or none.
func (l *Ledger) SetFail(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.Fail = err
}

// Lose forgets everything.
func (l *Ledger) Lose() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.values = nil
}

// Keys returns the keys that are kept.
func (l *Ledger) Keys() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Sorted(maps.Keys(l.values))
}

// Text is all that is kept.
func (l *Ledger) Text() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return fmt.Sprintf("%s", l.values)
}

// Read implements agent.Ledger.
func (l *Ledger) Read(each func(key string, value []byte) error) error {
	l.mu.Lock()
	values := maps.Clone(l.values)
	l.mu.Unlock()
	for _, k := range slices.Sorted(maps.Keys(values)) {
		if err := each(k, bytes.Clone(values[k])); err != nil {
			return fmt.Errorf("ledger key %s: %w", k, err)
		}
	}
	return nil
}

// Write implements agent.Ledger.
func (l *Ledger) Write(ctx context.Context, changes map[string][]byte) error {
	if l.Cut != nil {
		l.Cut("write")
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := l.write(changes); err != nil {
		return err
	}
	if l.Cut != nil {
		l.Cut("write")
	}
	return ctx.Err()
}

func (l *Ledger) write(changes map[string][]byte) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.Fail != nil {
		return l.Fail
	}
	if l.values == nil {
		l.values = map[string][]byte{}
	}
	for k, v := range changes {
		if v == nil {
			delete(l.values, k)
		} else {
			l.values[k] = bytes.Clone(v)
		}
	}
	return nil
}
