package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// loops knows which of the replica's loops run.
type loops struct {
	mu     sync.Mutex
	broken map[string]error // those that ended although nobody asked them to
}

// run runs a loop and notes if it ends before its ctx does.
func (l *loops) run(ctx context.Context, name string, loop func(context.Context) error) error {
	l.note(name, nil)
	err := loop(ctx)
	if ctx.Err() == nil {
		l.note(name, fmt.Errorf("%s has ended: %w", name, errors.Join(err, errEndedEarly)))
	}
	return err
}

var errEndedEarly = errors.New("nobody asked it to")

func (l *loops) note(name string, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.broken == nil {
		l.broken = map[string]error{}
	}
	if err == nil {
		delete(l.broken, name)
	} else {
		l.broken[name] = err
	}
}

func (l *loops) err() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	var all []string
	for _, err := range l.broken {
		all = append(all, err.Error())
	}
	if len(all) == 0 {
		return nil
	}
	slices.Sort(all)
	return errors.New(strings.Join(all, "; "))
}

// healthz says whether the process is well: it answers, and its loops run. One that is not is best started again.
func (s *server) healthz(w http.ResponseWriter, _ *http.Request) {
	if err := s.loops.err(); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	fmt.Fprintln(w, "ok")
}

// readyz says whether this replica can serve: it answers reads that are up to date, and leads or reaches the leader.
func (s *server) readyz(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), 2*time.Second)
	defer cancel()
	if err := s.serves(ctx); err != nil {
		http.Error(w, "not ready: "+err.Error(), http.StatusServiceUnavailable)
		return
	}
	if s.store.Leading() {
		fmt.Fprintln(w, "ok leader")
	} else {
		fmt.Fprintln(w, "ok follower")
	}
}

func (s *server) serves(ctx context.Context) error {
	if s.draining.Load() {
		return errors.New("draining")
	}
	if err := s.loops.err(); err != nil {
		return err
	}
	if err := s.store.Fresh(ctx); err != nil {
		return s.unfit(err)
	}
	if !s.store.Leading() {
		return s.unfit(s.forwarder.reach(ctx))
	}
	select {
	case <-s.ready:
		return nil
	default:
		return errors.New("still starting")
	}
}

// unfit adds to what keeps this replica from serving that it cannot lead itself, where that is so.
func (s *server) unfit(err error) error {
	if err != nil && s.store.Unfit() {
		err = fmt.Errorf("%w, and this one cannot lead: a newer version of Berth has written the records; start it with that version", err)
	}
	return err
}

// reach asks the leader whether it is there.
func (f *forwarder) reach(ctx context.Context) error {
	rt := f.route()
	if rt.host == "" || rt.Replica == f.name {
		return errNoLeader
	}
	if err := f.reachHost(ctx, rt.host); err != nil {
		return fmt.Errorf("the leader: %w", err)
	}
	return nil
}

// reachHost asks another replica whether it is well.
func (f *forwarder) reachHost(ctx context.Context, host string) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://"+host+"/healthz", nil)
	if err != nil {
		return fmt.Errorf("reach %s: %w", host, err)
	}
	resp, err := f.transport.RoundTrip(r)
	if err != nil {
		return fmt.Errorf("reach %s: %w", host, err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s says %s", host, resp.Status)
	}
	return nil
}
