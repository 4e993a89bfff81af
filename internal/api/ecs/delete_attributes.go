package ecs

import (
	"context"

	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"

	"berth/internal/apierr"
	"berth/internal/ecs"
	"berth/internal/frontdoor"
	"berth/internal/state"
)

// deleteAttributes takes custom attributes from container instances. One that is not there is gone already.
func (a *API) deleteAttributes(ctx context.Context, r *frontdoor.Request, in *awsecs.DeleteAttributesInput) (*awsecs.DeleteAttributesOutput, error) {
	changes, err := attributeChanges(r, in.Cluster, in.Attributes)
	if err != nil {
		return nil, err
	}
	for _, c := range changes {
		if c.value != nil {
			return nil, apierr.InvalidParameter("The attribute '%s' should be given without a value to delete it.", c.name)
		}
	}
	out := &awsecs.DeleteAttributesOutput{}
	err = a.store.Update(ctx, func(tx *state.Tx) (err error) {
		out.Attributes, err = changeAttributes(tx, r, in.Cluster, changes, func(i *ecs.Instance, c attributeChange) { i.DeleteAttribute(c.name) })
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}
