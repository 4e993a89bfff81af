package ecs

import (
	"context"

	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/apierr"
	"berth/internal/ecs"
	"berth/internal/frontdoor"
	"berth/internal/state"
)

// deregisterTaskDefinition makes a revision INACTIVE. Services and tasks that use it go on.
func (a *API) deregisterTaskDefinition(ctx context.Context, r *frontdoor.Request, in *awsecs.DeregisterTaskDefinitionInput) (*awsecs.DeregisterTaskDefinitionOutput, error) {
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

// mostDeleted is how many revisions one request deletes.
const mostDeleted = 10

// deleteTaskDefinitions deletes INACTIVE revisions: they are DELETE_IN_PROGRESS until nothing refers to them any more.
func (a *API) deleteTaskDefinitions(ctx context.Context, r *frontdoor.Request, in *awsecs.DeleteTaskDefinitionsInput) (*awsecs.DeleteTaskDefinitionsOutput, error) {
	if len(in.TaskDefinitions) == 0 || len(in.TaskDefinitions) > mostDeleted {
		return nil, apierr.InvalidParameter("taskDefinitions should have 1 to %d items, but had %d", mostDeleted, len(in.TaskDefinitions))
	}
	var out *awsecs.DeleteTaskDefinitionsOutput
	err := a.store.Update(ctx, func(tx *state.Tx) error {
		out = &awsecs.DeleteTaskDefinitionsOutput{TaskDefinitions: []types.TaskDefinition{}, Failures: []types.Failure{}}
		for _, name := range in.TaskDefinitions {
			d, why := deletable(tx.Tables, r, name)
			if d == nil {
				out.Failures = append(out.Failures, failure(name, why))
				continue
			}
			c, at := *d, now()
			if c.Definition.Status != types.TaskDefinitionStatusDeleteInProgress {
				c.Definition.Status, c.Definition.DeleteRequestedAt = types.TaskDefinitionStatusDeleteInProgress, &at
				tx.Put(&c)
			}
			out.TaskDefinitions = append(out.TaskDefinitions, c.Definition)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

func deletable(t *state.Tables, r *frontdoor.Request, name string) (d *ecs.TaskDefinition, why string) {
	n, err := parseDefinition(r, name)
	if err != nil || n.revision == 0 {
		return nil, "The specified task definition identifier is invalid. Specify a valid name or ARN and try again."
	}
	if d = n.find(t); d == nil {
		return nil, "The specified task definition does not exist."
	}
	if d.Definition.Status == types.TaskDefinitionStatusActive {
		return nil, "The specified task definition is still in ACTIVE status. Please deregister the target and try again."
	}
	return d, ""
}
