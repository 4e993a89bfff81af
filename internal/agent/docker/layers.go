package docker

import (
	"context"
	"fmt"

	"github.com/moby/moby/api/types/mount"
	"github.com/moby/moby/client"

	"berth/internal/agent"
)

// localDriver is the engine's own driver of volumes: directories below its data root.
const localDriver = "local"

// Layer tells where a container keeps what it writes, on an engine that keeps layers in directories (overlay2).
func (e *Engine) Layer(ctx context.Context, id string) (agent.Layer, error) {
	out, err := e.api.ContainerInspect(ctx, id, client.ContainerInspectOptions{})
	if err != nil {
		return agent.Layer{}, tell(err)
	}
	c := out.Container
	l := agent.Layer{Image: c.Image}
	if c.GraphDriver != nil {
		l.Upper, l.Work = c.GraphDriver.Data["UpperDir"], c.GraphDriver.Data["WorkDir"]
	}
	for _, m := range c.Mounts {
		if m.Type == mount.TypeVolume && m.Driver == localDriver && m.Source != "" {
			l.Volumes = append(l.Volumes, m.Source)
		}
	}
	return l, nil
}

// LayerBytes has the engine measure what a container has written over its image.
func (e *Engine) LayerBytes(ctx context.Context, id string) (int64, error) {
	out, err := e.api.ContainerInspect(ctx, id, client.ContainerInspectOptions{Size: true})
	if err != nil {
		return 0, tell(err)
	}
	if out.Container.SizeRw == nil {
		return 0, fmt.Errorf("the engine does not say how much container %s has written", id)
	}
	return *out.Container.SizeRw, nil
}

// ImageBytes is the size of an image, unpacked.
func (e *Engine) ImageBytes(ctx context.Context, image string) (int64, error) {
	out, err := e.api.ImageInspect(ctx, image)
	if err != nil {
		return 0, tell(err)
	}
	return out.Size, nil
}
