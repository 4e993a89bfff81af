package main

import (
	"context"
	"os"
	"sync"

	"berth/internal/agent"
	"berth/internal/agent/docker"
	"berth/internal/agent/machine"
)

// equip gives an agent what it works with on a real machine, besides engine and control groups.
func equip(c *agent.Config, engine *docker.Engine, dir string) {
	c.Ports = machine.HostPorts{}
	c.Routers = machine.Routers{Dir: dir}
	c.Pause = (&pauseImage{engine: engine}).bring
}

// pauseName is the image of pause containers: this very program.
const pauseName = "berth/pause:1"

// pauseImage makes the image of pause containers, once.
type pauseImage struct {
	engine *docker.Engine
	mu     sync.Mutex
	made   bool
}

func (p *pauseImage) bring(ctx context.Context) (string, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.made {
		return pauseName, nil
	}
	self, err := os.Executable()
	if err != nil {
		return "", err
	}
	if err := p.engine.ImportImage(ctx, pauseName, self, docker.ImageConfig{Links: []string{"/berth"}, Entrypoint: []string{"/berth", "pause"}}); err != nil {
		return "", err
	}
	p.made = true
	return pauseName, nil
}
