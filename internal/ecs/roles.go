package ecs

import "github.com/aws/aws-sdk-go-v2/service/ecs/types"

// Roles are the ARNs or names of the roles of a definition's tasks with some overrides, nil for none: the execution role, then the task's own; none that they
// do not have.
func (d *TaskDefinition) Roles(o *types.TaskOverride) (roles []string) {
	t := &Task{Overrides: o}
	for _, execution := range []bool{true, false} {
		if role := t.RoleArn(d, execution); role != "" {
			roles = append(roles, role)
		}
	}
	return roles
}

// RoleArn is the ARN of a task's own role, or of its execution role, "" for none: the task's overrides say it, or else its definition.
func (t *Task) RoleArn(d *TaskDefinition, execution bool) string {
	overridden, defined := (*string)(nil), d.Definition.TaskRoleArn
	if execution {
		defined = d.Definition.ExecutionRoleArn
	}
	if o := t.Overrides; o != nil {
		overridden = o.TaskRoleArn
		if execution {
			overridden = o.ExecutionRoleArn
		}
	}
	for _, role := range []*string{overridden, defined} {
		if role != nil && *role != "" {
			return *role
		}
	}
	return ""
}
