package ecs

import (
	"context"

	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"

	"berth/internal/frontdoor"
)

// listTagsForResource shows the tags of a resource, those that ECS gave it among them.
func (a *API) listTagsForResource(
	_ context.Context, r *frontdoor.Request, in *awsecs.ListTagsForResourceInput,
) (*awsecs.ListTagsForResourceOutput, error) {
	x, err := findTaggable(a.store.View().Tables, r, in.ResourceArn)
	if err != nil {
		return nil, err
	}
	return &awsecs.ListTagsForResourceOutput{Tags: orEmpty(x.tags)}, nil
}
