// Package docker is the agent's container engine on Docker Engine, through its API.
package docker

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"

	"berth/internal/agent"
)

// Engine is a Docker Engine, seen by one installation. It implements all parts of agent.Engine.
type Engine struct {
	api          *client.Client
	installation string
}

var (
	_ agent.Containers = (*Engine)(nil)
	_ agent.Images     = (*Engine)(nil)
	_ agent.Volumes    = (*Engine)(nil)
	_ agent.Runtime    = (*Engine)(nil)
)

// Open returns the engine at host, "" for DOCKER_HOST and then the usual socket. It does not connect yet.
func Open(host, installation string) (*Engine, error) {
	options := []client.Opt{client.FromEnv}
	if host != "" {
		options = append(options, client.WithHost(host))
	}
	api, err := client.New(options...)
	if err != nil {
		return nil, fmt.Errorf("open the engine's API at %q: %w", host, err)
	}
	return &Engine{api: api, installation: installation}, nil
}

// Close gives up the engine's idle connections.
func (e *Engine) Close() error { return e.api.Close() }

// Seam returns the engine as an agent wants it.
func (e *Engine) Seam() agent.Engine {
	return agent.Engine{Containers: e, Images: e, Volumes: e, Runtime: e}
}

// tell turns a client's error into what agents tell errors by. Without an HTTP answer nothing is known of what the engine did.
func tell(err error) error {
	switch {
	case err == nil, errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	case client.IsErrConnectionFailed(err):
		return fmt.Errorf("%w: %w", agent.ErrUnavailable, err)
	case errdefs.IsNotFound(err):
		return &kindError{agent.ErrNotFound, err}
	}
	return err
}

// kindError is an engine's error in its own words that errors.Is tells by kind.
type kindError struct {
	kind error
	err  error
}

func (e *kindError) Error() string   { return e.err.Error() }
func (e *kindError) Unwrap() []error { return []error{e.kind, e.err} }

// Create implements agent.Containers.
func (e *Engine) Create(ctx context.Context, s agent.Spec) (string, error) {
	out, err := e.api.ContainerCreate(ctx, client.ContainerCreateOptions{Config: s.Config, HostConfig: s.HostConfig, Name: s.Name})
	if errdefs.IsConflict(err) {
		return "", &kindError{agent.ErrNameTaken, err}
	}
	return out.ID, tell(err)
}

// Start implements agent.Containers.
func (e *Engine) Start(ctx context.Context, id string) error {
	_, err := e.api.ContainerStart(ctx, id, client.ContainerStartOptions{})
	return startError(tell(err))
}

// startError keeps a missing program apart from a missing container: engines answer 404 to both.
func startError(err error) error {
	var k *kindError
	if errors.As(err, &k) && k.kind == agent.ErrNotFound && !isNoContainer(k.err) {
		return errors.New(k.Error())
	}
	return err
}

// Hold stops all processes of a container where they are, or lets them go on. One that is so already, or does not run, is left alone.
func (e *Engine) Hold(ctx context.Context, id string, held bool) error {
	found, err := e.api.ContainerInspect(ctx, id, client.ContainerInspectOptions{})
	if err != nil {
		return absent(tell(err))
	}
	switch s := found.Container.State; {
	case s == nil || !s.Running || s.Paused == held:
		return nil
	case held:
		_, err = e.api.ContainerPause(ctx, id, client.ContainerPauseOptions{})
	default:
		_, err = e.api.ContainerUnpause(ctx, id, client.ContainerUnpauseOptions{})
	}
	return absent(tell(err))
}

// Stop implements agent.Containers.
func (e *Engine) Stop(ctx context.Context, id string, grace time.Duration) error {
	seconds := int((grace + time.Second - 1) / time.Second)
	_, err := e.api.ContainerStop(ctx, id, client.ContainerStopOptions{Timeout: &seconds})
	return absent(tell(err))
}

// Remove implements agent.Containers.
func (e *Engine) Remove(ctx context.Context, id string) error {
	_, err := e.api.ContainerRemove(ctx, id, client.ContainerRemoveOptions{RemoveVolumes: true, Force: true})
	if errdefs.IsConflict(err) { // somebody removes it already
		return e.removed(ctx, id, err)
	}
	return absent(tell(err))
}

// removed waits for a removal that is under way.
func (e *Engine) removed(ctx context.Context, id string, conflict error) error {
	wait := e.api.ContainerWait(ctx, id, client.ContainerWaitOptions{Condition: container.WaitConditionRemoved})
	select {
	case err := <-wait.Error:
		return absent(tell(err))
	case <-wait.Result:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("%w: %w", ctx.Err(), conflict)
	}
}

// absent is no error where what should go is not there.
func absent(err error) error {
	if errors.Is(err, agent.ErrNotFound) {
		return nil
	}
	return err
}

// Inspect implements agent.Containers.
func (e *Engine) Inspect(ctx context.Context, id string) (agent.Observed, error) {
	out, err := e.api.ContainerInspect(ctx, id, client.ContainerInspectOptions{})
	if err != nil {
		return agent.Observed{}, tell(err)
	}
	return observed(out.Container)
}

// Volume implements agent.Volumes.
func (e *Engine) Volume(ctx context.Context, name string) (agent.Volume, error) {
	out, err := e.api.VolumeInspect(ctx, name, client.VolumeInspectOptions{})
	if err != nil {
		return agent.Volume{}, tell(err)
	}
	v := out.Volume
	return agent.Volume{Name: v.Name, Driver: v.Driver, Options: v.Options, Labels: v.Labels}, nil
}

// CreateVolume implements agent.Volumes.
func (e *Engine) CreateVolume(ctx context.Context, v agent.Volume) error {
	_, err := e.api.VolumeCreate(ctx, client.VolumeCreateOptions{Name: v.Name, Driver: v.Driver, DriverOpts: v.Options, Labels: v.Labels})
	return tell(err)
}

// RemoveVolume implements agent.Volumes.
func (e *Engine) RemoveVolume(ctx context.Context, name string) error {
	_, err := e.api.VolumeRemove(ctx, name, client.VolumeRemoveOptions{})
	return absent(tell(err))
}
