package backendtest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"berth/internal/ecs"
	"berth/internal/state"
)

// patience is how long anything may take that has no time limit of its own.
const patience = 30 * time.Second

func deadline(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

func lead(t *testing.T, b state.Backend, address string) state.Term {
	t.Helper()
	term, err := b.Campaign(deadline(t), address)
	if err != nil {
		t.Fatalf("campaign of %s: %v", address, err)
	}
	return term
}

// put is a write of a task with the key in its value, and n to tell versions apart.
func put(key string, n uint64) state.Write {
	return state.Write{Kind: ecs.KindTask, Key: key, Value: fmt.Appendf(nil, `{"key":%q,"n":%d}`, key, n)}
}

func remove(key string) state.Write { return state.Write{Kind: ecs.KindTask, Key: key} }

func commit(t *testing.T, term state.Term, n uint64, writes ...state.Write) {
	t.Helper()
	if err := term.Commit(deadline(t), n, writes); err != nil {
		t.Fatalf("commit %d: %v", n, err)
	}
}

// refuse checks that a commit fails with want, and with no other of the outcomes that have a rule of their own.
func refuse(t *testing.T, term state.Term, n uint64, want error, writes ...state.Write) {
	t.Helper()
	err := term.Commit(deadline(t), n, writes)
	if err == nil {
		t.Fatalf("commit %d succeeded, want %v", n, want)
	}
	for _, outcome := range []error{state.ErrRefused, state.ErrUnknown, state.ErrNoSpace} {
		if errors.Is(err, outcome) != (outcome == want) {
			t.Fatalf("commit %d: %v, want %v", n, err, want)
		}
	}
}

// errDefinite stands for any error that says that nothing was applied, except no space.
var errDefinite = errors.New("a errDefinite error")

func head(t *testing.T, b state.Backend) state.Mark {
	t.Helper()
	m, err := b.Head(deadline(t))
	if err != nil {
		t.Fatalf("head: %v", err)
	}
	return m
}

func wantHead(t *testing.T, b state.Backend, n uint64) {
	t.Helper()
	if m := head(t, b); m.N != n {
		t.Fatalf("head is commit %d, want %d", m.N, n)
	}
}

func load(t *testing.T, b state.Backend) (map[string]string, state.Mark) {
	t.Helper()
	got := map[string]string{}
	mark, err := b.Load(deadline(t), func(w state.Write) error {
		at := string(w.Kind) + "/" + w.Key
		if _, twice := got[at]; twice || w.Value == nil {
			return fmt.Errorf("key %s came twice or without a value", at)
		}
		got[at] = string(w.Value)
		return nil
	})
	if err != nil {
		t.Fatalf("load: %v", err)
	}
	return got, mark
}

// wantRecords checks what Load yields.
func wantRecords(t *testing.T, b state.Backend, n uint64, writes ...state.Write) {
	t.Helper()
	want := map[string]string{}
	replay(want, writes)
	got, mark := load(t, b)
	if mark.N != n {
		t.Errorf("loaded as of commit %d, want %d", mark.N, n)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("records (-want +got):\n%s", diff)
	}
}

func replay(records map[string]string, writes []state.Write) {
	for _, w := range writes {
		at := string(w.Kind) + "/" + w.Key
		if w.Value != nil {
			records[at] = string(w.Value)
		} else {
			delete(records, at)
		}
	}
}

// seen is one call of apply.
type seen struct {
	state.Mark
	Writes []state.Write
}

// follower collects what one Follow applies.
type follower struct {
	t       *testing.T
	commits chan seen
	ended   chan error
	records map[string]string // after all commits that were taken
}

// follow starts a Follow that the end of the test ends and waits for.
func follow(t *testing.T, b state.Backend, after state.Mark) *follower {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	f := &follower{t: t, commits: make(chan seen), ended: make(chan error, 1), records: map[string]string{}}
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		f.ended <- b.Follow(ctx, after, func(m state.Mark, writes []state.Write) error {
			select {
			case f.commits <- seen{m, writes}:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		})
	}()
	t.Cleanup(func() { cancel(); <-stopped })
	return f
}

// take waits for commit n, which must be the next one.
func (f *follower) take(n uint64) seen {
	f.t.Helper()
	select {
	case s := <-f.commits:
		if s.N != n {
			f.t.Fatalf("followed commit %d, want %d", s.N, n)
		}
		replay(f.records, s.Writes)
		return s
	case err := <-f.ended:
		f.t.Fatalf("following ended before commit %d: %v", n, err)
	case <-time.After(patience):
		f.t.Fatalf("commit %d was not followed in %v", n, patience)
	}
	return seen{}
}

// wantLoaded checks that what was followed is what Load yields.
func (f *follower) wantLoaded(b state.Backend) {
	f.t.Helper()
	loaded, _ := load(f.t, b)
	if !maps.Equal(loaded, f.records) {
		f.t.Errorf("followed is not what is loaded (-loaded +followed):\n%s", cmp.Diff(loaded, f.records))
	}
}

func wantDone(t *testing.T, term state.Term) {
	t.Helper()
	select {
	case <-term.Done():
	case <-time.After(patience):
		t.Fatalf("the term's lease is lost, but Done is open after %v", patience)
	}
}
