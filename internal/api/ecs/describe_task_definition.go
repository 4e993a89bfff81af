package ecs

import (
	"context"
	"slices"

	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/apierr"
	"berth/internal/frontdoor"
)

// describeTaskDefinition shows one revision: the newest ACTIVE one where only the family is named.
func (a *API) describeTaskDefinition(
	_ context.Context, r *frontdoor.Request, in *awsecs.DescribeTaskDefinitionInput,
) (*awsecs.DescribeTaskDefinitionOutput, error) {
	if text(in.TaskDefinition) == "" {
		return nil, apierr.InvalidParameter("TaskDefinition can not be blank.")
	}
	if err := validateEnums("include", in.Include); err != nil {
		return nil, err
	}
	n, err := parseDefinition(r, *in.TaskDefinition)
	if err != nil {
		return nil, err
	}
	d := n.find(a.store.View().Tables)
	if d == nil {
		return nil, apierr.ClientException("Unable to describe task definition.")
	}
	out := &awsecs.DescribeTaskDefinitionOutput{TaskDefinition: &d.Definition}
	if slices.Contains(in.Include, types.TaskDefinitionFieldTags) {
		out.Tags = orEmpty(d.Tags)
	}
	return out, nil
}
