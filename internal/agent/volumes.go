package agent

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"time"

	"berth/internal/acsproto"
)

// The scopes of the engine's volumes.
const (
	scopeTask   = "task"
	scopeShared = "shared"
)

// sharedVolume says whether a volume is the machine's, and not this task's.
func sharedVolume(v acsproto.Volume) bool { return v.Docker != nil && v.Docker.Scope == scopeShared }

// volumeSource is the path on the machine, or the name of the volume in the engine.
func volumeSource(t acsproto.Task, v acsproto.Volume) string {
	switch {
	case v.Host.SourcePath != "":
		return v.Host.SourcePath
	case sharedVolume(v):
		return v.Name
	}
	return containerName(t, v.Name)
}

// ownVolumes are the engine's names of the volumes that go with the task.
func ownVolumes(t acsproto.Task) (names []string) {
	for _, v := range t.Volumes {
		if v.Host.SourcePath == "" && !sharedVolume(v) {
			names = append(names, containerName(t, v.Name))
		}
	}
	return names
}

// mountedVolumes are the engine's volumes that a container mounts and that must be made, or be there, before it is created.
func mountedVolumes(t acsproto.Task, c acsproto.Container) (list []acsproto.Volume) {
	for _, m := range c.MountPoints {
		for _, v := range t.Volumes {
			if v.Name == m.SourceVolume && v.Docker != nil {
				list = append(list, v)
			}
		}
	}
	return list
}

// provide makes the volumes that a container mounts. What cannot be made stops the task, which then says why.
func (t *task) provide(ctx context.Context, name string) error {
	var list []acsproto.Volume
	var order acsproto.Task
	t.view(func(r *Record) { order, list = r.Task, mountedVolumes(r.Task, r.ordered(name)) })
	if len(list) == 0 {
		return nil
	}
	limited, cancel := context.WithTimeout(ctx, createTimeout)
	defer cancel()
	for _, v := range list {
		err := t.agent.provideVolume(limited, order, v)
		switch {
		case err == nil:
		case errors.Is(err, ErrUnavailable) || ctx.Err() != nil:
			return fmt.Errorf("provide volume %s: %w", v.Name, err)
		default:
			t.give(fmt.Sprintf("CannotCreateVolumeError: volume %s: %v", v.Name, err))
			return errGivenUp
		}
	}
	return nil
}

// errGivenUp says that the task is on its way to stop, and why is written down.
var errGivenUp = errors.New("the task is given up")

// give stops a task that cannot run, for a reason that is the task's own.
func (t *task) give(reason string) {
	t.mu.Lock()
	if t.rec.Reason == "" {
		t.rec.Reason = reason
	}
	if t.rec.ExecutionStoppedAt.IsZero() {
		t.rec.ExecutionStoppedAt = time.Now()
	}
	for _, abandon := range t.abandon {
		abandon()
	}
	t.dirty = true
	t.mu.Unlock()
	t.poke()
}

// provideVolume makes a task's own volume, and a shared one that is not there if it may.
func (a *Agent) provideVolume(ctx context.Context, t acsproto.Task, v acsproto.Volume) error {
	d := v.Docker
	want := Volume{Name: volumeSource(t, v), Driver: d.Driver, Options: d.DriverOpts, Labels: d.Labels}
	if !sharedVolume(v) {
		want.Labels = maps.Clone(d.Labels)
		if want.Labels == nil {
			want.Labels = map[string]string{}
		}
		want.Labels[LabelInstallation], want.Labels[labelTaskARN] = a.Installation, t.ARN
		return a.Engine.CreateVolume(ctx, want)
	}
	have, err := a.Engine.Volume(ctx, want.Name)
	switch {
	case errors.Is(err, ErrNotFound) && d.Autoprovision:
		return a.Engine.CreateVolume(ctx, want)
	case err != nil:
		return err
	case !d.Autoprovision:
		return nil // it is there, which is all that was asked
	}
	return volumeDiffers(have, want)
}

// volumeDiffers says how a shared volume that is there already differs from what was ordered, in what the order names.
func volumeDiffers(have, want Volume) error {
	switch {
	case want.Driver != "" && have.Driver != want.Driver:
		return fmt.Errorf("it is there with driver %s, not %s", have.Driver, want.Driver)
	case len(want.Options) > 0 && !maps.Equal(have.Options, want.Options):
		return errors.New("it is there with other driver options")
	case len(want.Labels) > 0 && !maps.Equal(have.Labels, want.Labels):
		return errors.New("it is there with other labels")
	}
	return nil
}
