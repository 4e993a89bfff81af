package stream

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"berth/internal/arn"
	"berth/internal/events"
	"berth/internal/frontdoor"
)

// reader is one who reads the stream.
type reader struct {
	hub     *Hub
	w       http.ResponseWriter
	control *http.ResponseController
	cluster arn.Cluster // "" for all
	place   uint64
	told    uint64 // the commit of the last position that was told
}

// writeWithin is how long a reader may take to accept what is written to it.
const writeWithin = 30 * time.Second

// ServeHTTP streams events until the reader goes, is too slow, or the hub ends. Its query: cluster (a name or ARN) leaves out other
// clusters' events; after goes on behind the commit that a position named.
func (h *Hub) ServeHTTP(w http.ResponseWriter, r *http.Request, caller *frontdoor.Request) {
	q := r.URL.Query()
	after, err := uint64(0), error(nil)
	if q.Has("after") {
		if after, err = strconv.ParseUint(q.Get("after"), 10, 64); err != nil {
			http.Error(w, "after must be the number of a commit", http.StatusBadRequest)
			return
		}
	}
	x := &reader{hub: h, w: w, control: http.NewResponseController(w)}
	switch name := q.Get("cluster"); {
	case arn.Is(name):
		x.cluster = arn.Cluster(name)
	case name != "":
		x.cluster = caller.Scope.Cluster(name)
	}
	fresh, cancel := context.WithTimeout(r.Context(), 10*time.Second)
	defer cancel()
	if err := h.State.Fresh(fresh); err != nil { // what was committed before the request is not told as new
		http.Error(w, "this replica does not know the newest commit; try again: "+err.Error(), http.StatusServiceUnavailable)
		return
	}
	h.enter()
	defer h.leave()
	if !h.wait(r.Context()) {
		http.Error(w, "this replica is stopping", http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", "application/x-ndjson")
	w.Header().Set("Cache-Control", "no-store")
	x.run(r.Context(), q.Has("after"), after)
}

// wait until lines are made.
func (h *Hub) wait(ctx context.Context) bool {
	for {
		h.mu.Lock()
		ready, grown := h.tape.ready, h.tape.grown
		h.mu.Unlock()
		select {
		case <-h.over:
			return false
		default:
		}
		if ready {
			return true
		}
		select {
		case <-grown:
		case <-ctx.Done():
			return false
		case <-h.over:
			return false
		}
	}
}

// start finds the reader's place and returns the first line: where it is, or what it has missed.
func (x *reader) start(resume bool, after uint64) line {
	h := x.hub
	h.mu.Lock()
	defer h.mu.Unlock()
	t := &h.tape
	switch {
	case !resume:
		x.place, x.told = t.end(), t.commit
	case after > t.commit:
		x.place, x.told = t.end(), t.commit
		return h.note(events.Missed, events.Remark{Commit: x.told, Reason: fmt.Sprintf("there is no commit %d here: the state is another one", after)})
	case after < t.base:
		x.place, x.told = t.after(t.base), t.base
		return h.note(events.Missed, events.Remark{Commit: x.told, After: after, Reason: "events between are not kept any more"})
	default:
		x.place, x.told = t.after(after), after
	}
	return h.note(events.Position, events.Remark{Commit: x.told})
}

// run writes lines until there is a reason to end.
func (x *reader) run(ctx context.Context, resume bool, after uint64) {
	if x.write(x.start(resume, after)) != nil {
		return
	}
	alive := time.NewTicker(x.hub.KeepAlive)
	defer alive.Stop()
	for {
		x.hub.mu.Lock()
		lines, done, ok := x.hub.tape.read(x.place, 256)
		grown := x.hub.tape.grown
		x.hub.mu.Unlock()
		if !ok {
			x.end("the reader is too slow: its next events are not kept any more; go on after the last position, and look at what is there now")
			return
		}
		if len(lines) > 0 {
			x.place += uint64(len(lines))
			if x.tell(lines, done) != nil {
				return
			}
			continue
		}
		select {
		case <-grown:
		case <-alive.C:
			if x.idle(done) != nil {
				return
			}
		case <-ctx.Done():
			return
		case <-x.hub.over:
			x.end("the replica is stopping; connect again")
			return
		}
	}
}

// tell writes the lines that the reader wants, and where it is then.
func (x *reader) tell(lines []line, done uint64) error {
	var out []line
	for _, l := range lines {
		if l.cluster == "" || x.cluster == "" || l.cluster == x.cluster {
			out = append(out, l)
		}
	}
	if len(out) == 0 {
		return nil
	}
	if done > x.told {
		x.told = done
		out = append(out, x.hub.note(events.Position, events.Remark{Commit: done}))
	}
	return x.write(out...)
}

// idle shows that the stream lives: a blank line, or how far it is.
func (x *reader) idle(done uint64) error {
	if done == x.told {
		return x.write(line{text: []byte("\n")})
	}
	x.told = done
	return x.write(x.hub.note(events.Position, events.Remark{Commit: done}))
}

// end writes the last line.
func (x *reader) end(why string) {
	if err := x.write(x.hub.note(events.End, events.Remark{Commit: x.told, Reason: why})); err != nil {
		x.hub.Log.Debug("the last line of a stream was not taken", "err", err)
	}
}

// write hands lines to the connection. An error means that the reader is gone.
func (x *reader) write(lines ...line) error {
	if err := x.control.SetWriteDeadline(time.Now().Add(writeWithin)); err != nil {
		return fmt.Errorf("set the deadline: %w", err)
	}
	for _, l := range lines {
		if _, err := x.w.Write(l.text); err != nil {
			return fmt.Errorf("write: %w", err)
		}
	}
	return x.control.Flush()
}
