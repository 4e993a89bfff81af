package agenttest

import (
	"context"
	"fmt"
	"time"

	"github.com/moby/moby/api/types/container"

	"berth/internal/agent"
)

// facts are those of a container that is made: its address is told by its number.
func (e *Engine) facts(s agent.Spec) *agent.Facts {
	f := &agent.Facts{CreatedAt: time.Now().UTC(), Image: s.Config.Image, ImageID: "sha256:" + s.Config.Image, Driver: "overlay2",
		Labels: agent.PublicLabels(s.Config.Labels), LogDriver: s.HostConfig.LogConfig.Type, LogOptions: s.HostConfig.LogConfig.Config}
	switch mode := string(s.HostConfig.NetworkMode); mode {
	case "bridge":
		f.Networks = []agent.NetworkFact{{Name: mode, IPv4: fmt.Sprintf("172.17.0.%d", 1+e.next)}}
	case "host", "none":
		f.Networks = []agent.NetworkFact{{Name: mode}}
	}
	for _, m := range s.HostConfig.Mounts {
		f.Mounts = append(f.Mounts, agent.Mount{Source: m.Source, Destination: m.Target})
	}
	return f
}

// Stats implements agent.Containers: a running container on a network of its own has used a second of its processors and received 1,000 bytes for
// each second that it runs, and sent half of that.
func (e *Engine) Stats(ctx context.Context, id string) (s container.StatsResponse, err error) {
	if err := e.begin(ctx, "stats"); err != nil {
		return s, err
	}
	c := e.find(id)
	if c == nil || c.State != agent.Running {
		return s, e.end(ctx, "stats", fmt.Errorf("container %s: %w", id, agent.ErrNotFound))
	}
	ran := time.Since(c.StartedAt)
	s.ID, s.Name, s.Read = c.ID, "/"+c.Name, time.Now().UTC()
	s.CPUStats.CPUUsage.TotalUsage, s.MemoryStats.Usage = uint64(ran), 1<<20
	if e.Interfaces[c.Facts.Image] || len(c.Facts.Networks) > 0 && c.Facts.Networks[0].IPv4 != "" {
		bytes := uint64(ran * 1000 / time.Second)
		s.Networks = map[string]container.NetworkStats{"eth0": {RxBytes: bytes, TxBytes: bytes / 2}}
	}
	return s, e.end(ctx, "stats", nil)
}
