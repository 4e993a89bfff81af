package clients

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"golang.org/x/sync/errgroup"

	"berth/e2e/site"
)

// e1s sends what the terminal program of that name sends for each of its pages, and reads what it shows of the answers. Its pages of
// application-autoscaling, logs, cloudwatch and ssm are left out, since Berth does not have these services.
type e1s struct {
	t   *testing.T
	api *awsecs.Client
}

// TestE1s goes through all pages of a cluster with a service in it, changes the service, and rolls a deployment back.
func TestE1s(t *testing.T) {
	t.Parallel()
	in, ctx := here(t), t.Context()
	e, name := &e1s{t, in.client()}, "e1s"
	serve(t, e.api, name, 2, sleeper(name))
	first := e.clusters(ctx)
	if i := slices.IndexFunc(first, func(c types.Cluster) bool { return *c.ClusterName == "default" }); i < 0 || len(first[i].Statistics) == 0 || first[i].RegisteredContainerInstancesCount != instances {
		t.Errorf("the clusters' page shows %v", first)
	}
	e.stable(ctx, name)
	e.services(ctx, name)
	e.tasks(ctx, name)
	e.instances(ctx)
	edited := e.edit(ctx, name)
	e.deployments(ctx, name, types.ServiceDeploymentStatusSuccessful)
	e.taskDefinitions(ctx, name, 2)
	e.rollBack(ctx, name, edited)
	e.stopped(ctx, name)
}

func (e *e1s) check(what string, err error) {
	e.t.Helper()
	if err != nil {
		e.t.Fatalf("%s: %v", what, err)
	}
}

func (e *e1s) stable(ctx context.Context, service string) {
	e.t.Helper()
	waiter := awsecs.NewServicesStableWaiter(e.api, func(o *awsecs.ServicesStableWaiterOptions) { o.MinDelay, o.MaxDelay = often, 2*often })
	e.check("stable", waiter.Wait(ctx, &awsecs.DescribeServicesInput{Services: []string{service}}, site.Patience))
}

// clusters are the first page: with everything that can be included, those with most tasks first.
func (e *e1s) clusters(ctx context.Context) []types.Cluster {
	e.t.Helper()
	var arns []string
	in := &awsecs.ListClustersInput{MaxResults: aws.Int32(100)}
	for {
		out, err := e.api.ListClusters(ctx, in)
		e.check("list clusters", err)
		arns = append(arns, out.ClusterArns...)
		if in.NextToken = out.NextToken; in.NextToken == nil {
			break
		}
	}
	out, err := e.api.DescribeClusters(ctx, &awsecs.DescribeClustersInput{Clusters: arns, Include: []types.ClusterField{
		types.ClusterFieldAttachments, types.ClusterFieldConfigurations, types.ClusterFieldSettings, types.ClusterFieldStatistics, types.ClusterFieldTags,
	}})
	e.check("describe clusters", err)
	slices.SortFunc(out.Clusters, func(a, b types.Cluster) int {
		return cmp.Or(cmp.Compare(b.RunningTasksCount, a.RunningTasksCount), strings.Compare(*a.ClusterName, *b.ClusterName))
	})
	return out.Clusters
}

// services are all of the cluster, asked for ten at a time, at once.
func (e *e1s) services(ctx context.Context, name string) {
	e.t.Helper()
	list, err := e.api.ListServices(ctx, &awsecs.ListServicesInput{Cluster: aws.String("default"), MaxResults: aws.Int32(100)})
	e.check("list services", err)
	var group errgroup.Group
	batches := slices.Collect(slices.Chunk(list.ServiceArns, 10))
	found := make([][]types.Service, len(batches))
	for i, batch := range batches {
		group.Go(func() error {
			out, err := e.api.DescribeServices(ctx, &awsecs.DescribeServicesInput{
				Cluster: aws.String("default"), Services: batch, Include: []types.ServiceField{types.ServiceFieldTags},
			})
			if err == nil {
				found[i] = out.Services
			}
			return err
		})
	}
	e.check("describe services", group.Wait())
	all := slices.Concat(found...)
	i := slices.IndexFunc(all, func(s types.Service) bool { return *s.ServiceName == name })
	if i < 0 {
		e.t.Fatalf("%s is not among the services", name)
	}
	s := all[i]
	row := fmt.Sprintf("%s %s %d/%d %d %s %v %d%% %d%% %v %s", *s.ServiceName, *s.Status, s.RunningCount, s.DesiredCount, s.PendingCount, s.Deployments[0].RolloutState,
		s.EnableExecuteCommand, *s.DeploymentConfiguration.MaximumPercent, *s.DeploymentConfiguration.MinimumHealthyPercent,
		s.DeploymentConfiguration.DeploymentCircuitBreaker.Enable, s.SchedulingStrategy)
	if row != "e1s ACTIVE 2/2 0 COMPLETED false 200% 100% false REPLICA" {
		e.t.Errorf("the services' page shows %s", row)
	}
	e.recent("the last deployment", s.Deployments[0].UpdatedAt)
	e.recent("the service", s.CreatedAt)
	e.recent("the newest event", s.Events[0].CreatedAt)
}

// recent checks that a time is there and is one of this test.
func (e *e1s) recent(what string, at *time.Time) {
	e.t.Helper()
	if at == nil || time.Since(*at).Abs() > 10*time.Minute {
		e.t.Errorf("%s is of %v", what, at)
	}
}

// tasks are the running ones of a service, and each one's instance.
func (e *e1s) tasks(ctx context.Context, service string) {
	e.t.Helper()
	list, err := e.api.ListTasks(ctx, &awsecs.ListTasksInput{
		Cluster: aws.String("default"), ServiceName: &service, DesiredStatus: types.DesiredStatusRunning, MaxResults: aws.Int32(100),
	})
	e.check("list tasks", err)
	out, err := e.api.DescribeTasks(ctx, &awsecs.DescribeTasksInput{Cluster: aws.String("default"), Tasks: list.TaskArns, Include: []types.TaskField{types.TaskFieldTags}})
	e.check("describe tasks", err)
	if len(out.Tasks) != 2 {
		e.t.Errorf("the tasks' page shows %d of 2", len(out.Tasks))
	}
	for _, t := range out.Tasks {
		arch := ""
		for _, a := range t.Attributes {
			if *a.Name == "ecs.cpu-architecture" {
				arch = *a.Value
			}
		}
		c := t.Containers[0]
		row := fmt.Sprintf("%s %s %s %s %s %s | %s %s %s", *t.LastStatus, t.HealthStatus, *t.Group, *t.Cpu, *t.Memory, t.LaunchType, *c.Name, *c.LastStatus, *c.Image)
		if row != "RUNNING UNKNOWN service:e1s 16 16 EC2 | main RUNNING "+image || arch == "" || !strings.HasPrefix(*t.StartedBy, "ecs-svc/") {
			e.t.Errorf("the tasks' page shows %s on %q, started by %s", row, arch, *t.StartedBy)
		}
		if !strings.HasPrefix(*c.ContainerArn, "arn:aws:ecs:") || len(*c.RuntimeId) < 64 || *c.TaskArn != *t.TaskArn {
			e.t.Errorf("the containers' page shows %s with runtime id %s", *c.ContainerArn, *c.RuntimeId)
		}
		e.recent("the task's start", t.StartedAt)
		on, err := e.api.DescribeContainerInstances(ctx, &awsecs.DescribeContainerInstancesInput{Cluster: aws.String("default"), ContainerInstances: []string{*t.ContainerInstanceArn}})
		e.check("the task's instance", err)
		if len(on.ContainerInstances) != 1 || aws.ToString(on.ContainerInstances[0].Ec2InstanceId) == "" {
			e.t.Errorf("the task's instance is %v", on.ContainerInstances)
		}
	}
}

// instances are the cluster's container instances.
func (e *e1s) instances(ctx context.Context) {
	e.t.Helper()
	list, err := e.api.ListContainerInstances(ctx, &awsecs.ListContainerInstancesInput{Cluster: aws.String("default"), MaxResults: aws.Int32(100)})
	e.check("list container instances", err)
	out, err := e.api.DescribeContainerInstances(ctx, &awsecs.DescribeContainerInstancesInput{Cluster: aws.String("default"), ContainerInstances: list.ContainerInstanceArns})
	e.check("describe container instances", err)
	if len(out.ContainerInstances) != instances {
		e.t.Errorf("the instances' page shows %d of %d", len(out.ContainerInstances), instances)
	}
	for _, i := range out.ContainerInstances {
		if *i.Status != "ACTIVE" || !i.AgentConnected || *i.VersionInfo.AgentVersion == "" || !strings.HasPrefix(*i.VersionInfo.DockerVersion, "DockerVersion: ") {
			e.t.Errorf("the instances' page shows %s, connected %v, %v", *i.Status, i.AgentConnected, i.VersionInfo)
		}
		e.recent("the instance", i.RegisteredAt)
	}
}

// edit registers the task definition that is shown, with a change, and updates the service to it in one request; it returns the new one.
func (e *e1s) edit(ctx context.Context, service string) (arn string) {
	e.t.Helper()
	shown, err := e.api.DescribeTaskDefinition(ctx, &awsecs.DescribeTaskDefinitionInput{
		TaskDefinition: &service, Include: []types.TaskDefinitionField{types.TaskDefinitionFieldTags},
	})
	e.check("describe the task definition", err)
	var in awsecs.RegisterTaskDefinitionInput // what an editor is given: the same members
	e.check("edit", remake(shown.TaskDefinition, &in))
	in.ContainerDefinitions[0].Environment = []types.KeyValuePair{{Name: aws.String("EDITED"), Value: aws.String("yes")}}
	made, err := e.api.RegisterTaskDefinition(ctx, &in)
	e.check("register the edited task definition", err)
	if made.TaskDefinition.Revision != shown.TaskDefinition.Revision+1 {
		e.t.Errorf("the edited task definition has revision %d after %d", made.TaskDefinition.Revision, shown.TaskDefinition.Revision)
	}
	arn = *made.TaskDefinition.TaskDefinitionArn
	_, err = e.api.UpdateService(ctx, &awsecs.UpdateServiceInput{
		Cluster: aws.String("default"), Service: &service, TaskDefinition: aws.String(fmt.Sprintf("%s:%d", service, made.TaskDefinition.Revision)),
		DesiredCount: aws.Int32(1), ForceNewDeployment: true,
	})
	e.check("update the service", err)
	e.stable(ctx, service)
	return arn
}

// taskDefinitions are the families, and the newest revisions of one.
func (e *e1s) taskDefinitions(ctx context.Context, family string, want int) {
	e.t.Helper()
	families, err := e.api.ListTaskDefinitionFamilies(ctx, &awsecs.ListTaskDefinitionFamiliesInput{Status: types.TaskDefinitionFamilyStatusActive})
	if e.check("list families", err); !slices.Contains(families.Families, family) {
		e.t.Errorf("the families' page shows %v", families.Families)
	}
	list, err := e.api.ListTaskDefinitions(ctx, &awsecs.ListTaskDefinitionsInput{FamilyPrefix: &family, MaxResults: aws.Int32(20), Sort: types.SortOrderDesc})
	e.check("list task definitions", err)
	if len(list.TaskDefinitionArns) != want {
		e.t.Errorf("the page of %s shows %v", family, list.TaskDefinitionArns)
	}
	for i, arn := range list.TaskDefinitionArns {
		out, err := e.api.DescribeTaskDefinition(ctx, &awsecs.DescribeTaskDefinitionInput{TaskDefinition: &arn})
		e.check("describe "+arn, err)
		if int(out.TaskDefinition.Revision) != want-i || out.TaskDefinition.Status != types.TaskDefinitionStatusActive {
			e.t.Errorf("row %d of %s has revision %d, which is %s", i, family, out.TaskDefinition.Revision, out.TaskDefinition.Status)
		}
	}
}

// deployments are a service's service deployments, of which the newest has a status, and the revision that it goes to.
func (e *e1s) deployments(ctx context.Context, service string, want types.ServiceDeploymentStatus) types.ServiceDeployment {
	e.t.Helper()
	list, err := e.api.ListServiceDeployments(ctx, &awsecs.ListServiceDeploymentsInput{Cluster: aws.String("default"), Service: &service, MaxResults: aws.Int32(20)})
	e.check("list service deployments", err)
	arns := each(list.ServiceDeployments, func(d types.ServiceDeploymentBrief) string { return *d.ServiceDeploymentArn })
	var d types.ServiceDeployment
	site.Eventually(e.t, "the service deployment begins", func() error {
		out, err := e.api.DescribeServiceDeployments(ctx, &awsecs.DescribeServiceDeploymentsInput{ServiceDeploymentArns: arns})
		e.check("describe service deployments", err)
		if d = out.ServiceDeployments[0]; d.Status == types.ServiceDeploymentStatusPending {
			return fmt.Errorf("it is %s", d.Status)
		}
		return nil
	})
	row := fmt.Sprintf("%s %s %s %d%% %d%%", d.Status, d.Alarms.Status, d.DeploymentCircuitBreaker.Status,
		*d.DeploymentConfiguration.MaximumPercent, *d.DeploymentConfiguration.MinimumHealthyPercent)
	if want := string(want) + " DISABLED DISABLED 200% 100%"; row != want || len(d.SourceServiceRevisions) != 1 || d.DeploymentCircuitBreaker.Threshold < 3 {
		e.t.Errorf("the service deployments' page shows %s, want %s, threshold %d, from %v", row, want, d.DeploymentCircuitBreaker.Threshold, d.SourceServiceRevisions)
	}
	e.recent("the service deployment", d.CreatedAt)
	e.recent("its start", d.StartedAt)
	revisions, err := e.api.DescribeServiceRevisions(ctx, &awsecs.DescribeServiceRevisionsInput{
		ServiceRevisionArns: []string{*d.TargetServiceRevision.Arn, *d.SourceServiceRevisions[0].Arn},
	})
	e.check("describe service revisions", err)
	if len(revisions.ServiceRevisions) != 2 || *revisions.ServiceRevisions[0].ContainerImages[0].Image != image {
		e.t.Errorf("the service revisions are %v", revisions)
	}
	return d
}

// rollBack begins a deployment that cannot succeed and rolls it back by its service deployment; the service has the task definition again that
// it had.
func (e *e1s) rollBack(ctx context.Context, service, to string) {
	e.t.Helper()
	broken := sleeper(service)
	broken.ContainerDefinitions[0].EntryPoint = []string{"/no/such/program"}
	made, err := e.api.RegisterTaskDefinition(ctx, broken)
	e.check("register", err)
	_, err = e.api.UpdateService(ctx, &awsecs.UpdateServiceInput{Cluster: aws.String("default"), Service: &service, TaskDefinition: made.TaskDefinition.TaskDefinitionArn})
	e.check("update the service", err)
	going := e.deployments(ctx, service, types.ServiceDeploymentStatusInProgress)
	_, err = e.api.StopServiceDeployment(ctx, &awsecs.StopServiceDeploymentInput{
		ServiceDeploymentArn: going.ServiceDeploymentArn, StopType: types.StopServiceDeploymentStopTypeRollback,
	})
	e.check("roll back", err)
	e.stable(ctx, service)
	site.Eventually(e.t, "the service deployment is rolled back", func() error {
		out, err := e.api.DescribeServiceDeployments(ctx, &awsecs.DescribeServiceDeploymentsInput{ServiceDeploymentArns: []string{*going.ServiceDeploymentArn}})
		if err != nil {
			return err
		}
		if d := out.ServiceDeployments[0]; d.Status != types.ServiceDeploymentStatusRollbackSuccessful || d.Rollback == nil || d.FinishedAt == nil {
			return fmt.Errorf("it is %s, rollback %v, finished %v", d.Status, d.Rollback, d.FinishedAt)
		}
		return nil
	})
	out, err := e.api.DescribeServices(ctx, &awsecs.DescribeServicesInput{Services: []string{service}})
	if e.check("describe the service", err); *out.Services[0].TaskDefinition != to {
		e.t.Errorf("rolled back, the service has %s, want %s", *out.Services[0].TaskDefinition, to)
	}
}

// stopped stops a task by its key, and finds it among the cluster's stopped tasks.
func (e *e1s) stopped(ctx context.Context, service string) {
	e.t.Helper()
	list, err := e.api.ListTasks(ctx, &awsecs.ListTasksInput{Cluster: aws.String("default"), ServiceName: &service, DesiredStatus: types.DesiredStatusRunning})
	e.check("list tasks", err)
	task := list.TaskArns[0]
	_, err = e.api.StopTask(ctx, &awsecs.StopTaskInput{Cluster: aws.String("default"), Task: &task})
	e.check("stop a task", err)
	all, err := e.api.ListTasks(ctx, &awsecs.ListTasksInput{Cluster: aws.String("default"), DesiredStatus: types.DesiredStatusStopped, MaxResults: aws.Int32(100)})
	e.check("list stopped tasks", err)
	if !slices.Contains(all.TaskArns, task) {
		e.t.Errorf("%s is not among the stopped tasks %v", task, all.TaskArns)
	}
	e.stable(ctx, service)
}
