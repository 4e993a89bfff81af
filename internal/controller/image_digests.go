package controller

import (
	"slices"

	"berth/internal/ecs"
)

// withDigests is the definition with the images that a service revision has settled; d itself where it has settled none. r may be nil.
func withDigests(d *ecs.TaskDefinition, r *ecs.ServiceRevision) *ecs.TaskDefinition {
	if r == nil || len(r.ContainerImages) == 0 {
		return d
	}
	out := *d
	out.Definition.ContainerDefinitions = slices.Clone(d.Definition.ContainerDefinitions)
	for i := range out.Definition.ContainerDefinitions {
		c := &out.Definition.ContainerDefinitions[i]
		image := r.Image(c)
		c.Image = &image
	}
	return &out
}
