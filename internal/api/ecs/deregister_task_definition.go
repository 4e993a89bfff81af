package ecs

import (
	"context"

	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/apierr"
	"berth/internal/frontdoor"
	"berth/internal/state"
)

// deregisterTaskDefinition makes a revision INACTIVE. Services and tasks that use it go on.
func (a *API) deregisterTaskDefinition(
	ctx context.Context, r *frontdoor.Request, in *awsecs.DeregisterTaskDefinitionInput,
) (*awsecs.DeregisterTaskDefinitionOutput, error) {
	if text(in.TaskDefinition) == "" {
		return nil, apierr.InvalidParameter("TaskDefinition can not be blank.")
	}
	n, err := parseDefinition(r, *in.TaskDefinition)
	if err != nil {
		return nil, err
	}
	if n.revision == 0 {
		return nil, apierr.ClientException("Revision is missing.")
	}
	var answer types.TaskDefinition
	err = a.store.Update(ctx, func(tx *state.Tx) error {
		d := n.find(tx.Tables)
		if d == nil {
			return apierr.ClientException("The specified task definition does not exist.")
		}
		if d.Definition.Status == types.TaskDefinitionStatusActive {
			c, at := *d, now()
			c.Definition.Status, c.Definition.DeregisteredAt = types.TaskDefinitionStatusInactive, &at
			tx.Put(&c)
			d = &c
		}
		answer = d.Definition
		answer.DeregisteredAt = nil // AWS shows it later, not in this answer
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &awsecs.DeregisterTaskDefinitionOutput{TaskDefinition: &answer}, nil
}
