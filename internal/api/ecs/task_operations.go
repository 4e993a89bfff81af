package ecs

import (
	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"

	"berth/internal/arn"
	"berth/internal/frontdoor"
)

// taskOperations are the operations on tasks that exist, with the resources that a policy is asked about.
func (a *API) taskOperations() []frontdoor.Operation {
	return []frontdoor.Operation{
		frontdoor.Op("StopTask", a.stopTask).On(func(r *frontdoor.Request, in any) []string {
			i := in.(*awsecs.StopTaskInput)
			return taskResources(r, i.Cluster, text(i.Task))
		}),
		frontdoor.Op("DescribeTasks", a.describeTasks).On(func(r *frontdoor.Request, in any) []string {
			i := in.(*awsecs.DescribeTasksInput)
			return taskResources(r, i.Cluster, i.Tasks...)
		}),
		frontdoor.Op("ExecuteCommand", a.executeCommand).On(func(r *frontdoor.Request, in any) []string {
			i := in.(*awsecs.ExecuteCommandInput)
			return taskResources(r, i.Cluster, text(i.Task))
		}),
		frontdoor.Op("ListTasks", a.listTasks),
		frontdoor.Op("UpdateTaskProtection", a.updateTaskProtection).On(func(r *frontdoor.Request, in any) []string {
			i := in.(*awsecs.UpdateTaskProtectionInput)
			return a.protectedResources(r, i.Cluster, i.Tasks)
		}),
		frontdoor.Op("GetTaskProtection", a.getTaskProtection).On(func(r *frontdoor.Request, in any) []string {
			i := in.(*awsecs.GetTaskProtectionInput)
			return a.protectedResources(r, i.Cluster, i.Tasks)
		}),
	}
}

// taskResources are the ARNs of the tasks that a request names. What is no identifier is left out: the operation refuses it.
func taskResources(r *frontdoor.Request, cluster *string, names ...string) (out []string) {
	for i := range names {
		if x, err := taskARN(r, cluster, &names[i]); err == nil {
			out = append(out, string(x))
		}
	}
	return out
}

// protectedResources are the tasks that a request names. A container instance asks on behalf of its tasks' containers, and its policy knows no
// tasks: there they are the container instances that the tasks are on, and its own for a task that there is not.
func (a *API) protectedResources(r *frontdoor.Request, cluster *string, names []string) (out []string) {
	tasks, own := taskResources(r, cluster, names...), a.ownInstance(r)
	if own == nil {
		return tasks
	}
	v := a.store.View()
	for _, name := range tasks {
		if t := v.Tasks.Get(arn.Task(name)); t != nil {
			out = append(out, string(t.ContainerInstanceArn))
		} else {
			out = append(out, own...)
		}
	}
	return out
}
