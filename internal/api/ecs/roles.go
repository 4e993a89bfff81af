package ecs

import (
	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/access"
	"berth/internal/apierr"
	"berth/internal/ecs"
	"berth/internal/frontdoor"
	"berth/internal/policy"
	"berth/internal/state"
)

// passedTo is the service that the roles of tasks are passed to.
const passedTo = "ecs-tasks.amazonaws.com"

// passing is what it takes besides to hand roles to ECS's tasks: iam:PassRole on each.
func (a *API) passing(r *frontdoor.Request, roles ...string) (list []frontdoor.Question) {
	for i, role := range roles {
		if role == "" || i > 0 && role == roles[0] {
			continue
		}
		role = access.RoleARN(a.store.View().Tables, r.Scope.Account, role)
		list = append(list, frontdoor.Question{Action: "iam:PassRole", Resource: role, Keys: policy.Keys{{Name: "iam:passedtoservice", Values: []string{passedTo}}}})
	}
	return list
}

// passesRegistered is passing for a definition that is registered.
func (a *API) passesRegistered(r *frontdoor.Request, in any) []frontdoor.Question {
	i := in.(*awsecs.RegisterTaskDefinitionInput)
	return a.passing(r, text(i.TaskRoleArn), text(i.ExecutionRoleArn))
}

// passesLaunched is passing for tasks of a definition that a request names, with its overrides. A definition that is not there is refused by the operation.
func (a *API) passesLaunched(r *frontdoor.Request, definition *string, o *types.TaskOverride) []frontdoor.Question {
	if definition == nil {
		return nil
	}
	d, err := resolveDefinition(a.store.View().Tables, r, *definition)
	if err != nil {
		return nil
	}
	t := &ecs.Task{Overrides: o}
	return a.passing(r, t.RoleArn(d, false), t.RoleArn(d, true))
}

// servesSessions checks that tasks in which ECS Exec is enabled have the role that its sessions need.
func (l *launching) servesSessions(d *ecs.TaskDefinition) error {
	if task := (&ecs.Task{Overrides: l.overrides}); l.executeCommand && task.RoleArn(d, false) == "" {
		return apierr.InvalidParameter("The execute command failed because a valid task role is not being used. " +
			"Specify a valid task role in your task definition or as a task override and try again.")
	}
	return nil
}

// assume checks that ECS can assume the roles of the tasks.
func (l *launching) assume(t *state.Tables, c *ecs.Cluster, d *ecs.TaskDefinition) error {
	if l.api.config.Assume == nil {
		return nil
	}
	for _, role := range d.Roles(l.overrides) {
		if err := l.api.config.Assume(t, c.ClusterArn, role); err != nil {
			return apierr.ClientException("%s", err.Error())
		}
	}
	return nil
}
