package ssm

import (
	"context"

	awsssm "github.com/aws/aws-sdk-go-v2/service/ssm"

	"berth/internal/constraint"
	"berth/internal/frontdoor"
)

// listTagsForResource lists the tags of a resource.
func (a *API) listTagsForResource(_ context.Context, r *frontdoor.Request, in *awsssm.ListTagsForResourceInput) (*awsssm.ListTagsForResourceOutput, error) {
	var c constraint.Check
	if err := validateTagged(&c, in.ResourceType, in.ResourceId); err != nil {
		return nil, err
	}
	found, err := findTagged(a.store.View().Tables, r.Scope, in.ResourceType, *in.ResourceId)
	if err != nil {
		return nil, err
	}
	return &awsssm.ListTagsForResourceOutput{TagList: tagList(found.tags)}, nil
}
