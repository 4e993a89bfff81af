package iam

import (
	"context"

	"berth/internal/frontdoor"

	awsiam "github.com/aws/aws-sdk-go-v2/service/iam"
)

func (a *API) getPolicy(_ context.Context, r *frontdoor.Request, in *awsiam.GetPolicyInput) (*awsiam.GetPolicyOutput, error) {
	t := a.store.View().Tables
	p, err := a.findPolicy(t, r.Scope.Account, *in.PolicyArn)
	if err != nil {
		return nil, err
	}
	shape := policyShape(p, usage(t, r.Scope.Account)[p.Arn])
	shape.Description, shape.Tags = optional(p.Description), tags(p.Tags)
	return &awsiam.GetPolicyOutput{Policy: &shape}, nil
}
