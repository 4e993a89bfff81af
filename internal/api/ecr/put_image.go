package ecr

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsecr "github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/opencontainers/go-digest"

	"berth/internal/apierr"
	"berth/internal/ecr"
	"berth/internal/frontdoor"
	"berth/internal/registry"
)

// putImage puts an image into a repository whose layers are there, or gives one that is there another tag.
func (a *API) putImage(ctx context.Context, r *frontdoor.Request, in *awsecr.PutImageInput) (*awsecr.PutImageOutput, error) {
	var c check
	c.repository(in.RegistryId, in.RepositoryName)
	c.needed("imageManifest", in.ImageManifest, 1, registry.MostManifest)
	c.text("imageTag", in.ImageTag, 1, mostTag)
	if in.ImageTag != nil && !ecr.ValidTag(*in.ImageTag) {
		c.fail("imageTag", "must satisfy regular expression '[a-zA-Z0-9_][a-zA-Z0-9_.-]{0,127}'")
	}
	if in.ImageDigest != nil && !digestForm.MatchString(*in.ImageDigest) {
		c.fail("imageDigest", "must satisfy regular expression '[a-zA-Z0-9-_+.]+:[a-fA-F0-9]+'")
	}
	if c.err != nil {
		return nil, c.err
	}
	s := home(r, in.RegistryId)
	of, err := find(a.store.View().Tables, s, *in.RepositoryName)
	if err != nil {
		return nil, err
	}
	pushed, err := a.registry.Push(ctx, of.Arn, registry.Push{
		Body: []byte(*in.ImageManifest), MediaType: aws.ToString(in.ImageManifestMediaType), Tag: aws.ToString(in.ImageTag),
		Digest: digest.Digest(aws.ToString(in.ImageDigest)), Fresh: true,
	})
	if err != nil {
		return nil, about{of.Name, s.Account}.notPushed(err, in)
	}
	image, err := a.whole(ctx, of, s.Account, pushed, aws.ToString(in.ImageTag))
	if err != nil {
		return nil, err
	}
	return &awsecr.PutImageOutput{Image: image}, nil
}

// notPushed says in ECR's words what keeps an image from being pushed.
func (b about) notPushed(err error, in *awsecr.PutImageInput) error {
	d := digest.FromString(*in.ImageManifest)
	var bad registry.InvalidManifest
	var missing registry.Missing
	switch {
	case errors.As(err, &bad):
		return invalid("ImageManifest", "Invalid image manifest provided: %s", bad.Why)
	case errors.As(err, &missing) && missing.Images:
		return apierr.New("ReferencedImagesNotFoundException",
			"The images with digests '%s' required for pushing image into repository with name '%s' in the registry with id '%s' do not exist", missing.Digests, b.name, b.account)
	case errors.As(err, &missing):
		return apierr.New("LayersNotFoundException",
			"Layers with digests '%s' required for pushing image into repository with name '%s' in the registry with id '%s' do not exist", missing.Digests, b.name, b.account)
	case errors.Is(err, registry.ErrFull):
		return apierr.Unavailable("The registry has no room for more images.")
	case errors.Is(err, registry.ErrNoRepository):
		return b.notFound()
	case errors.Is(err, registry.ErrOtherDigest):
		return apierr.New("ImageDigestDoesNotMatchException", "The provided digest '%s' does not match the digest '%s' of the image manifest", *in.ImageDigest, d)
	case errors.Is(err, registry.ErrTagTaken):
		return apierr.New("ImageTagAlreadyExistsException", "The image tag '%s' already exists in the '%s' repository and cannot be overwritten because the repository is immutable.",
			*in.ImageTag, b.name)
	case errors.Is(err, registry.ErrImageExists) && in.ImageTag == nil:
		return apierr.New("ImageAlreadyExistsException", "Image with digest '%s' already exists in the repository with name '%s' in registry with id '%s'", d, b.name, b.account)
	case errors.Is(err, registry.ErrImageExists):
		return apierr.New("ImageAlreadyExistsException", "Image with digest '%s' and tag '%s' already exists in the repository with name '%s' in registry with id '%s'",
			d, *in.ImageTag, b.name, b.account)
	}
	return err
}
