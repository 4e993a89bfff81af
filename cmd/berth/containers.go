package main

import (
	"context"
	"fmt"
	"time"

	"berth/internal/agent/docker"
)

// importImage makes an image of a static berth program.
func importImage(ctx context.Context, name, program string) error {
	e, err := docker.Open("", "")
	if err != nil {
		return err
	}
	defer e.Close()
	return e.ImportImage(ctx, name, program, docker.ImageConfig{Entrypoint: []string{"/bin/berth"}})
}

// removeContainers stops and removes every container of an installation and returns how many there were.
func removeContainers(ctx context.Context, installation string) (int, error) {
	e, err := docker.Open("", installation)
	if err != nil {
		return 0, err
	}
	defer e.Close()
	list, err := e.List(ctx)
	if err != nil {
		return 0, err
	}
	done := make(chan error)
	for _, c := range list {
		go func() {
			err := e.Stop(ctx, c.ID, 2*time.Second)
			if err == nil {
				err = e.Remove(ctx, c.ID)
			}
			done <- err
		}()
	}
	for range list {
		if rerr := <-done; rerr != nil {
			err = fmt.Errorf("remove containers: %w", rerr)
		}
	}
	return len(list), err
}
