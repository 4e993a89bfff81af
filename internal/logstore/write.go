package logstore

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"github.com/cockroachdb/pebble/v2"

	"berth/internal/logs"
)

// call is a change on its way to the writer.
type call struct {
	size int // bytes of room that it holds
	make func(b *batch) error
	done chan error
}

// batch is what the writer gathers for one write, and what it has changed of streams since the last.
type batch struct {
	store   *Store
	pebble  *pebble.Batch
	streams map[logs.StreamName]*logs.Stream // nil: there is none
	gone    map[string]bool                  // groups that it drops
	size    int
	calls   []*call
}

// Create makes an empty stream. It fails with logs.ErrStreamExists where there is one.
func (s *Store) Create(ctx context.Context, name logs.StreamName, at logs.Time) error {
	return s.do(ctx, len(name.Name), func(b *batch) error {
		if s.full.Load() {
			return logs.ErrFull
		}
		switch old, err := b.stream(name); {
		case err != nil:
			return err
		case old != nil:
			return logs.ErrStreamExists
		}
		made := emptyStream(name.Name, s.next, at)
		s.next++
		return b.put(name, &made)
	})
}

// Append adds events to a stream, in their order, and returns when they are on the disk: all of them or, with an error, none. It fails with
// logs.ErrNoStream, and with logs.ErrFull. Where ctx ends first it is not known whether they are there.
func (s *Store) Append(ctx context.Context, name logs.StreamName, events []logs.Event, at logs.Time) error {
	size := 0
	for _, e := range events {
		size += len(e.Message) + eventCost
	}
	return s.do(ctx, size, func(b *batch) error { return b.append(name, events, at) })
}

// eventCost is about what an event takes besides its message.
const eventCost = 64

// Drop takes away a group, a stream, or what is older than a time; what is not there is no error. The room on the disk comes back by and by.
func (s *Store) Drop(ctx context.Context, span logs.Span) error {
	if span.Before > 0 {
		return s.cut(ctx, span.Group, span.Before)
	}
	return s.do(ctx, 0, func(b *batch) error {
		if span.Stream != "" {
			return b.dropStream(logs.StreamName{Group: span.Group, Name: span.Stream})
		}
		return b.dropGroup(span.Group)
	})
}

// cutsAtOnce is how many streams are cut in one batch, so that events do not wait long for it.
const cutsAtOnce = 256

// cut takes away what the streams of a group have from before a time.
func (s *Store) cut(ctx context.Context, group string, before logs.Time) error {
	var old []logs.StreamName
	flush := func() error {
		names := old
		old = nil
		return s.do(ctx, 0, func(b *batch) error {
			for _, name := range names {
				if err := b.cut(name, before); err != nil {
					return err
				}
			}
			return nil
		})
	}
	for stream, err := range s.Streams(ctx, group, "") {
		if err != nil {
			return err
		}
		if stream.First < before && !stream.Empty() { // of one that an earlier cut has left empty there is nothing to take
			old = append(old, logs.StreamName{Group: group, Name: stream.Name})
		}
		if len(old) == cutsAtOnce {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	if len(old) == 0 {
		return nil
	}
	return flush()
}

// do hands a change to the writer and waits for it.
func (s *Store) do(ctx context.Context, size int, change func(b *batch) error) error {
	size = min(size, waitingMost)
	if err := s.room.Acquire(ctx, int64(size)); err != nil {
		return fmt.Errorf("wait for the log store: %w", err)
	}
	c := &call{size: size, make: change, done: make(chan error, 1)}
	select {
	case s.calls <- c:
	case <-s.closed:
		s.room.Release(int64(size))
		return errClosed
	case <-ctx.Done():
		s.room.Release(int64(size))
		return fmt.Errorf("wait for the log store: %w", ctx.Err())
	}
	select {
	case err := <-c.done:
		return err
	case <-s.done: // it was handed over while the writer ended
		select {
		case err := <-c.done:
			return err
		default:
			return errClosed
		}
	case <-ctx.Done():
		return fmt.Errorf("wait for the log store: %w", ctx.Err())
	}
}

// answer ends a call.
func (s *Store) answer(c *call, err error) {
	s.room.Release(int64(c.size))
	c.done <- err
}

// write is the writer: it takes what waits, writes it, and answers, until the store is closed.
func (s *Store) write() {
	defer close(s.done)
	for {
		select {
		case c := <-s.calls:
			s.writeBatch(c)
		case <-s.closed:
			for {
				select {
				case c := <-s.calls:
					s.answer(c, errClosed)
				default:
					return
				}
			}
		}
	}
}

// writeBatch writes what first and the calls that wait behind it want, and answers them.
func (s *Store) writeBatch(first *call) {
	s.look()
	b := &batch{store: s, pebble: s.db.NewBatch(), streams: map[logs.StreamName]*logs.Stream{}, gone: map[string]bool{}}
	defer b.pebble.Close()
	for c := first; c != nil; c = b.more() {
		b.take(c)
	}
	err := b.commit()
	s.written += b.size
	for _, c := range b.calls {
		s.answer(c, err)
	}
}

// take makes a call's change. One that fails is answered at once: it has put nothing into the batch.
func (b *batch) take(c *call) {
	if err := c.make(b); err != nil {
		b.store.answer(c, err)
		return
	}
	b.size += c.size
	b.calls = append(b.calls, c)
}

// more is a call that waits already, nil where there is none or the batch is large enough.
func (b *batch) more() *call {
	if b.size >= batchMost {
		return nil
	}
	select {
	case c := <-b.store.calls:
		return c
	default:
		return nil
	}
}

// commit writes the batch to the disk.
func (b *batch) commit() error {
	if b.pebble.Empty() {
		return nil
	}
	err := b.pebble.Set([]byte(nextKey), binary.BigEndian.AppendUint64(nil, b.store.next), nil)
	if err == nil {
		err = b.pebble.Commit(pebble.Sync)
	}
	if err != nil {
		return fmt.Errorf("write to the log store: %w", err)
	}
	return nil
}

// stream finds a stream as the batch leaves it, nil where there is none.
func (b *batch) stream(name logs.StreamName) (*logs.Stream, error) {
	if s, ok := b.streams[name]; ok {
		return s, nil
	}
	if b.gone[name.Group] {
		return nil, nil
	}
	value, closer, err := b.store.db.Get(streamKey(name))
	if errors.Is(err, pebble.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read a log stream: %w", err)
	}
	defer closer.Close()
	s, err := decodeStream(name.Name, value)
	if err != nil {
		return nil, err
	}
	return &s, nil
}

func (b *batch) put(name logs.StreamName, s *logs.Stream) error {
	b.streams[name] = s
	return b.pebble.Set(streamKey(name), encodeStream(*s), nil)
}

func (b *batch) append(name logs.StreamName, events []logs.Event, at logs.Time) error {
	if b.store.full.Load() {
		return logs.ErrFull
	}
	old, err := b.stream(name)
	if err != nil {
		return err
	}
	if old == nil {
		return logs.ErrNoStream
	}
	s := *old
	prefix := groupKey(name.Group, eventMark)
	for _, e := range events {
		s.First, s.Last, s.Ingested = min(s.First, e.Time), max(s.Last, e.Time), max(s.Ingested, at)
		if err := b.event(prefix, logs.Place{Stream: s.Number, Time: e.Time, Seq: b.store.next}, e, at); err != nil {
			return err
		}
		b.store.next++
	}
	return b.put(name, &s)
}

// event puts an event into the batch, whose memory it is written into directly.
func (b *batch) event(prefix []byte, p logs.Place, e logs.Event, at logs.Time) error {
	var late [binary.MaxVarintLen64]byte
	n := binary.PutVarint(late[:], int64(at-e.Time))
	op := b.pebble.SetDeferred(len(prefix)+3*numberSize, n+len(e.Message))
	appendPlace(append(op.Key[:0], prefix...), p)
	copy(op.Value[copy(op.Value, late[:n]):], e.Message)
	return op.Finish()
}

func (b *batch) dropGroup(group string) error {
	for name := range b.streams {
		if name.Group == group {
			b.streams[name] = nil
		}
	}
	b.gone[group] = true
	return b.pebble.DeleteRange(append(append([]byte{'g'}, group...), 0), groupEnd(group), nil)
}

func (b *batch) dropStream(name logs.StreamName) error {
	s, err := b.stream(name)
	if err != nil || s == nil {
		return err
	}
	b.streams[name] = nil
	if err := b.dropEvents(name.Group, s.Number, 0, math.MaxInt64); err != nil {
		return err
	}
	return b.pebble.Delete(streamKey(name), nil)
}

// cut takes away what a stream has from before a time.
func (b *batch) cut(name logs.StreamName, before logs.Time) error {
	s, err := b.stream(name)
	if err != nil || s == nil || s.First >= before || s.Empty() {
		return err
	}
	left := *s
	left.First = before
	if err := b.dropEvents(name.Group, s.Number, 0, before); err != nil {
		return err
	}
	return b.put(name, &left)
}

func (b *batch) dropEvents(group string, stream uint64, from, to logs.Time) error {
	return b.pebble.DeleteRange(eventKey(group, logs.Place{Stream: stream, Time: from}), eventKey(group, logs.Place{Stream: stream, Time: to}), nil)
}
