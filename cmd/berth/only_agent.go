package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"syscall"
	"time"
)

// Two agents of one installation on a machine would each stop the other's containers. A data directory has one agent; this holds for its copies too. The name is
// of Linux's abstract ones, which end with the process that has it.

// errNotOnly says that an agent of the installation runs on the machine.
var errNotOnly = errors.New("another agent of this installation runs on this machine, from another data directory. A data directory that was copied is of no use beside the first: start an agent " +
	"with one of its own (`berth agent --data DIR --token TOKEN`), or end the other one first")

// onlyPatience is how long an agent waits for one that is about to end.
const onlyPatience = 10 * time.Second

// onlyAgent makes this process the machine's only agent of an installation, until release is called or it ends. It waits for one that is about to end.
func onlyAgent(ctx context.Context, installation string, patience time.Duration, log *slog.Logger) (release func(), err error) {
	for began, told := time.Now(), false; ; told = true {
		l, err := net.Listen("unix", "@berth-agent-"+installation)
		switch {
		case err == nil:
			return func() { l.Close() }, nil
		case !errors.Is(err, syscall.EADDRINUSE):
			return nil, fmt.Errorf("make sure that no other agent of this installation runs on this machine: %w", err)
		case time.Since(began) >= patience:
			return nil, errNotOnly
		case !told:
			log.Info("waiting for another agent of this installation to end")
		}
		if !pauseFor(ctx, min(100*time.Millisecond, patience)) {
			return nil, ctx.Err()
		}
	}
}
