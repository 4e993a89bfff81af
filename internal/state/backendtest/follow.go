package backendtest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"berth/internal/state"
)

// followInOrder commits faster than anybody follows, in batches of every size, and checks that none is torn.
func followInOrder(t *testing.T, c Cluster) {
	a, b := c.Replica(t), c.Replica(t)
	term := lead(t, a, "a")
	const commits = 240
	size := func(n uint64) int { return int(n*7) % (state.MaxBatchWrites + 1) }
	f := follow(t, b, state.Mark{})
	var writer sync.WaitGroup
	writer.Go(func() {
		for n := uint64(1); n <= commits; n++ {
			var writes []state.Write
			for i := range size(n) {
				writes = append(writes, put(fmt.Sprint(i), n))
			}
			if err := term.Commit(deadline(t), n, writes); err != nil {
				t.Errorf("commit %d: %v", n, err)
				return
			}
		}
	})
	defer writer.Wait()
	for n := uint64(1); n <= commits; n++ {
		s := f.take(n)
		if len(s.Writes) != size(n) {
			t.Fatalf("commit %d has %d writes, want %d", n, len(s.Writes), size(n))
		}
		for _, w := range s.Writes {
			if diff := cmp.Diff(put(w.Key, n), w); diff != "" {
				t.Fatalf("commit %d (-want +got):\n%s", n, diff)
			}
		}
	}
	f.wantLoaded(b)
}

func followFromMark(t *testing.T, c Cluster) {
	b := c.Replica(t)
	term := lead(t, b, "a")
	commit(t, term, 1, put("k", 1))
	_, loaded := load(t, b)
	early := head(t, b)
	commit(t, term, 2, put("k", 2))
	commit(t, term, 3)
	for _, mark := range []state.Mark{loaded, early} {
		f := follow(t, b, mark)
		second := f.take(2)
		if diff := cmp.Diff([]state.Write{put("k", 2)}, second.Writes); diff != "" {
			t.Errorf("commit 2 (-want +got):\n%s", diff)
		}
		if third := f.take(3); len(third.Writes) != 0 || third.Term != second.Term {
			t.Errorf("the empty commit was followed as %+v", third)
		}
		again := follow(t, b, second.Mark)
		again.take(3)
	}
	f := follow(t, b, head(t, b))
	commit(t, term, 4, put("new", 4))
	f.take(4)
}

func followAcrossLeaders(t *testing.T, c Cluster) {
	a, b := c.Replica(t), c.Replica(t)
	f := follow(t, c.Replica(t), state.Mark{})
	first := lead(t, a, "a")
	commit(t, first, 1, put("k", 1))
	one := f.take(1)
	a.Expire()
	second := lead(t, b, "b")
	commit(t, second, 2, put("k", 2))
	two := f.take(2)
	if one.Term >= two.Term || one.Revision >= two.Revision {
		t.Errorf("terms and revisions do not grow: %+v, %+v", one.Mark, two.Mark)
	}
	f.wantLoaded(b)
}

func followCompacted(t *testing.T, c Cluster) {
	b := c.Replica(t)
	term := lead(t, b, "a")
	commit(t, term, 1, put("k", 1))
	old := head(t, b)
	commit(t, term, 2, put("k", 2))
	commit(t, term, 3, put("k", 3))
	c.Compact(t)
	err := b.Follow(deadline(t), old, func(m state.Mark, _ []state.Write) error {
		return fmt.Errorf("commit %d was applied, but commit 2 is forgotten", m.N)
	})
	if !errors.Is(err, state.ErrCompacted) {
		t.Fatalf("follow from before the compaction: %v, want ErrCompacted", err)
	}
	_, mark := load(t, b)
	f := follow(t, b, mark)
	commit(t, term, 4, put("k", 4))
	f.take(4)
	f.wantLoaded(b)
}

func followEnds(t *testing.T, c Cluster) {
	b := c.Replica(t)
	term := lead(t, b, "a")
	commit(t, term, 1, put("k", 1))
	commit(t, term, 2, put("k", 2))
	stop := errors.New("enough")
	calls := 0
	err := b.Follow(deadline(t), state.Mark{}, func(state.Mark, []state.Write) error {
		calls++
		return stop
	})
	if !errors.Is(err, stop) || calls != 1 {
		t.Errorf("follow returned %v after %d calls, want the error of the first", err, calls)
	}
	ctx, cancel := context.WithCancel(t.Context())
	err = b.Follow(ctx, state.Mark{}, func(m state.Mark, _ []state.Write) error {
		if m.N == 2 {
			cancel()
		}
		return nil
	})
	if err == nil || ctx.Err() == nil {
		t.Errorf("follow returned %v at the end of its context", err)
	}
}

func headNeverGoesBack(t *testing.T, c Cluster) {
	a := c.Replica(t)
	term := lead(t, a, "a")
	ctx, stop := context.WithCancel(deadline(t))
	var readers sync.WaitGroup
	for range 3 {
		b := c.Replica(t)
		readers.Go(func() {
			var last state.Mark
			for ctx.Err() == nil {
				m, err := b.Head(ctx)
				if ctx.Err() == nil && (err != nil || m.N < last.N || m.Revision < last.Revision) {
					t.Errorf("head is %+v after %+v: %v", m, last, err)
					return
				}
				last = m
			}
		})
	}
	for n := uint64(1); n <= 100; n++ {
		commit(t, term, n, put("k", n))
		wantHead(t, a, n)
	}
	stop()
	readers.Wait()
}
