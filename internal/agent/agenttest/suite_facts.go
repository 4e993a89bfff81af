package agenttest

import (
	"errors"
	"testing"
	"time"

	"github.com/moby/moby/api/types/container"

	"berth/internal/agent"
)

// testFacts: a running container is told of, and measured, also a task's with a network interface of its own: the pause container has no network that the engine has
// made, and the others share that. What it is told has no label of Berth's own.
func testFacts(t *testing.T, r *rig) {
	spec := r.spec(Polite, "facts", r.Installation)
	spec.Config.Labels["team"] = "blue"
	id, err := r.Engine.Create(r.ctx, spec)
	if err == nil {
		err = r.Engine.Start(r.ctx, id)
	}
	if err != nil {
		t.Fatal(err)
	}
	o, err := r.Engine.Inspect(r.ctx, id)
	if err != nil {
		t.Fatal(err)
	}
	f := o.Facts
	if f == nil || f.Image != spec.Config.Image || f.ImageID == "" || f.Labels["team"] != "blue" || f.Labels[agent.LabelInstallation] != "" ||
		time.Since(f.CreatedAt).Abs() > time.Hour || f.Driver == "" || len(f.Networks) > 1 {
		t.Errorf("facts are %+v", f)
	}
	r.measured(t, id)
	pause, shares := r.spec(Polite, "pause", r.Installation), r.spec(Polite, "shares", r.Installation)
	pause.Config.NetworkDisabled, pause.HostConfig.NetworkMode = true, "none"
	shares.HostConfig.NetworkMode = container.NetworkMode("container:" + pause.Name)
	for _, spec := range []agent.Spec{pause, shares} {
		id, err := r.Engine.Create(r.ctx, spec)
		if err == nil {
			err = r.Engine.Start(r.ctx, id)
		}
		if err != nil {
			t.Fatal(err)
		}
		r.measured(t, id)
	}
	if _, err := r.Engine.Stats(r.ctx, r.prefix+"nobody"); !errors.Is(err, agent.ErrNotFound) {
		t.Errorf("statistics of nobody: %v", err)
	}
}

// measured looks at two samples of a running container.
func (r *rig) measured(t *testing.T, id string) {
	t.Helper()
	before, err := r.Engine.Stats(r.ctx, id)
	if err != nil {
		t.Fatal(err)
	}
	after, err := r.Engine.Stats(r.ctx, id)
	if err != nil || after.Read.Before(before.Read) || before.Read.IsZero() || after.MemoryStats.Usage == 0 || after.ID != id || after.Name == "" ||
		after.CPUStats.CPUUsage.TotalUsage == 0 || after.CPUStats.CPUUsage.TotalUsage < before.CPUStats.CPUUsage.TotalUsage {
		t.Errorf("first %+v, then %+v, %v", before, after, err)
	}
}
