package ecr

import (
	"context"
	"regexp"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"
	"github.com/opencontainers/go-digest"

	"berth/internal/ecr"
	"berth/internal/registry"
)

const (
	mostIDs    = 100
	mostDigest = 300
	mostTag    = 300
)

var digestForm = regexp.MustCompile(`^[a-zA-Z0-9-_+.]+:[a-fA-F0-9]+$`)

// imageIDs looks at the images that a request names.
func (c *check) imageIDs(ids []types.ImageIdentifier, needed bool) {
	if ids == nil && needed {
		c.fail("imageIds", "must not be null")
	}
	c.count("imageIds", ids != nil, len(ids), 1, mostIDs)
	for _, id := range ids {
		c.text("imageIds.imageTag", id.ImageTag, 1, mostTag)
		c.text("imageIds.imageDigest", id.ImageDigest, 1, mostDigest)
	}
}

// shelf is a repository with its images.
type shelf struct {
	of     *ecr.Repository
	about  about
	images []registry.Image
}

func (a *API) shelf(ctx context.Context, of *ecr.Repository, account string) (*shelf, error) {
	images, err := a.registry.Images(ctx, of.Storage)
	if err != nil {
		return nil, err
	}
	return &shelf{of, about{of.Name, account}, images}, nil
}

// pick is the image that an identifier means, nil and why where there is none.
func (s *shelf) pick(id types.ImageIdentifier) (*registry.Image, *types.ImageFailure) {
	fail := func(code types.ImageFailureCode, reason string) (*registry.Image, *types.ImageFailure) {
		return nil, &types.ImageFailure{ImageId: &id, FailureCode: code, FailureReason: &reason}
	}
	switch {
	case id.ImageDigest == nil && id.ImageTag == nil:
		return fail(types.ImageFailureCodeMissingDigestAndTag, "Invalid request parameters: both tag and digest cannot be null")
	case id.ImageDigest != nil && !digestForm.MatchString(*id.ImageDigest):
		return fail(types.ImageFailureCodeInvalidImageDigest, "Invalid request parameters: image digest should satisfy the regex '[a-zA-Z0-9-_+.]+:[a-fA-F0-9]+'")
	case id.ImageTag != nil && !ecr.ValidTag(*id.ImageTag):
		return fail(types.ImageFailureCodeInvalidImageTag, "Invalid request parameters: image tag should satisfy the regex '[a-zA-Z0-9_][a-zA-Z0-9_.-]{0,127}'")
	}
	i := slices.IndexFunc(s.images, func(one registry.Image) bool {
		if id.ImageDigest != nil {
			return one.Digest == digest.Digest(*id.ImageDigest)
		}
		return one.Tagged(*id.ImageTag)
	})
	switch {
	case i < 0:
		return fail(types.ImageFailureCodeImageNotFound, "Requested image not found")
	case id.ImageTag != nil && !s.images[i].Tagged(*id.ImageTag):
		return fail(types.ImageFailureCodeImageTagDoesNotMatchDigest, "Invalid request parameters: tag '"+*id.ImageTag+"' does not match digest '"+*id.ImageDigest+"'")
	}
	return &s.images[i], nil
}

// wanted says whether an image is one of those that a filter wants.
func wanted(i registry.Image, tags types.TagStatus, status types.ImageStatusFilter) bool {
	if status != "" && status != types.ImageStatusFilterActive && status != types.ImageStatusFilterAny { // no image is archived
		return false
	}
	switch tags {
	case types.TagStatusTagged:
		return len(i.Tags) > 0
	case types.TagStatusUntagged:
		return len(i.Tags) == 0
	}
	return true
}

// identifier names an image by its digest, and a tag unless that is "".
func identifier(i registry.Image, tag string) types.ImageIdentifier {
	id := types.ImageIdentifier{ImageDigest: aws.String(i.Digest.String())}
	if tag != "" {
		id.ImageTag = &tag
	}
	return id
}
