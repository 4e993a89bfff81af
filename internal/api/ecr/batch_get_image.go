package ecr

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsecr "github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"

	"berth/internal/ecr"
	"berth/internal/frontdoor"
	"berth/internal/registry"
)

const mostMediaTypes = 100

// batchGetImage answers with the manifests of images, byte for byte as they were pushed.
func (a *API) batchGetImage(ctx context.Context, r *frontdoor.Request, in *awsecr.BatchGetImageInput) (*awsecr.BatchGetImageOutput, error) {
	var c check
	c.repository(in.RegistryId, in.RepositoryName)
	c.imageIDs(in.ImageIds, true)
	c.count("acceptedMediaTypes", in.AcceptedMediaTypes != nil, len(in.AcceptedMediaTypes), 1, mostMediaTypes)
	if c.err != nil {
		return nil, c.err
	}
	s := home(r, in.RegistryId)
	of, err := find(a.store.View().Tables, s, *in.RepositoryName)
	if err != nil {
		return nil, err
	}
	all, err := a.shelf(ctx, of, s.Account)
	if err != nil {
		return nil, err
	}
	out := &awsecr.BatchGetImageOutput{Images: []types.Image{}, Failures: []types.ImageFailure{}}
	for _, id := range in.ImageIds {
		found, failed := all.pick(id)
		if failed != nil {
			out.Failures = append(out.Failures, *failed)
			continue
		}
		one, err := a.whole(ctx, of, s.Account, *found, aws.ToString(id.ImageTag))
		if errors.Is(err, registry.ErrNoImage) { // it was removed meanwhile
			out.Failures = append(out.Failures, types.ImageFailure{ImageId: &id, FailureCode: types.ImageFailureCodeImageNotFound, FailureReason: aws.String("Requested image not found")})
			continue
		}
		if err != nil {
			return nil, err
		}
		out.Images = append(out.Images, *one)
	}
	return out, nil
}

// whole is an image with its manifest.
func (a *API) whole(ctx context.Context, of *ecr.Repository, account string, i registry.Image, tag string) (*types.Image, error) {
	body, mediaType, err := a.registry.Manifest(ctx, of.Storage, i.Digest)
	if err != nil {
		return nil, err
	}
	id := identifier(i, tag)
	return &types.Image{RegistryId: &account, RepositoryName: &of.Name, ImageId: &id, ImageManifest: aws.String(string(body)), ImageManifestMediaType: &mediaType}, nil
}
