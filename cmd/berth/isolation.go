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

// takeRuntime has an instance take the runtime that was named now, and reports whether that is another one. Without one it keeps its own.
func (o *agentOptions) takeRuntime(i *localInstance) (changed bool) {
	if o.runtime == "" || i.Runtime == o.runtime {
		return false
	}
	i.Runtime = o.runtime
	return true
}
