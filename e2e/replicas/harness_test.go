// Package replicas drives several real berth servers on loopback, as three machines would run them: it kills, stops, drains and restarts them
// under writers, and looks whether everything that was acknowledged is there.
package replicas

import (
	"context"
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	"berth/e2e/site"
)

func TestMain(m *testing.M) { os.Exit(site.Main(m, 4)) }

// firstWrite is how long it takes from began until a write that is begun now succeeds, through any of the replicas.
func firstWrite(s *site.Site, began time.Time, through []*site.Replica, name string) time.Duration {
	s.T.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), site.Patience)
	defer cancel()
	done := make(chan time.Duration, len(through))
	var tries sync.WaitGroup
	for i, r := range through {
		tries.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				if r.Write(ctx, fmt.Sprintf("%s-%d-%d", name, i, n)) == nil {
					done <- time.Since(began)
					return
				}
				time.Sleep(10 * time.Millisecond)
			}
		})
	}
	var took time.Duration
	select {
	case took = <-done:
	case <-ctx.Done():
		s.T.Fatalf("no write within %v", site.Patience)
	}
	cancel()
	tries.Wait()
	return took
}

// everywhere writes through each replica and looks whether all show it at once.
func everywhere(s *site.Site) {
	s.T.Helper()
	for i, r := range s.Members {
		name := fmt.Sprintf("through-%d", i)
		if err := r.Write(context.Background(), name); err != nil {
			s.T.Fatalf("write through %v: %v", r, err)
		}
		for _, x := range s.Members {
			if !x.Clusters()[name] {
				s.T.Errorf("%v does not show at once what was written through %v", x, r)
			}
		}
	}
}

// writers write through every replica until they are stopped, whatever happens, and remember what was acknowledged.
type writers struct {
	mu    sync.Mutex
	acked []string
	fails int
	last  string
	stop  context.CancelFunc
	all   sync.WaitGroup
}

func startWriters(s *site.Site, prefix string) *writers {
	ctx, cancel := context.WithCancel(context.Background())
	w := &writers{stop: cancel}
	for i, r := range s.Members {
		w.all.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				name := fmt.Sprintf("%s-%d-%d", prefix, i, n)
				w.note(name, r.Write(context.Background(), name))
				time.Sleep(20 * time.Millisecond)
			}
		})
	}
	s.T.Cleanup(w.end)
	return w
}

func (w *writers) note(name string, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err == nil {
		w.acked = append(w.acked, name)
	} else {
		w.fails++
		w.last = err.Error()
	}
}

// more waits until so many more writes were acknowledged.
func (w *writers) more(s *site.Site, n int) {
	s.T.Helper()
	acked := func() int {
		w.mu.Lock()
		defer w.mu.Unlock()
		return len(w.acked)
	}
	before := acked()
	site.Eventually(s.T, "the writers go on", func() error {
		if got := acked() - before; got < n {
			return fmt.Errorf("%d of %d writes acknowledged", got, n)
		}
		return nil
	})
}

func (w *writers) end() {
	w.stop()
	w.all.Wait()
}

// check stops the writers and looks, through every replica, for all that was acknowledged.
func (w *writers) check(s *site.Site) {
	s.T.Helper()
	w.end()
	for _, r := range s.Members {
		have := r.Clusters()
		lost := 0
		for _, name := range w.acked {
			if !have[name] {
				lost++
			}
		}
		if lost > 0 {
			s.T.Errorf("%v: %d of %d acknowledged writes are lost", r, lost, len(w.acked))
		}
	}
	s.T.Logf("%d writes acknowledged, %d not (the last: %.200s)", len(w.acked), w.fails, w.last)
}
