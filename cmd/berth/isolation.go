package main

import (
	"context"
	"log/slog"

	"berth/internal/agent/docker"
	"berth/internal/agent/machine"
)

// taskStorage bounds the ephemeral storage of an engine's tasks.
func taskStorage(engine *docker.Engine, log *slog.Logger) *machine.Storage {
	root := func(ctx context.Context) (string, error) {
		m, err := engine.Machine(ctx)
		return m.DataRoot, err
	}
	return machine.OpenStorage(engine, root, log)
}

// keepRuntime has the machine's instances take the runtime that was named now, and remembers it. Without one they keep theirs.
func (o *agentOptions) keepRuntime(d dataDir, list []localInstance) error {
	changed := false
	for i := range list {
		if o.runtime != "" && list[i].Runtime != o.runtime {
			list[i].Runtime, changed = o.runtime, true
		}
	}
	if !changed {
		return nil
	}
	return d.save("instances.json", list)
}
