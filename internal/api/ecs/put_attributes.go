package ecs

import (
	"context"

	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"

	"berth/internal/ecs"
	"berth/internal/frontdoor"
	"berth/internal/state"
)

// putAttributes puts custom attributes on container instances, or gives those that are there other values. It does all of it or nothing.
func (a *API) putAttributes(ctx context.Context, r *frontdoor.Request, in *awsecs.PutAttributesInput) (*awsecs.PutAttributesOutput, error) {
	changes, err := attributeChanges(r, in.Cluster, in.Attributes)
	if err != nil {
		return nil, err
	}
	for _, c := range changes {
		if err := validateCustomValue(c); err != nil {
			return nil, err
		}
	}
	out := &awsecs.PutAttributesOutput{}
	err = a.store.Update(ctx, func(tx *state.Tx) (err error) {
		out.Attributes, err = changeAttributes(tx, r, in.Cluster, changes, func(i *ecs.Instance, c attributeChange) { i.PutAttribute(c.name, c.value) })
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}
