package logstore

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math"

	"github.com/cockroachdb/pebble/v2"

	"berth/internal/logs"
)

// Streams are a group's streams whose names begin with prefix, in the order of their names.
func (s *Store) Streams(ctx context.Context, group, prefix string) iter.Seq2[logs.Stream, error] {
	return func(yield func(logs.Stream, error) bool) {
		if err := s.eachStream(ctx, group, prefix, func(one logs.Stream) bool { return yield(one, nil) }); err != nil {
			yield(logs.Stream{}, err)
		}
	}
}

func (s *Store) eachStream(ctx context.Context, group, prefix string, f func(logs.Stream) bool) (err error) {
	end, err := s.begin()
	if err != nil {
		return err
	}
	defer end()
	first := streamKey(logs.StreamName{Group: group, Name: prefix})
	it, err := s.db.NewIterWithContext(ctx, &pebble.IterOptions{LowerBound: first, UpperBound: streamsEnd(group, prefix)})
	if err != nil {
		return fmt.Errorf("read log streams: %w", err)
	}
	defer func() { err = errors.Join(err, it.Close()) }()
	name := len(first) - len(prefix)
	for ok := it.First(); ok; ok = it.Next() {
		one, err := decodeStream(string(it.Key()[name:]), it.Value())
		if err != nil {
			return err
		}
		if ctx.Err() != nil {
			return fmt.Errorf("read log streams: %w", ctx.Err())
		}
		if !f(one) {
			return nil
		}
	}
	return it.Error()
}

// Events are those that q asks for, in the order of their places, or the other way round where q says so. The last pair has an error if something
// went wrong; a stream that q names and that is not there is logs.ErrNoStream.
func (s *Store) Events(ctx context.Context, q logs.Query) iter.Seq2[logs.Stored, error] {
	return func(yield func(logs.Stored, error) bool) {
		streams, err := s.asked(ctx, q)
		if err == nil {
			err = s.events(ctx, q, streams, yield)
		}
		if err != nil {
			yield(logs.Stored{}, err)
		}
	}
}

// asked are the streams that q is about.
func (s *Store) asked(ctx context.Context, q logs.Query) (streams []logs.Stream, err error) {
	if len(q.Streams) == 0 {
		err := s.eachStream(ctx, q.Group, q.Prefix, func(one logs.Stream) bool {
			if !one.Empty() && one.Last >= q.From && (q.To == 0 || one.First < q.To) {
				streams = append(streams, one)
			}
			return true
		})
		return streams, err
	}
	end, err := s.begin()
	if err != nil {
		return nil, err
	}
	defer end()
	seen := map[string]bool{}
	for _, name := range q.Streams {
		if seen[name] {
			continue
		}
		seen[name] = true
		value, closer, err := s.db.Get(streamKey(logs.StreamName{Group: q.Group, Name: name}))
		if errors.Is(err, pebble.ErrNotFound) {
			return nil, logs.ErrNoStream
		}
		if err != nil {
			return nil, fmt.Errorf("read a log stream: %w", err)
		}
		one, err := decodeStream(name, value)
		if err := errors.Join(err, closer.Close()); err != nil {
			return nil, err
		}
		streams = append(streams, one)
	}
	return streams, nil
}

func (s *Store) events(ctx context.Context, q logs.Query, streams []logs.Stream, yield func(logs.Stored, error) bool) (err error) {
	end, err := s.begin()
	if err != nil {
		return err
	}
	defer end()
	it, err := s.db.NewIterWithContext(ctx, &pebble.IterOptions{
		LowerBound: groupKey(q.Group, eventMark), UpperBound: eventsEnd(q.Group), KeyTypes: pebble.IterKeyTypePointsOnly,
	})
	if err != nil {
		return fmt.Errorf("read log events: %w", err)
	}
	defer func() { err = errors.Join(err, it.Close()) }()
	r := &reader{ctx: ctx, store: s, it: it, q: q, yield: func(e logs.Stored) bool { return yield(e, nil) }}
	switch {
	case len(streams) == 0:
		return nil
	case len(streams) == 1:
		err = r.scan(streams[0])
	case q.Backward:
		return errors.New("read log events: of several streams they can be read forward only")
	default:
		err = r.merge(streams)
	}
	return errors.Join(err, it.Error())
}

// reader reads a query's events with one iterator.
type reader struct {
	ctx   context.Context // of one call
	store *Store
	it    *pebble.Iterator
	q     logs.Query
	yield func(logs.Stored) bool
	read  int
	piece int // bytes of a stream that are read ahead, where several are merged
}

// lookEach is how many events are read before it is looked whether to go on.
const lookEach = 1024

// goOn counts an event, and fails when the caller has gone or the store is closed.
func (r *reader) goOn() error {
	if r.read++; r.read%lookEach != 0 {
		return nil
	}
	if err := r.ctx.Err(); err != nil {
		return fmt.Errorf("read log events: %w", err)
	}
	select {
	case <-r.store.closed:
		return errClosed
	default:
		return nil
	}
}

// first is where the query begins in a stream.
func (r *reader) first(stream uint64) logs.Place {
	p := logs.Place{Stream: stream, Time: r.q.From}
	if a := r.q.After; a != nil {
		behind := logs.Place{Stream: stream, Time: a.Time}
		switch {
		case stream == a.Stream:
			behind.Seq = a.Seq + 1
		case stream < a.Stream:
			behind.Time++
		}
		if p.Compare(behind) < 0 {
			p = behind
		}
	}
	return p
}

// end is where the query ends in a stream: the first place that it does not ask for.
func (r *reader) end(stream uint64) logs.Place {
	p := logs.Place{Stream: stream, Time: math.MaxInt64}
	if r.q.To > 0 {
		p.Time = r.q.To
	}
	if b := r.q.Before; b != nil {
		before := logs.Place{Stream: stream, Time: b.Time}
		switch {
		case stream == b.Stream:
			before.Seq = b.Seq
		case stream < b.Stream:
			before.Time++
		}
		if before.Compare(p) < 0 {
			p = before
		}
	}
	return p
}

// scan reads one stream.
func (r *reader) scan(s logs.Stream) error {
	first, end := r.first(s.Number), r.end(s.Number)
	if r.q.Backward {
		return r.each(s, r.it.SeekLT(eventKey(r.q.Group, end)), r.it.Prev, func(p logs.Place) bool { return p.Stream == s.Number && p.Compare(first) >= 0 })
	}
	return r.each(s, r.it.SeekGE(eventKey(r.q.Group, first)), r.it.Next, func(p logs.Place) bool { return p.Stream == s.Number && p.Compare(end) < 0 })
}

func (r *reader) each(s logs.Stream, ok bool, next func() bool, wanted func(logs.Place) bool) error {
	for ; ok; ok = next() {
		p := place(r.it.Key())
		if !wanted(p) {
			return nil
		}
		e, err := decodeEvent(s.Name, p, r.it.Value())
		if err == nil {
			err = r.goOn()
		}
		if err != nil {
			return err
		}
		if !r.yield(e) {
			return nil
		}
	}
	return nil
}
