package main

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"
)

// The time that each part of a replica's end may take. Together they are less than `berth up` and `berth down` wait.
const (
	drainTime    = 8 * time.Second // all but the last
	stepTime     = 2 * time.Second
	handOverTime = 5 * time.Second
	successTime  = 2 * time.Second
	requestTime  = 3 * time.Second
)

// drain hands over what this replica does: the leadership, then the agents' sessions. New requests are still served, by the next leader.
func (s *server) drain(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTime)
	defer cancel()
	s.draining.Store(true)
	if !s.shared() {
		s.handOver(ctx)
		return
	}
	s.log.Info("draining")
	s.stepAside(ctx)
	s.handOver(ctx)
	s.awaitSuccessor(ctx)
	s.forwarder.endSessions(ctx)
}

func (s *server) stepAside(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, stepTime)
	defer cancel()
	if err := s.backend.StepAside(ctx); err != nil {
		s.log.Warn("etcd's leadership stays until this member is gone", "err", err)
	}
}

func (s *server) handOver(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, handOverTime)
	defer cancel()
	if err := s.store.HandOver(ctx); err != nil {
		s.log.Warn("the leadership was not handed over; its lease ends by itself", "err", err)
	}
}

// awaitSuccessor lets requests that come here find the next leader.
func (s *server) awaitSuccessor(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, successTime)
	defer cancel()
	for {
		leader, changed := s.backend.Seen()
		if leader.Address != "" && leader.Replica != s.replica.Name {
			s.log.Info("handed over", "leader", leader.Address)
			return
		}
		select {
		case <-changed:
		case <-ctx.Done():
			s.log.Warn("no other replica leads yet")
			return
		}
	}
}

// shutdown ends the listener; requests may finish.
func shutdown(ctx context.Context, h *http.Server) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), requestTime)
	defer cancel()
	if err := h.Shutdown(ctx); err != nil {
		h.Close()
	}
}

// runDrain asks the server of a data directory to hand over and stop, and waits until it has.
func runDrain(c *cobra.Command, data string) error {
	d := dataDir(data)
	pid := d.pid("server")
	if pid == 0 {
		return fmt.Errorf("no berth server runs in %s", data)
	}
	began := time.Now()
	ctx, cancel := context.WithTimeout(c.Context(), 30*time.Second)
	defer cancel()
	gone := make(chan error, 1)
	go func() { gone <- awaitPid(context.WithoutCancel(ctx), pid) }()
	if err := unix.Kill(pid, unix.SIGTERM); err != nil {
		return fmt.Errorf("ask process %d to stop: %w", pid, err)
	}
	select {
	case err := <-gone:
		if err != nil {
			return fmt.Errorf("wait for process %d: %w", pid, err)
		}
	case <-ctx.Done():
		return fmt.Errorf("process %d still runs after %v", pid, time.Since(began).Round(time.Second))
	}
	fmt.Fprintf(c.OutOrStdout(), "drained and stopped in %v\n", time.Since(began).Round(10*time.Millisecond))
	return nil
}
