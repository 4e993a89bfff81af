package main

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"berth/internal/agent"
	"berth/internal/agent/docker"
)

// importImage makes an image of a static berth program, which is /berth in it whatever its file is called.
func importImage(ctx context.Context, name, program string) error {
	e, err := docker.Open("", "")
	if err != nil {
		return err
	}
	defer e.Close()
	return e.ImportImage(ctx, name, program, docker.ImageConfig{Links: []string{"/berth"}, Entrypoint: []string{"/berth"}})
}

// removeContainers stops and removes every container of an installation, with its tasks' own volumes, and returns how many there were. What the engine was still
// creating for the agent when that ended comes to light in a later round.
func removeContainers(ctx context.Context, installation string) (removed int, err error) {
	e, err := docker.Open("", installation)
	if err != nil {
		return 0, err
	}
	defer e.Close()
	for quiet := 0; quiet < 2; {
		list, err := e.List(ctx)
		if err != nil {
			return removed, err
		}
		if err := removeAll(ctx, e, list); err != nil {
			return removed, err
		}
		removed += len(list)
		if len(list) > 0 {
			quiet = 0
			continue
		}
		if quiet++; quiet < 2 && !pauseFor(ctx, 500*time.Millisecond) {
			return removed, ctx.Err()
		}
	}
	return removed, e.RemoveVolumes(ctx)
}

// removeAll removes containers, eight at a time.
func removeAll(ctx context.Context, e *docker.Engine, list []agent.Observed) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(8)
	for _, c := range list {
		g.Go(func() error {
			if err := e.Stop(ctx, c.ID, 2*time.Second); err != nil {
				return fmt.Errorf("stop %s: %w", c.Name, err)
			}
			if err := e.Remove(ctx, c.ID); err != nil {
				return fmt.Errorf("remove %s: %w", c.Name, err)
			}
			return nil
		})
	}
	return g.Wait()
}
