package backendtest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"berth/internal/state"
)

func fenceRefuses(t *testing.T, c Cluster) {
	a, b := c.Replica(t), c.Replica(t)
	old := lead(t, a, "a")
	commit(t, old, 1, put("k", 1))
	a.Expire()
	term := lead(t, b, "b")
	refuse(t, old, 2, state.ErrRefused, put("k", 666))
	commit(t, term, 2, put("k", 2))
	refuse(t, old, 3, state.ErrRefused, put("k", 666))
	wantDone(t, old)
	wantRecords(t, a, 2, put("k", 2))
	if m := head(t, b); m.Term <= 1 {
		t.Errorf("term of the newest commit is %d", m.Term)
	}
}

func expiredLeaseRefuses(t *testing.T, c Cluster) {
	a := c.Replica(t)
	term := lead(t, a, "a")
	commit(t, term, 1, put("k", 1))
	a.Expire()
	refuse(t, term, 2, state.ErrRefused, put("k", 2))
	wantDone(t, term)
	again := lead(t, a, "a")
	commit(t, again, 2, put("k", 22))
	wantRecords(t, a, 2, put("k", 22))
}

func newLeaderLoadsAll(t *testing.T, c Cluster) {
	a, b := c.Replica(t), c.Replica(t)
	term := lead(t, a, "a")
	var want []state.Write
	for n := uint64(1); n <= 50; n++ {
		w := put(fmt.Sprint(n), n)
		commit(t, term, n, w)
		want = append(want, w)
	}
	if err := term.Resign(deadline(t)); err != nil {
		t.Fatal(err)
	}
	next := lead(t, b, "b")
	wantRecords(t, b, 50, want...)
	commit(t, next, head(t, b).N+1, remove("50"))
	wantRecords(t, a, 51, want[:49]...)
}

func resignHandsOver(t *testing.T, c Cluster) {
	a, b := c.Replica(t), c.Replica(t)
	term := lead(t, a, "a")
	won := make(chan state.Term, 1)
	go func() {
		next, err := b.Campaign(deadline(t), "b")
		if err != nil {
			t.Errorf("campaign: %v", err)
		}
		won <- next
	}()
	select {
	case <-won:
		t.Fatal("a second leader beside the first")
	case <-time.After(100 * time.Millisecond):
	}
	start := time.Now()
	for range 2 {
		if err := term.Resign(deadline(t)); err != nil {
			t.Fatalf("resign: %v", err)
		}
	}
	next := <-won
	if next == nil {
		t.FailNow()
	}
	if took := time.Since(start); took > c.Lease/2 {
		t.Errorf("handing over took %v, and the lease is %v", took, c.Lease)
	}
	wantDone(t, term)
	refuse(t, term, 1, state.ErrRefused)
	commit(t, next, 1)
}

func silentLeaderIsReplaced(t *testing.T, c Cluster) {
	a, b := c.Replica(t), c.Replica(t)
	commit(t, lead(t, a, "a"), 1, put("k", 1))
	a.Silence()
	start := time.Now()
	next := lead(t, b, "b")
	if took := time.Since(start); took < c.Lease/3 {
		t.Errorf("the silent leader was replaced after %v, and its lease is %v", took, c.Lease)
	}
	commit(t, next, 2, put("k", 2))
	wantRecords(t, b, 2, put("k", 2))
}

// confirmationAges: a leader's reads rely on a confirmation being no younger than the cluster's last sign of life.
func confirmationAges(t *testing.T, c Cluster) {
	a := c.Replica(t)
	term := lead(t, a, "a")
	at, lease := term.Confirmed()
	if lease != c.Lease || time.Since(at) > lease {
		t.Errorf("confirmed %v ago for %v, want a lease of %v", time.Since(at), lease, c.Lease)
	}
	time.Sleep(c.Lease)
	if at, _ := term.Confirmed(); time.Since(at) > c.Lease*2/3 {
		t.Errorf("confirmed %v ago while the cluster answers", time.Since(at))
	}
	a.Silence()
	silent := time.Now()
	time.Sleep(c.Lease)
	if at, _ := term.Confirmed(); at.After(silent) {
		t.Errorf("confirmed %v after the cluster fell silent", at.Sub(silent))
	}
}

// neverTwoLeaders lets three replicas win, commit, lose their lease or resign, in a crowd, and looks at what is there afterwards.
func neverTwoLeaders(t *testing.T, c Cluster) {
	const wins = 5
	var crowd sync.WaitGroup
	ctx := deadline(t)
	for i := range 3 {
		r := c.Replica(t)
		crowd.Go(func() {
			for win := range wins {
				if err := serve(ctx, r, fmt.Sprintf("replica %d", i), win%2 == 0); err != nil {
					t.Errorf("replica %d, win %d: %v", i, win, err)
					return
				}
			}
		})
	}
	crowd.Wait()
	b := c.Replica(t)
	newest := head(t, b)
	f := follow(t, b, state.Mark{})
	var last state.Mark
	for n := uint64(1); n <= newest.N; n++ {
		s := f.take(n)
		if s.Term < last.Term || s.Revision <= last.Revision {
			t.Fatalf("commit %+v follows %+v", s.Mark, last)
		}
		last = s.Mark
	}
	f.wantLoaded(b)
	if newest.N < 3*wins*2 {
		t.Errorf("%d commits, want at least two of each of %d terms", newest.N, 3*wins)
	}
}

// serve is one term: win, commit twice, lose the leadership, and be refused.
func serve(ctx context.Context, r Replica, name string, resign bool) error {
	term, err := r.Campaign(ctx, name)
	if err != nil {
		return err
	}
	m, err := r.Head(ctx)
	if err != nil {
		return err
	}
	for n := m.N + 1; n <= m.N+2; n++ {
		if err := term.Commit(ctx, n, []state.Write{put(name, n), put("newest", n)}); err != nil {
			return err
		}
	}
	if resign {
		err = term.Resign(ctx)
	} else {
		r.Expire()
	}
	if err != nil {
		return err
	}
	if err := term.Commit(ctx, m.N+3, []state.Write{put("deposed", 1)}); !errors.Is(err, state.ErrRefused) {
		return fmt.Errorf("a deposed leader's commit: %w, want ErrRefused", err)
	}
	return nil
}

func addressIsKnown(t *testing.T, c Cluster) {
	a, b := c.Replica(t), c.Replica(t)
	term := lead(t, a, "10.0.0.1:3270")
	wantLeader := func(want string) {
		t.Helper()
		if got, err := b.Leader(deadline(t)); got != want || err != nil {
			t.Errorf("leader is %q, %v; want %q", got, err, want)
		}
	}
	wantLeader("10.0.0.1:3270")
	if err := term.Resign(deadline(t)); err != nil {
		t.Fatal(err)
	}
	wantLeader("")
	lead(t, b, "10.0.0.2:3270")
	wantLeader("10.0.0.2:3270")
}

func campaignEnds(t *testing.T, c Cluster) {
	a, b := c.Replica(t), c.Replica(t)
	term := lead(t, a, "a")
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if _, err := b.Campaign(ctx, "b"); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("campaign beside a leader: %v, want the context's error", err)
	}
	commit(t, term, 1, put("k", 1))
	if err := term.Resign(deadline(t)); err != nil {
		t.Fatal(err)
	}
	commit(t, lead(t, b, "b"), 2, put("k", 2))
}
