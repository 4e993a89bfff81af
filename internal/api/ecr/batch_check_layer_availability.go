package ecr

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsecr "github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"
	"github.com/opencontainers/go-digest"

	"berth/internal/frontdoor"
)

const (
	mostLayers      = 100
	mostLayerDigest = 1000
	layerType       = "application/vnd.docker.image.rootfs.diff.tar.gzip" // AWS says so of each
)

// batchCheckLayerAvailability says which layers a repository has.
func (a *API) batchCheckLayerAvailability(ctx context.Context, r *frontdoor.Request, in *awsecr.BatchCheckLayerAvailabilityInput) (*awsecr.BatchCheckLayerAvailabilityOutput, error) {
	var c check
	c.repository(in.RegistryId, in.RepositoryName)
	if in.LayerDigests == nil {
		c.fail("layerDigests", "must not be null")
	}
	c.count("layerDigests", in.LayerDigests != nil, len(in.LayerDigests), 1, mostLayers)
	for _, d := range in.LayerDigests {
		c.text("layerDigests", &d, 0, mostLayerDigest)
	}
	if c.err != nil {
		return nil, c.err
	}
	of, err := find(a.store.View().Tables, home(r, in.RegistryId), *in.RepositoryName)
	if err != nil {
		return nil, err
	}
	out := &awsecr.BatchCheckLayerAvailabilityOutput{Layers: []types.Layer{}, Failures: []types.LayerFailure{}}
	for _, d := range in.LayerDigests {
		if !digestForm.MatchString(d) {
			out.Failures = append(out.Failures, types.LayerFailure{LayerDigest: &d, FailureCode: types.LayerFailureCodeInvalidLayerDigest,
				FailureReason: aws.String("Invalid request parameters: layer digest should satisfy the regex '[a-zA-Z0-9-_+.]+:[a-fA-F0-9]+'")})
			continue
		}
		one := types.Layer{LayerDigest: &d, LayerAvailability: types.LayerAvailabilityUnavailable}
		size, found, err := a.layer(ctx, of.Storage, d)
		if err != nil {
			return nil, err
		}
		if found {
			one.LayerAvailability, one.LayerSize, one.MediaType = types.LayerAvailabilityAvailable, &size, aws.String(layerType)
		}
		out.Layers = append(out.Layers, one)
	}
	return out, nil
}

// layer is the size of a layer; false where the repository does not have it, as it has none of a digest that is not SHA-256.
func (a *API) layer(ctx context.Context, storage, d string) (size int64, found bool, err error) {
	is := digest.Digest(d)
	if is.Validate() != nil || is.Algorithm() != digest.SHA256 {
		return 0, false, nil
	}
	return a.registry.Layer(ctx, storage, is)
}
