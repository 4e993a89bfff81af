package ecs

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
