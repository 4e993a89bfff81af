package ecr

import (
	"context"

	awsecr "github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"

	"berth/internal/frontdoor"
)

// listTagsForResource shows a repository's tags.
func (a *API) listTagsForResource(_ context.Context, r *frontdoor.Request, in *awsecr.ListTagsForResourceInput) (*awsecr.ListTagsForResourceOutput, error) {
	var c check
	c.needed("resourceArn", in.ResourceArn, 1, mostARN)
	if c.err != nil {
		return nil, c.err
	}
	found, err := findARN(a.store.View().Tables, r, *in.ResourceArn)
	if err != nil {
		return nil, err
	}
	out := &awsecr.ListTagsForResourceOutput{Tags: []types.Tag{}}
	for _, t := range found.Tags {
		out.Tags = append(out.Tags, types.Tag{Key: &t.Key, Value: &t.Value})
	}
	return out, nil
}
