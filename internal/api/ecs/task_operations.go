package ecs

import (
	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"

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
		frontdoor.Op("ListTasks", a.listTasks),
		frontdoor.Op("UpdateTaskProtection", a.updateTaskProtection).On(func(r *frontdoor.Request, in any) []string {
			i := in.(*awsecs.UpdateTaskProtectionInput)
			return taskResources(r, i.Cluster, i.Tasks...)
		}),
		frontdoor.Op("GetTaskProtection", a.getTaskProtection).On(func(r *frontdoor.Request, in any) []string {
			i := in.(*awsecs.GetTaskProtectionInput)
			return taskResources(r, i.Cluster, i.Tasks...)
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
