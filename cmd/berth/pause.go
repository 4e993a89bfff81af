package main

import (
	"errors"
	"os"
	"os/signal"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"
)

// pauseCommand is what a task's pause container runs: it holds the namespaces that the task's containers share, and as the first process of
// theirs it takes in those whose parents have gone.
func pauseCommand() *cobra.Command {
	return &cobra.Command{
		Use: "pause", Short: "Hold the namespaces of a task; pause containers run it", Hidden: true, Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			ended := make(chan os.Signal, 1)
			signal.Notify(ended, unix.SIGCHLD)
			defer signal.Stop(ended)
			for {
				select {
				case <-c.Context().Done():
					return nil
				case <-ended:
					reap()
				}
			}
		},
	}
}

// reap takes in every child that has ended.
func reap() {
	for {
		pid, err := unix.Wait4(-1, nil, unix.WNOHANG, nil)
		if pid <= 0 && !errors.Is(err, unix.EINTR) {
			return
		}
	}
}
