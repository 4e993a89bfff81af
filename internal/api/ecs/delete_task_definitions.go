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

// mostDeleted is how many revisions one request deletes.
const mostDeleted = 10

// deleteTaskDefinitions deletes INACTIVE revisions. One that a task or service still refers to stays as DELETE_IN_PROGRESS until the sweep
// finds that nothing does; another one is gone when the answer, which says DELETE_IN_PROGRESS in any case, is given.
func (a *API) deleteTaskDefinitions(
	ctx context.Context, r *frontdoor.Request, in *awsecs.DeleteTaskDefinitionsInput,
) (*awsecs.DeleteTaskDefinitionsOutput, error) {
	if len(in.TaskDefinitions) == 0 || len(in.TaskDefinitions) > mostDeleted {
		return nil, apierr.InvalidParameter("taskDefinitions should have 1 to %d items, but had %d", mostDeleted, len(in.TaskDefinitions))
	}
	var out *awsecs.DeleteTaskDefinitionsOutput
	err := a.store.Update(ctx, func(tx *state.Tx) error {
		out = &awsecs.DeleteTaskDefinitionsOutput{TaskDefinitions: []types.TaskDefinition{}, Failures: []types.Failure{}}
		doomed := map[string]*ecs.TaskDefinition{}
		for _, name := range in.TaskDefinitions {
			d, why := deletable(tx.Tables, r, name)
			if d == nil {
				out.Failures = append(out.Failures, failure(name, why))
				continue
			}
			if doomed[d.Key()] == nil {
				doomed[d.Key()] = deletion(d)
				out.TaskDefinitions = append(out.TaskDefinitions, doomed[d.Key()].Definition)
			}
		}
		discard(tx, doomed)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// deletable finds the revision that a request names, or says in AWS's words why it cannot be deleted.
func deletable(t *state.Tables, r *frontdoor.Request, name string) (d *ecs.TaskDefinition, why string) {
	n, err := parseDefinition(r, name)
	if err != nil || n.revision == 0 {
		return nil, "The specified task definition identifier is invalid. Specify a valid name or ARN and try again."
	}
	if d = n.find(t); d == nil {
		return nil, "The specified task definition does not exist. Specify a valid account, family, revision and try again."
	}
	if d.Definition.Status == types.TaskDefinitionStatusActive {
		return nil, "The specified task definition is still in ACTIVE status. Please deregister the target and try again."
	}
	return d, ""
}

// deletion is d on its way out; asking again does not change when that began.
func deletion(d *ecs.TaskDefinition) *ecs.TaskDefinition {
	if d.Definition.Status == types.TaskDefinitionStatusDeleteInProgress {
		return d
	}
	c, at := *d, now()
	c.Definition.Status, c.Definition.DeleteRequestedAt = types.TaskDefinitionStatusDeleteInProgress, &at
	return &c
}

// discard removes definitions that nothing refers to, and keeps the others as they are now.
func discard(tx *state.Tx, doomed map[string]*ecs.TaskDefinition) {
	if len(doomed) == 0 {
		return
	}
	used := referred(tx.Tables, doomed)
	for key, d := range doomed {
		if used[key] {
			tx.Put(d)
		} else {
			tx.Delete(d)
		}
	}
}

// referred are those of the definitions that a task, also a stopped one, or a service still refers to.
func referred(t *state.Tables, definitions map[string]*ecs.TaskDefinition) map[string]bool {
	used := map[string]bool{}
	for s := range t.Services.All() {
		used[string(s.TaskDefinition)] = true
		for _, d := range s.Deployments {
			used[string(d.TaskDefinition)] = true
		}
	}
	for task := range t.Tasks.All() {
		if definitions[string(task.TaskDefinitionArn)] != nil {
			used[string(task.TaskDefinitionArn)] = true
		}
	}
	return used
}
