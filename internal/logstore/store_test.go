package logstore

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/google/go-cmp/cmp"

	"berth/internal/logs"
)

const group = "0123456789abcdef"

func open(t testing.TB, fs vfs.FS) *Store {
	t.Helper()
	s, err := Open(Config{Dir: "logs", FS: fs, MinFree: 1})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// opened is a store in memory that is closed when the test ends.
func opened(t testing.TB) *Store {
	t.Helper()
	s := open(t, vfs.NewMem())
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func stream(name string) logs.StreamName { return logs.StreamName{Group: group, Name: name} }

func (s *Store) mustCreate(t testing.TB, names ...string) {
	t.Helper()
	for _, n := range names {
		if err := s.Create(t.Context(), stream(n), 1000); err != nil {
			t.Fatal(err)
		}
	}
}

// mustAppend writes events as "time message".
func (s *Store) mustAppend(t testing.TB, name string, events ...string) {
	t.Helper()
	if err := s.Append(t.Context(), stream(name), parse(t, events...), 5000); err != nil {
		t.Fatal(err)
	}
}

func parse(t testing.TB, texts ...string) (events []logs.Event) {
	t.Helper()
	for _, text := range texts {
		var e logs.Event
		if _, err := fmt.Sscanf(text, "%d %s", &e.Time, &e.Message); err != nil {
			t.Fatal(err)
		}
		events = append(events, e)
	}
	return events
}

func texts(t testing.TB, events iter.Seq2[logs.Stored, error]) (out []string) {
	t.Helper()
	for e, err := range events {
		if err != nil {
			t.Fatal(err)
		}
		if e.Time != e.Place.Time {
			t.Errorf("%q of %d stands at %d", e.Message, e.Time, e.Place.Time)
		}
		out = append(out, fmt.Sprintf("%s %d %s", e.Stream, e.Time, e.Message))
	}
	return out
}

func same(t testing.TB, what string, want, got []string) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func TestEvents(t *testing.T) {
	s := opened(t)
	s.mustCreate(t, "a", "b", "bb", "c")
	s.mustAppend(t, "b", "10 one", "20 two", "20 three")
	s.mustAppend(t, "a", "15 four", "30 five")
	s.mustAppend(t, "b", "5 late")
	s.mustAppend(t, "bb", "20 six")
	if err := s.Create(t.Context(), logs.StreamName{Group: group + "x", Name: "b"}, 1); err != nil { // a group whose id begins alike
		t.Fatal(err)
	}
	if err := s.Append(t.Context(), logs.StreamName{Group: group + "x", Name: "b"}, parse(t, "20 other"), 1); err != nil {
		t.Fatal(err)
	}
	all := []string{"b 5 late", "b 10 one", "a 15 four", "b 20 two", "b 20 three", "bb 20 six", "a 30 five"}
	for _, test := range []struct {
		name string
		q    logs.Query
		want []string
	}{
		{"all", logs.Query{}, all},
		{"one", logs.Query{Streams: []string{"b"}}, []string{"b 5 late", "b 10 one", "b 20 two", "b 20 three"}},
		{"one twice", logs.Query{Streams: []string{"a", "a"}}, []string{"a 15 four", "a 30 five"}},
		{"empty", logs.Query{Streams: []string{"c"}}, nil},
		{"two", logs.Query{Streams: []string{"bb", "a"}}, []string{"a 15 four", "bb 20 six", "a 30 five"}},
		{"prefix", logs.Query{Prefix: "b"}, []string{"b 5 late", "b 10 one", "b 20 two", "b 20 three", "bb 20 six"}},
		{"prefix of none", logs.Query{Prefix: "bbb"}, nil},
		{"time", logs.Query{From: 10, To: 20}, []string{"b 10 one", "a 15 four"}},
		{"backward", logs.Query{Streams: []string{"b"}, Backward: true}, []string{"b 20 three", "b 20 two", "b 10 one", "b 5 late"}},
		{"backward in time", logs.Query{Streams: []string{"b"}, Backward: true, From: 6, To: 20}, []string{"b 10 one"}},
	} {
		test.q.Group = group
		same(t, test.name, test.want, texts(t, s.Events(t.Context(), test.q)))
	}
}

// TestPlaces: whatever event is named as the last that was seen, what is behind it and what is before it are all the others.
func TestPlaces(t *testing.T) {
	s := opened(t)
	s.mustCreate(t, "a", "b", "c")
	for i := range 40 {
		s.mustAppend(t, []string{"a", "b", "c"}[i%3], fmt.Sprintf("%d m%d", i/5, i), fmt.Sprintf("%d n%d", i/5, i))
	}
	for _, streams := range [][]string{nil, {"b"}, {"a", "c"}} {
		var places []logs.Place
		for e, err := range s.Events(t.Context(), logs.Query{Group: group, Streams: streams}) {
			if err != nil {
				t.Fatal(err)
			}
			places = append(places, e.Place)
		}
		all := texts(t, s.Events(t.Context(), logs.Query{Group: group, Streams: streams}))
		for i := range places {
			after := texts(t, s.Events(t.Context(), logs.Query{Group: group, Streams: streams, After: &places[i]}))
			before := texts(t, s.Events(t.Context(), logs.Query{Group: group, Streams: streams, Before: &places[i]}))
			same(t, fmt.Sprintf("%v around %s", streams, all[i]), all, slices.Concat(before, all[i:i+1], after))
		}
	}
}

// TestManyStreams: more streams, and longer ones, than are read at once.
func TestManyStreams(t *testing.T) {
	s := opened(t)
	var want []string
	for i := range 30 {
		name := fmt.Sprintf("s%02d", i)
		s.mustCreate(t, name)
		var events []string
		for j := range 3 * pieceEvents {
			events = append(events, fmt.Sprintf("%d %s", 1+i*pieceEvents+j, strings.Repeat("x", j%7)+"y"))
			want = append(want, fmt.Sprintf("%08d %s", 1+i*pieceEvents+j, name))
		}
		s.mustAppend(t, name, events...)
	}
	slices.Sort(want)
	var got []string
	for e, err := range s.Events(t.Context(), logs.Query{Group: group}) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, fmt.Sprintf("%08d %s", e.Time, e.Stream))
	}
	same(t, "all", want, got)
}

// TestPieces: the more streams are read together, the less is read ahead of each, but one event always.
func TestPieces(t *testing.T) {
	s := opened(t)
	s.mustCreate(t, "a")
	var events []string
	for i := range 2 * pieceEvents {
		events = append(events, fmt.Sprintf("%d %s", i, strings.Repeat("x", 1024-eventCost)))
	}
	s.mustAppend(t, "a", events...)
	it, err := s.db.NewIter(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer it.Close() //nolint:errcheck // it has told its errors
	for streams, want := range map[int]int{1: 16, 1024: 16, 4096: 4, 10000: 2, 1 << 30: 1} {
		r := &reader{ctx: t.Context(), store: s, it: it, q: logs.Query{Group: group}, piece: pieceOf(streams)}
		c := &cursor{stream: logs.Stream{Name: "a", Number: 1}, next: r.first(1), end: r.end(1)}
		read := 0
		for range 3 {
			if err := r.fill(c); err != nil {
				t.Fatal(err)
			}
			if len(c.piece) != want {
				t.Errorf("of %d streams %d events are read ahead, not %d", streams, len(c.piece), want)
			}
			read += len(c.piece)
		}
		if c.next.Time != logs.Time(read-1) {
			t.Errorf("of %d streams the reading is at %d, not %d", streams, c.next.Time, read-1)
		}
	}
}

func TestStreams(t *testing.T) {
	s := opened(t)
	s.mustCreate(t, "b", "a/1", "a/2")
	s.mustAppend(t, "a/2", "7 x", "9 y")
	names := func(prefix string) (out []string) {
		for one, err := range s.Streams(t.Context(), group, prefix) {
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, fmt.Sprintf("%s %d %d %d %v", one.Name, one.Created, one.Last, one.Ingested, one.Empty()))
		}
		return out
	}
	same(t, "all", []string{"a/1 1000 0 0 true", "a/2 1000 9 5000 false", "b 1000 0 0 true"}, names(""))
	same(t, "prefix", []string{"a/1 1000 0 0 true", "a/2 1000 9 5000 false"}, names("a/"))
	same(t, "the last character", nil, names("\xff"))
}

func TestRefusals(t *testing.T) {
	s := opened(t)
	s.mustCreate(t, "a")
	wants := func(what string, want, got error) {
		t.Helper()
		if !errors.Is(got, want) {
			t.Errorf("%s: %v, want %v", what, got, want)
		}
	}
	wants("create twice", logs.ErrStreamExists, s.Create(t.Context(), stream("a"), 1))
	wants("append to none", logs.ErrNoStream, s.Append(t.Context(), stream("b"), parse(t, "1 x"), 1))
	for _, err := range s.Events(t.Context(), logs.Query{Group: group, Streams: []string{"a", "b"}}) {
		wants("read none", logs.ErrNoStream, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	wants("append after its end", context.Canceled, s.Append(ctx, stream("a"), parse(t, "1 "+strings.Repeat("x", 100)), 1))
	read := 0
	for range s.Events(t.Context(), logs.Query{Group: group}) {
		read++
	}
	if read > 1 {
		t.Errorf("%d events are there", read)
	}
}

func TestDrop(t *testing.T) {
	s := opened(t)
	drop := func(span logs.Span) {
		t.Helper()
		if err := s.Drop(t.Context(), span); err != nil {
			t.Fatal(err)
		}
	}
	all := func() []string { t.Helper(); return texts(t, s.Events(t.Context(), logs.Query{Group: group})) }
	s.mustCreate(t, "a", "b")
	s.mustAppend(t, "a", "10 one", "20 two")
	s.mustAppend(t, "b", "12 three")
	drop(logs.Span{Group: group, Before: 12})
	same(t, "cut", []string{"b 12 three", "a 20 two"}, all())
	drop(logs.Span{Group: group, Before: 13})
	s.mustAppend(t, "b", "11 late")
	same(t, "cut, and written into before it", []string{"b 11 late", "a 20 two"}, all())
	drop(logs.Span{Group: group, Stream: "a"})
	drop(logs.Span{Group: group, Stream: "nobody"})
	same(t, "a stream is gone", []string{"b 11 late"}, all())
	s.mustCreate(t, "a")
	same(t, "a stream made anew is empty", []string{"b 11 late"}, all())
	if ids, err := s.Groups(t.Context()); err != nil || !slices.Equal(ids, []string{group}) {
		t.Errorf("groups %q, %v", ids, err)
	}
	drop(logs.Span{Group: group})
	same(t, "the group is gone", nil, all())
	if ids, err := s.Groups(t.Context()); err != nil || len(ids) > 0 {
		t.Errorf("groups %q, %v", ids, err)
	}
	if err := s.Append(t.Context(), stream("a"), parse(t, "1 x"), 1); !errors.Is(err, logs.ErrNoStream) {
		t.Errorf("a stream of it is left: %v", err)
	}
}

// TestEmptyStreamsStay: what an earlier cut has left empty, and what never had an event, no later cut writes again: there may be very many of them.
func TestEmptyStreamsStay(t *testing.T) {
	s := opened(t)
	s.mustCreate(t, "a", "b", "never")
	s.mustAppend(t, "a", "10 one")
	s.mustAppend(t, "b", "10 one", "90 two")
	first := func(before logs.Time) string {
		t.Helper()
		if err := s.Drop(t.Context(), logs.Span{Group: group, Before: before}); err != nil {
			t.Fatal(err)
		}
		text := ""
		for one, err := range s.Streams(t.Context(), group, "") {
			if err != nil {
				t.Fatal(err)
			}
			text += fmt.Sprintf("%s:%d ", one.Name, min(one.First, 9999))
		}
		return text
	}
	if got := first(50); got != "a:50 b:50 never:9999 " {
		t.Error(got)
	}
	if got := first(60); got != "a:50 b:60 never:9999 " {
		t.Error(got)
	}
}

// TestOneBatch: what stands in one batch sees what stands before it there.
func TestOneBatch(t *testing.T) {
	s := opened(t)
	hold := make(chan struct{})
	var all sync.WaitGroup
	run := func(change func(b *batch) error) {
		done := make(chan error, 1)
		s.calls <- &call{make: change, done: done}
		all.Go(func() {
			if err := <-done; err != nil {
				t.Error(err)
			}
		})
	}
	run(func(*batch) error { <-hold; return nil }) // the others wait behind it and come into its batch
	run(func(b *batch) error { return b.put(stream("a"), &logs.Stream{Name: "a", Number: 7, First: 1 << 40}) })
	run(func(b *batch) error { return b.append(stream("a"), parse(t, "1 x", "2 y"), 3) })
	run(func(b *batch) error { return b.cut(stream("a"), 2) })
	run(func(b *batch) error { return b.append(stream("a"), parse(t, "3 z"), 3) })
	run(func(b *batch) error { return b.put(stream("b"), &logs.Stream{Name: "b", Number: 8, First: 1 << 40}) })
	run(func(b *batch) error { return b.append(stream("b"), parse(t, "1 gone"), 3) })
	run(func(b *batch) error { return b.dropStream(stream("b")) })
	run(func(b *batch) error {
		if old, err := b.stream(stream("b")); old != nil || err != nil {
			return fmt.Errorf("b is %v (%w)", old, err)
		}
		return nil
	})
	close(hold)
	all.Wait()
	same(t, "left", []string{"a 2 y", "a 3 z"}, texts(t, s.Events(t.Context(), logs.Query{Group: group})))
	if n := s.db.Metrics().WAL.BytesIn; n == 0 {
		t.Error("nothing was written")
	}
}

// TestDroppedInBatch: what stands behind a group's end in one batch does not see its streams any more.
func TestDroppedInBatch(t *testing.T) {
	s := opened(t)
	s.mustCreate(t, "a")
	hold, done := make(chan struct{}), make(chan error, 3)
	for _, change := range []func(b *batch) error{
		func(*batch) error { <-hold; return nil },
		func(b *batch) error { return b.dropGroup(group) },
		func(b *batch) error { return b.append(stream("a"), parse(t, "1 x"), 1) },
	} {
		s.calls <- &call{make: change, done: done}
	}
	close(hold)
	var failed error
	for range 3 {
		failed = errors.Join(failed, <-done)
	}
	if !errors.Is(failed, logs.ErrNoStream) {
		t.Errorf("a dropped stream is written to: %v", failed)
	}
	same(t, "left", nil, texts(t, s.Events(t.Context(), logs.Query{Group: group})))
}
