package ecr

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsecr "github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/opencontainers/go-digest"

	"berth/internal/apierr"
	"berth/internal/frontdoor"
)

// getDownloadURLForLayer makes an address that a layer can be had from for an hour, without a password.
func (a *API) getDownloadURLForLayer(ctx context.Context, r *frontdoor.Request, in *awsecr.GetDownloadUrlForLayerInput) (*awsecr.GetDownloadUrlForLayerOutput, error) {
	var c check
	c.repository(in.RegistryId, in.RepositoryName)
	c.needed("layerDigest", in.LayerDigest, 1, mostLayerDigest)
	if in.LayerDigest != nil && !digestForm.MatchString(*in.LayerDigest) {
		c.fail("layerDigest", "must satisfy regular expression '[a-zA-Z0-9-_+.]+:[a-fA-F0-9]+'")
	}
	if c.err != nil {
		return nil, c.err
	}
	s := home(r, in.RegistryId)
	of, err := find(a.store.View().Tables, s, *in.RepositoryName)
	if err != nil {
		return nil, err
	}
	_, found, err := a.layer(ctx, of.Storage, *in.LayerDigest)
	if err != nil {
		return nil, err
	}
	if !found {
		return nil, apierr.New("LayersNotFoundException", "Layers with digests '[%s]' cannot be found in the repository with name '%s' in the registry with id '%s'",
			*in.LayerDigest, of.Name, s.Account)
	}
	url := origin(r) + a.registry.LayerPath(s, of.Name, digest.Digest(*in.LayerDigest), now())
	return &awsecr.GetDownloadUrlForLayerOutput{LayerDigest: in.LayerDigest, DownloadUrl: aws.String(url)}, nil
}
