package trail

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"

	"berth/internal/frontdoor"
)

// Bounds of what a reader may ask for.
const (
	defaultLimit = 50
	mostLimit    = 10_000
)

// writeWithin is how long a reader may take to accept what is written to it; keepAlive is when one that follows gets a blank line.
const (
	writeWithin = 30 * time.Second
	keepAlive   = 15 * time.Second
)

// reader is one who reads records over HTTP.
type reader struct {
	trail   *Trail
	filter  Filter
	account string // whose records it may see
	w       http.ResponseWriter
	control *http.ResponseController
}

// ServeHTTP writes the records of the caller's account that a filter wants, one a line, the oldest first. Its query is that of ParseFilter, and limit: so many of
// the newest ones, 50 where neither it nor since is given; follow=true goes on with those that come.
func (t *Trail) ServeHTTP(w http.ResponseWriter, r *http.Request, caller *frontdoor.Request) {
	q := r.URL.Query()
	f, err := ParseFilter(q)
	limit, follow := 0, false
	if err == nil && q.Has("limit") {
		if limit, err = strconv.Atoi(q.Get("limit")); err != nil || limit < 1 || limit > mostLimit {
			err = fmt.Errorf("limit must be a number from 1 to %d", mostLimit)
		}
	}
	if err == nil && q.Has("follow") {
		if follow, err = strconv.ParseBool(q.Get("follow")); err != nil {
			err = fmt.Errorf("follow must be true or false")
		}
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if limit == 0 && f.Since.IsZero() {
		limit = defaultLimit
	}
	x := &reader{trail: t, filter: f, account: caller.Scope.Account, w: w, control: http.NewResponseController(w)}
	w.Header().Set("Content-Type", "application/x-ndjson")
	w.Header().Set("Cache-Control", "no-store")
	if err := x.run(r.Context(), limit, follow); err != nil && r.Context().Err() == nil {
		t.config.Log.Info("a reader of the audit log was left", "err", err)
		panic(http.ErrAbortHandler) // the answer is begun: cut off, it is not taken for a whole one
	}
}

// run writes what is there, and with follow what comes.
func (x *reader) run(ctx context.Context, limit int, follow bool) (err error) {
	var at Position
	if limit > 0 {
		if at, err = x.newest(ctx, limit); err != nil {
			return err
		}
	} else if at, err = x.trail.at(x.filter.Since); err != nil {
		return err
	}
	alive := time.NewTicker(keepAlive)
	defer alive.Stop()
	for {
		grown := x.trail.growth()
		if limit == 0 || follow {
			if at, err = x.trail.Onward(ctx, at, x.tell); err != nil {
				return err
			}
		}
		if err := x.control.Flush(); err != nil || !follow {
			return err
		}
		select {
		case <-grown:
		case <-alive.C:
			if err := x.write([]byte("\n")); err != nil {
				return err
			}
		case <-x.trail.over:
			return nil
		case <-ctx.Done():
			return nil
		}
	}
}

// newest writes the newest records that are wanted, and returns the place behind them.
func (x *reader) newest(ctx context.Context, limit int) (Position, error) {
	end, err := x.trail.Last()
	if err != nil {
		return end, err
	}
	var found [][]byte
	first := true
	err = x.trail.Newest(ctx, end, func(line []byte, at Position) bool {
		if first { // what is behind it was being written
			first, end = false, Position{at.File, at.Offset + int64(len(line)) + 1}
		}
		if x.wanted(line) {
			found = append(found, slices.Clone(line))
		}
		return len(found) < limit
	})
	if err != nil {
		return end, err
	}
	for _, line := range slices.Backward(found) {
		if err := x.write(append(line, '\n')); err != nil {
			return end, err
		}
	}
	return end, nil
}

// tell writes a record where it is wanted.
func (x *reader) tell(line []byte) error {
	if !x.wanted(line) {
		return nil
	}
	return x.write(append(line[:len(line):len(line)], '\n'))
}

// wanted reports whether a line is a record that the reader wants. What a killed process has left of a line is none.
func (x *reader) wanted(line []byte) bool {
	if !x.filter.may(line) {
		return false
	}
	var r Record
	return json.Unmarshal(line, &r) == nil && r.UserIdentity != nil && r.RecipientAccountID == x.account && x.filter.wants(&r)
}

func (x *reader) write(b []byte) error {
	if err := x.control.SetWriteDeadline(time.Now().Add(writeWithin)); err != nil {
		return fmt.Errorf("set the deadline: %w", err)
	}
	_, err := x.w.Write(b)
	return err
}
