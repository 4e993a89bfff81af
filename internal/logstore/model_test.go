package logstore

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"pgregory.net/rapid"

	"berth/internal/logs"
)

// model is what a store must hold of one group.
type model struct {
	order  map[string]int // of streams, by when they were made
	events []modelled     // in the order of writing
	made   int
}

type modelled struct {
	stream string
	e      logs.Event
}

// find are the events that a query asks for, as the store must have them.
func (m *model) find(q logs.Query) (out []string) {
	var all []modelled
	for _, one := range m.events {
		in := len(q.Streams) == 0 && strings.HasPrefix(one.stream, q.Prefix) || slices.Contains(q.Streams, one.stream)
		if in && one.e.Time >= q.From && (q.To == 0 || one.e.Time < q.To) {
			all = append(all, one)
		}
	}
	slices.SortStableFunc(all, func(a, b modelled) int {
		return cmp.Or(cmp.Compare(a.e.Time, b.e.Time), cmp.Compare(m.order[a.stream], m.order[b.stream]))
	})
	if q.Backward {
		slices.Reverse(all)
	}
	for _, one := range all {
		out = append(out, fmt.Sprintf("%s %d %s", one.stream, one.e.Time, one.e.Message))
	}
	return out
}

func (m *model) drop(gone func(modelled) bool) { m.events = slices.DeleteFunc(m.events, gone) }

// TestModel: whatever is made, written, dropped and cut, in one process or over several, the store has what a list would have.
func TestModel(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		fs := vfs.NewMem()
		s := open(t, fs)
		defer func() {
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		}()
		m := &model{order: map[string]int{}}
		name := rapid.SampledFrom([]string{"a", "ab", "b"})
		at := rapid.Int64Range(0, 9)
		must := func(err error) {
			if err != nil {
				rt.Fatal(err)
			}
		}
		rt.Repeat(map[string]func(*rapid.T){
			"create": func(rt *rapid.T) {
				n := name.Draw(rt, "name")
				err := s.Create(t.Context(), stream(n), 1)
				if _, there := m.order[n]; there != errors.Is(err, logs.ErrStreamExists) {
					rt.Fatalf("create %s: %v", n, err)
				}
				if err == nil {
					m.made++
					m.order[n] = m.made
				}
			},
			"append": func(rt *rapid.T) {
				n := name.Draw(rt, "name")
				var events []logs.Event
				for i := range rapid.IntRange(1, 5).Draw(rt, "events") {
					events = append(events, logs.Event{Time: logs.Time(at.Draw(rt, "at")), Message: fmt.Sprint(len(m.events), "-", i)})
				}
				err := s.Append(t.Context(), stream(n), events, 5)
				if _, there := m.order[n]; there == errors.Is(err, logs.ErrNoStream) {
					rt.Fatalf("append to %s: %v", n, err)
				}
				for _, e := range events {
					if err == nil {
						m.events = append(m.events, modelled{n, e})
					}
				}
			},
			"drop": func(rt *rapid.T) {
				n := name.Draw(rt, "name")
				must(s.Drop(t.Context(), logs.Span{Group: group, Stream: n}))
				delete(m.order, n)
				m.drop(func(one modelled) bool { return one.stream == n })
			},
			"cut": func(rt *rapid.T) {
				before := logs.Time(1 + at.Draw(rt, "before"))
				must(s.Drop(t.Context(), logs.Span{Group: group, Before: before}))
				m.drop(func(one modelled) bool { return one.e.Time < before })
			},
			"clear": func(*rapid.T) {
				must(s.Drop(t.Context(), logs.Span{Group: group}))
				clear(m.order)
				m.events = nil
			},
			"open again": func(*rapid.T) {
				must(s.Close())
				s = open(t, fs)
			},
			"": func(rt *rapid.T) {
				q := logs.Query{Group: group, From: logs.Time(at.Draw(rt, "from")), To: logs.Time(at.Draw(rt, "to")), Prefix: rapid.SampledFrom([]string{"", "a", "b"}).Draw(rt, "prefix")}
				if n := name.Draw(rt, "of"); m.order[n] > 0 && rapid.Bool().Draw(rt, "one") {
					q.Streams, q.Prefix, q.Backward = []string{n}, "", rapid.Bool().Draw(rt, "backward")
				}
				if got, want := texts(t, s.Events(t.Context(), q)), m.find(q); !slices.Equal(got, want) {
					rt.Fatalf("%+v\ngot  %q\nwant %q", q, got, want)
				}
			},
		})
	})
}
