package ecr

import (
	"cmp"
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsecr "github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"

	"berth/internal/frontdoor"
	"berth/internal/page"
)

// listImages lists a repository's images: each once for each of its tags, in the order of digests and tags.
func (a *API) listImages(ctx context.Context, r *frontdoor.Request, in *awsecr.ListImagesInput) (*awsecr.ListImagesOutput, error) {
	var f types.ListImagesFilter
	if in.Filter != nil {
		f = *in.Filter
	}
	var c check
	c.repository(in.RegistryId, in.RepositoryName)
	c.page(in.MaxResults)
	c.filter(f.TagStatus, f.ImageStatus)
	if c.err != nil {
		return nil, c.err
	}
	s := home(r, in.RegistryId)
	p, ok := page.New(int(cmp.Or(aws.ToInt32(in.MaxResults), mostShown)), in.NextToken, "ListImages", s.Region, s.Account, *in.RepositoryName, string(f.TagStatus), string(f.ImageStatus))
	if !ok {
		return nil, invalidToken()
	}
	of, err := find(a.store.View().Tables, s, *in.RepositoryName)
	if err != nil {
		return nil, err
	}
	all, err := a.shelf(ctx, of, s.Account)
	if err != nil {
		return nil, err
	}
	ids := []types.ImageIdentifier{}
	for _, i := range all.images {
		switch {
		case !wanted(i, f.TagStatus, f.ImageStatus):
		case len(i.Tags) == 0:
			ids = append(ids, identifier(i, ""))
		default:
			for _, tag := range i.Tags {
				ids = append(ids, identifier(i, tag))
			}
		}
	}
	out := &awsecr.ListImagesOutput{}
	out.ImageIds, out.NextToken = page.Take(p, slices.Values(ids), func(id types.ImageIdentifier) string { return *id.ImageDigest + " " + aws.ToString(id.ImageTag) })
	if out.ImageIds == nil {
		out.ImageIds = []types.ImageIdentifier{}
	}
	return out, nil
}
