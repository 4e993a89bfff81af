package trail

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Position is a place between two records: in a file, behind so many of its bytes. The zero value is before all.
type Position struct {
	File   uint64
	Offset int64
}

// String is the position as Lookup takes it.
func (p Position) String() string { return fmt.Sprintf("%d:%d", p.File, p.Offset) }

// ErrPosition says that a text is no position.
type ErrPosition struct{ Text string }

func (e *ErrPosition) Error() string {
	return fmt.Sprintf("%q is no position in the audit log", e.Text)
}

// ParsePosition reads what String wrote.
func ParsePosition(s string) (p Position, err error) {
	number, offset, _ := strings.Cut(s, ":")
	if p.File, err = strconv.ParseUint(number, 10, 64); err == nil {
		p.Offset, err = strconv.ParseInt(offset, 10, 64)
	}
	if err != nil || p.Offset < 0 {
		return Position{}, &ErrPosition{s}
	}
	return p, nil
}

// Last is the place behind all records.
func (t *Trail) Last() (Position, error) {
	all, err := list(t.config.Dir)
	if err != nil || len(all) == 0 {
		return Position{}, err
	}
	newest := all[len(all)-1]
	return Position{newest.number, newest.size}, nil
}

// Newest yields records before a place, the newest first, until yield says that it is enough. A line is good until yield returns.
func (t *Trail) Newest(ctx context.Context, before Position, yield func(line []byte, at Position) bool) error {
	all, err := list(t.config.Dir)
	if err != nil {
		return err
	}
	for _, f := range slices.Backward(all) {
		if f.number > before.File {
			continue
		}
		most := int64(-1)
		if f.number == before.File {
			most = before.Offset
		}
		b, err := t.load(ctx, f.path, 0, most)
		if err != nil {
			return err
		}
		for end := len(b); end > 0; {
			start := bytes.LastIndexByte(b[:end-1], '\n') + 1
			if !yield(b[start:end-1], Position{f.number, int64(start)}) {
				return nil
			}
			end = start
		}
	}
	return nil
}

// Onward yields the records behind a place, the oldest first, and returns the place behind the last one. Files that are gone are left out.
func (t *Trail) Onward(ctx context.Context, after Position, yield func(line []byte) error) (Position, error) {
	all, err := list(t.config.Dir)
	if err != nil {
		return after, err
	}
	for _, f := range all {
		if f.number < after.File {
			continue
		}
		from := int64(0)
		if f.number == after.File {
			from = after.Offset
		}
		b, err := t.load(ctx, f.path, from, -1)
		if err != nil {
			return after, err
		}
		after = Position{f.number, from + int64(len(b))}
		for line := range bytes.Lines(b) {
			if err := yield(line[:len(line)-1]); err != nil {
				return after, err
			}
		}
	}
	return after, nil
}

// at is a place before all records of a time and later: at the beginning of a file.
func (t *Trail) at(since time.Time) (Position, error) {
	all, err := list(t.config.Dir)
	if err != nil {
		return Position{}, err
	}
	p := Position{}
	for _, f := range all {
		if f.begun.After(since) {
			break
		}
		p = Position{File: f.number}
	}
	return p, nil
}

// load reads the whole lines of a file from an offset, at most so many of its bytes (-1: all). One that was pruned has none.
func (t *Trail) load(ctx context.Context, path string, from, most int64) ([]byte, error) {
	select {
	case t.scans <- struct{}{}:
		defer func() { <-t.scans }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the audit log: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("read the audit log: %w", err)
	}
	if most < 0 || most > info.Size() {
		most = info.Size()
	}
	if most <= from {
		return nil, nil
	}
	b := make([]byte, most-from)
	if _, err := f.ReadAt(b, from); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("read the audit log: %w", err)
	}
	return b[:bytes.LastIndexByte(b, '\n')+1], nil
}
