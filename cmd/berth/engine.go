package main

import (
	"context"
	"fmt"
	"os"
	"os/user"
	"strings"
	"time"

	"berth/internal/agent/docker"
)

// engineTime is how long an engine has to answer before a start.
const engineTime = 15 * time.Second

// checkEngine fails unless this machine's container engine answers, and says what to do.
func checkEngine(ctx context.Context) error {
	e, err := docker.Open("", "")
	if err != nil {
		return fmt.Errorf("container engine: %w", err)
	}
	defer e.Close()
	ctx, cancel := context.WithTimeout(ctx, engineTime)
	defer cancel()
	if _, err := e.Machine(ctx); err != nil {
		return fmt.Errorf("container engine: %w; %s", err, engineAdvice(err))
	}
	return nil
}

// engineAdvice is what to do about an engine that cannot be used. The engine's client tells a refused socket by its words only.
func engineAdvice(err error) string {
	host := os.Getenv("DOCKER_HOST")
	switch {
	case strings.Contains(err.Error(), "permission denied"):
		name := "USER"
		if u, err := user.Current(); err == nil {
			name = u.Username
		}
		return fmt.Sprintf("run berth as root, or let this user use the engine (`sudo usermod -aG docker %s`) and log in again", name)
	case host != "":
		return fmt.Sprintf("start it, or unset DOCKER_HOST (%s) to use this machine's usual one", host)
	}
	return "start Docker Engine (`sudo systemctl start docker`; `make deps` installs and starts it) and try again"
}
