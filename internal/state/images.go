package state

import (
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/arn"
	"berth/internal/ecs"
)

// Images are those of a deployment, by container, with the digests that one of its running tasks tells; nil while there is none.
func (t *Tables) Images(s arn.Service, deployment string) (out []types.ContainerImage) {
	for x := range t.Tasks.Wanted(s, deployment) {
		d := t.Definitions.Get(x.TaskDefinitionArn)
		if x.LastStatus != ecs.Running || d == nil {
			continue
		}
		for i := range d.Definition.ContainerDefinitions {
			c := &d.Definition.ContainerDefinitions[i]
			image := types.ContainerImage{ContainerName: c.Name, Image: c.Image}
			for _, ran := range x.Containers {
				if c.Name != nil && ran.Name == *c.Name && ran.ImageDigest != "" {
					image.ImageDigest = new(ran.ImageDigest)
				}
			}
			out = append(out, image)
		}
		return out
	}
	return nil
}
