package agenttest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"berth/internal/agent"
)

// Image implements agent.Images.
func (e *Engine) Image(ctx context.Context, ref string) (agent.Image, error) {
	if err := e.begin(ctx, "image"); err != nil {
		return agent.Image{}, err
	}
	i, ok := e.images[ref]
	if !ok {
		return agent.Image{}, e.end(ctx, "image", fmt.Errorf("image %s: %w", ref, agent.ErrNotFound))
	}
	return agent.Image{ID: "sha256:" + ref, Digest: i.Digest}, e.end(ctx, "image", nil)
}

// Pull implements agent.Images.
func (e *Engine) Pull(ctx context.Context, ref string, l agent.Login) error {
	if err := e.begin(ctx, "pull"); err != nil {
		return err
	}
	e.done["pull "+ref]++
	if l.User != "" {
		e.done["pull "+ref+" as "+l.User+" "+l.Password]++
	}
	if want, ok := e.Logins[ref]; ok && l != want {
		return e.end(ctx, "pull", &agent.PullRefusedError{Err: fmt.Errorf("unauthorized: authentication required"), Login: true})
	}
	if err := e.PullErrors[ref]; err != nil {
		return e.end(ctx, "pull", err)
	}
	i, ok := e.Registry[ref]
	if !ok {
		return e.end(ctx, "pull", &agent.PullRefusedError{Err: fmt.Errorf("manifest for %s not found: manifest unknown", ref)})
	}
	e.images[ref] = i
	return e.end(ctx, "pull", nil)
}

// Machine implements agent.Runtime.
func (e *Engine) Machine(ctx context.Context) (agent.Machine, error) {
	if err := e.begin(ctx, "machine"); err != nil {
		return agent.Machine{}, err
	}
	return agent.Machine{Version: "20.10.24", APIVersion: "1.41", APIMinVersion: "1.12", LogDrivers: []string{"json-file", "syslog"},
		VolumeDrivers: []string{"local"}, Runtimes: append([]string{"runc"}, e.Runtimes...), CgroupDriver: "cgroupfs", CgroupVersion: 1, OSType: "linux", Architecture: "x86_64", CPUs: 2,
		MemoryBytes: 8 << 30, LiveRestore: true}, e.end(ctx, "machine", nil)
}

func (e *Engine) ours(labels map[string]string) bool {
	return labels[agent.LabelInstallation] == e.installation
}

// List implements agent.Runtime.
func (e *Engine) List(ctx context.Context) ([]agent.Observed, error) {
	if err := e.begin(ctx, "list"); err != nil {
		return nil, err
	}
	var list []agent.Observed
	for _, c := range e.containers {
		if e.ours(c.Labels) {
			list = append(list, agent.Observed{ID: c.ID, Name: c.Name, Labels: c.Labels, State: c.State})
		}
	}
	return list, e.end(ctx, "list", nil)
}

// Volume implements agent.Volumes.
func (e *Engine) Volume(ctx context.Context, name string) (agent.Volume, error) {
	if err := e.begin(ctx, "volume"); err != nil {
		return agent.Volume{}, err
	}
	v, ok := e.volumes[name]
	if !ok {
		return agent.Volume{}, e.end(ctx, "volume", fmt.Errorf("volume %s: %w", name, agent.ErrNotFound))
	}
	return v, e.end(ctx, "volume", nil)
}

// CreateVolume implements agent.Volumes. It knows the driver "local" only.
func (e *Engine) CreateVolume(ctx context.Context, v agent.Volume) error {
	if err := e.begin(ctx, "create volume"); err != nil {
		return err
	}
	if v.Driver != "" && v.Driver != "local" {
		return e.end(ctx, "create volume", fmt.Errorf("error looking up volume plugin %s: plugin %q not found", v.Driver, v.Driver))
	}
	if _, there := e.volumes[v.Name]; !there {
		v.Driver = "local"
		e.volumes[v.Name] = v
	}
	return e.end(ctx, "create volume", nil)
}

// RemoveVolume implements agent.Volumes.
func (e *Engine) RemoveVolume(ctx context.Context, name string) error {
	if err := e.begin(ctx, "remove volume"); err != nil {
		return err
	}
	delete(e.volumes, name)
	return e.end(ctx, "remove volume", nil)
}

// Volumes counts the named volumes.
func (e *Engine) Volumes() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.volumes)
}

// Containers counts the containers in a state.
func (e *Engine) Containers(s agent.State) (n int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, c := range e.containers {
		if c.State == s {
			n++
		}
	}
	return n
}

// Down takes the engine down, and up again. Containers go on running meanwhile, as with live-restore, but nobody hears of them.
func (e *Engine) Down(down bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.down = down
	if down {
		for w := range e.watchers {
			close(w.broken)
			delete(e.watchers, w)
		}
	}
}

// watcher is one who follows the events.
type watcher struct {
	events []agent.Event // not told yet; the engine's lock guards it
	wake   chan struct{} // size 1
	broken chan struct{} // closed when the engine goes down
}

// Watch implements agent.Runtime.
func (e *Engine) Watch(ctx context.Context, ready func(), each func(agent.Event)) error {
	if err := e.begin(ctx, "watch"); err != nil {
		return err
	}
	w := &watcher{wake: make(chan struct{}, 1), broken: make(chan struct{})}
	e.watchers[w] = true
	if err := e.end(ctx, "watch", nil); err != nil {
		return err
	}
	defer func() {
		e.mu.Lock()
		delete(e.watchers, w)
		e.mu.Unlock()
	}()
	ready()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-w.broken:
			return errors.New("unexpected EOF")
		case <-w.wake:
		}
		e.mu.Lock()
		events := w.events
		w.events = nil
		e.mu.Unlock()
		for _, ev := range events {
			each(ev)
		}
	}
}

// tell hands an event to the watchers. The caller holds the lock.
func (e *Engine) tell(ev agent.Event) {
	if !e.ours(ev.Labels) {
		return
	}
	ev.At = time.Now()
	for w := range e.watchers {
		w.events = append(w.events, ev)
		select {
		case w.wake <- struct{}{}:
		default:
		}
	}
}
