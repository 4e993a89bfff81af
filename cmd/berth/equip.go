package main

import (
	"context"
	"log/slog"
	"net/http"
	"os"
	"sync"

	"berth/internal/agent"
	"berth/internal/agent/docker"
	"berth/internal/agent/endpoint"
	"berth/internal/agent/machine"
	"berth/internal/agent/redirect"
)

// equip gives an agent what it works with on a real machine, besides engine and control groups.
func equip(c *agent.Config, engine *docker.Engine, dir string) {
	c.Ports = machine.HostPorts{}
	c.Routers = machine.Routers{Dir: dir}
	c.Clock = machine.Clock
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

// portFile keeps the port on which containers reach the agent.
const portFile = "containers.json"

// containerFront is where containers reach the agent, by a redirection.
func containerFront(d dataDir, engine *docker.Engine, to *redirect.Table, metadata func(vpc string) http.Handler, log *slog.Logger) *endpoint.Server {
	type kept struct{ Port int }
	return endpoint.New(endpoint.Server{
		Gateway: engine.Gateway, Redirect: to, Metadata: metadata, Log: log,
		Recall: func() int {
			var k kept
			if err := d.read(portFile, &k); err != nil {
				return 0 // the first time
			}
			return k.Port
		},
		Remember: func(port int) error { return d.save(portFile, kept{port}) },
	})
}
