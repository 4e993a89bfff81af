package ecs

import (
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// Version consistency: the tasks of one service revision run the same images. The first of them that tells the digest of an image settles it
// for those that come after. An image that its registry knows no digest of, or that was made on the machine, stays as it is named.

// Learn returns r with the digests that a task of it has told and r does not know; r itself where there are none.
func (r *ServiceRevision) Learn(t *Task, d *TaskDefinition) *ServiceRevision {
	next := r
	for i := range t.Containers {
		told := &t.Containers[i]
		c := d.Container(told.Name)
		if told.ImageDigest == "" || c == nil || !consistent(c) || r.digest(told.Name) != "" {
			continue
		}
		if next == r {
			copied := *r
			copied.ContainerImages = r.Images(d)
			next = &copied
		}
		for k := range next.ContainerImages {
			if image := &next.ContainerImages[k]; *image.ContainerName == told.Name {
				digest := told.ImageDigest
				image.ImageDigest = &digest
			}
		}
	}
	return next
}

// Images are the revision's images in the definition's order, with the digests that are known.
func (r *ServiceRevision) Images(d *TaskDefinition) []types.ContainerImage {
	out := make([]types.ContainerImage, 0, len(d.Definition.ContainerDefinitions))
	for i := range d.Definition.ContainerDefinitions {
		c := &d.Definition.ContainerDefinitions[i]
		image := types.ContainerImage{ContainerName: c.Name, Image: c.Image}
		if digest := r.digest(*c.Name); digest != "" {
			image.ImageDigest = &digest
		}
		out = append(out, image)
	}
	return out
}

func consistent(c *types.ContainerDefinition) bool {
	return c.VersionConsistency != types.VersionConsistencyDisabled
}

// digest is that of a container's image, "" where it is not known.
func (r *ServiceRevision) digest(container string) string {
	for _, i := range r.ContainerImages {
		if i.ContainerName != nil && *i.ContainerName == container && i.ImageDigest != nil {
			return *i.ImageDigest
		}
	}
	return ""
}

// Image is a container's image as the revision's next tasks run it: by its digest, where that is known. r may be nil.
func (r *ServiceRevision) Image(c *types.ContainerDefinition) string {
	if c.Image == nil || c.Name == nil {
		return ""
	}
	image := *c.Image
	if r == nil || !consistent(c) || strings.Contains(image, "@") {
		return image
	}
	digest := r.digest(*c.Name)
	if digest == "" {
		return image
	}
	if tag := strings.LastIndexByte(image, ':'); tag > strings.LastIndexByte(image, '/') {
		image = image[:tag]
	}
	return image + "@" + digest
}

// RevisionOf is the ARN of the service revision that a service's task belongs to, "" for a task of its own.
func (t *Task) RevisionOf() string {
	deployment := t.Deployment()
	if deployment == "" {
		return ""
	}
	return (&Service{ServiceArn: t.Service}).Revision(deployment)
}
