package state

import (
	"context"
	"sync"
	"time"
)

// heads shares linearizable reads of the commit number among the requests that wait for one. A read serves those that came before it began.
type heads struct {
	backend Backend
	turn    chan struct{} // holds a token while a read is under way
	mu      sync.Mutex
	forming *round
}

// readWithin bounds a read of a backend that does not answer.
const readWithin = 5 * time.Second

// round is one read and those who wait for it.
type round struct {
	done chan struct{}
	mark Mark
	err  error
}

func (h *heads) join() *round {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.forming == nil {
		h.forming = &round{done: make(chan struct{})}
	}
	return h.forming
}

// next returns a mark that was read after next was called.
func (h *heads) next(ctx context.Context) (Mark, error) {
	r := h.join()
	select {
	case <-r.done:
		return r.mark, r.err
	case <-ctx.Done():
		return Mark{}, ctx.Err()
	case h.turn <- struct{}{}:
		defer func() { <-h.turn }()
	}
	h.mu.Lock()
	mine := h.forming == r // else somebody else has read for this round
	if mine {
		h.forming = nil
	}
	h.mu.Unlock()
	if mine { // others wait for it too: it does not end with this caller
		reading, cancel := context.WithTimeout(context.WithoutCancel(ctx), readWithin)
		r.mark, r.err = h.backend.Head(reading)
		cancel()
		close(r.done)
	}
	<-r.done
	return r.mark, r.err
}
