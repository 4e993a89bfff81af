package clients

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/e2e/site"
)

// TestEcspresso is the life of a service by ecspresso's commands: deploy, diff, deploy again, scale, rollback with and without a deployment
// that goes on, run, deregister and delete.
func TestEcspresso(t *testing.T) {
	t.Parallel()
	in, ctx := here(t), t.Context()
	e := &ecspresso{t: t, api: in.client(), cluster: "default", service: "ecspresso"}
	check := func(what string, err error) {
		t.Helper()
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
	}
	if _, err := e.describe(ctx); !errors.Is(err, errNotThere) {
		t.Fatalf("before the first deploy: %v", err)
	}
	check("the first deploy", e.command().create(ctx, written(), e.task("1")))
	check("the first deploy is stable", e.stable(ctx))
	e.checkSame(ctx)

	_, err := e.command().deploy(ctx, e.init(ctx), e.task("2"), true)
	check("a deploy of a new task definition", err)
	e.checkChange(ctx)
	e.checkScale(ctx)

	before, err := e.command().rollback(ctx)
	check("a rollback of a finished deploy", err)

	e.checkRollbackOfGoing(ctx, before)
	e.checkRun(ctx)
	e.checkEnd(ctx)
}

// task is the service's task definition, as somebody writes it by hand.
func (e *ecspresso) task(version string) *awsecs.RegisterTaskDefinitionInput {
	d := sleeper("ecspresso")
	d.NetworkMode, d.RequiresCompatibilities = types.NetworkModeBridge, []types.Compatibility{types.CompatibilityEc2}
	d.Tags = []types.Tag{{Key: aws.String("version"), Value: &version}}
	c := &d.ContainerDefinitions[0]
	c.Essential = aws.Bool(true)
	c.Environment = []types.KeyValuePair{{Name: aws.String("VERSION"), Value: &version}}
	c.LogConfiguration = &types.LogConfiguration{LogDriver: types.LogDriverJsonFile, Options: map[string]string{"max-size": "1m"}}
	return d
}

// init is the service's definition as the tool writes it from what is there.
func (e *ecspresso) init(ctx context.Context) *definition {
	e.t.Helper()
	d, err := e.describe(ctx)
	if err != nil {
		e.t.Fatal(err)
	}
	return d
}

// checkSame checks that all that was given is there, and that a second deploy of what is there finds and makes no difference.
func (e *ecspresso) checkSame(ctx context.Context) {
	e.t.Helper()
	have := e.init(ctx)
	for _, line := range missing("", plain(e.update(written())), plain(e.update(have))) {
		e.t.Errorf("of the service, what was given is not there: %s", line)
	}
	files, err := e.taskDefinition(ctx, *have.TaskDefinition)
	if err != nil {
		e.t.Fatal(err)
	}
	for _, line := range missing("", plain(e.task("1")), plain(files)) {
		e.t.Errorf("of the task definition, what was given is not there: %s", line)
	}
	again, err := e.command().deploy(ctx, have, files, true)
	if err != nil {
		e.t.Fatalf("a second deploy: %v", err)
	}
	for _, line := range e.differences(have, e.init(ctx)) {
		e.t.Errorf("after a second deploy of the same service: %s", line)
	}
	lines, err := e.taskDefinitionDifferences(ctx, files, again)
	if err != nil {
		e.t.Fatal(err)
	}
	for _, line := range lines {
		e.t.Errorf("after a second deploy of the same task definition: %s", line)
	}
	// Sent whole, what is there changes nothing: no deployment begins.
	if _, err := e.api.UpdateService(ctx, e.update(have)); err != nil {
		e.t.Fatalf("an update to what is there: %v", err)
	}
	now := e.init(ctx)
	for _, line := range e.differences(have, now) {
		e.t.Errorf("after an update to what is there: %s", line)
	}
	if len(now.Deployments) != 1 || *now.TaskDefinition != again {
		e.t.Errorf("an update to what is there has begun a deployment: %v", now.Deployments)
	}
}

// checkChange deploys other attributes and tags, with one of each kind of change.
func (e *ecspresso) checkChange(ctx context.Context) {
	e.t.Helper()
	d := e.init(ctx)
	d.DeploymentConfiguration.MinimumHealthyPercent = aws.Int32(100)
	d.PlacementConstraints, d.AvailabilityZoneRebalancing = []types.PlacementConstraint{}, types.AvailabilityZoneRebalancingDisabled
	d.PlacementStrategy = []types.PlacementStrategy{{Type: types.PlacementStrategyTypeBinpack, Field: aws.String("MEMORY")}}
	d.Tags = []types.Tag{{Key: aws.String("owner"), Value: aws.String("us")}, {Key: aws.String("team"), Value: aws.String("api")}}
	d.DesiredCount = nil
	td, err := e.taskDefinition(ctx, *d.TaskDefinition)
	if err != nil {
		e.t.Fatal(err)
	}
	if _, err := e.command().deploy(ctx, d, td, true); err != nil {
		e.t.Fatalf("a deploy of other attributes: %v", err)
	}
	have := e.init(ctx)
	d.PlacementStrategy[0].Field = have.PlacementStrategy[0].Field // which is said in either case
	for _, line := range e.differences(d, have) {
		e.t.Errorf("after a deploy of other attributes: %s", line)
	}
	if *have.DesiredCount != 2 || !strings.EqualFold(*have.PlacementStrategy[0].Field, "memory") {
		e.t.Errorf("after a deploy of other attributes %d tasks are wanted, by %v", *have.DesiredCount, *have.PlacementStrategy[0].Field)
	}
	tags, err := e.api.ListTagsForResource(ctx, &awsecs.ListTagsForResourceInput{ResourceArn: have.ServiceArn})
	if err != nil || len(tags.Tags) != 2 {
		e.t.Errorf("the service has the tags %v, %v", tags, err)
	}
}

// checkScale scales up and down, which begins no deployment.
func (e *ecspresso) checkScale(ctx context.Context) {
	e.t.Helper()
	before := *e.init(ctx).primary().Id
	for _, count := range []int32{3, 1} {
		if err := e.command().scale(ctx, count); err != nil {
			e.t.Fatalf("scale to %d: %v", count, err)
		}
		if d := e.init(ctx); d.RunningCount != count || *d.primary().Id != before {
			e.t.Errorf("scaled to %d, %d tasks run in deployment %s, which was %s", count, d.RunningCount, *d.primary().Id, before)
		}
	}
}

// checkRollbackOfGoing begins a deploy that cannot succeed and rolls back while it goes on.
func (e *ecspresso) checkRollbackOfGoing(ctx context.Context, before string) {
	e.t.Helper()
	broken := e.task("broken")
	broken.ContainerDefinitions[0].EntryPoint = []string{"/no/such/program"}
	one := e.command()
	if _, err := one.deploy(ctx, e.init(ctx), broken, false); err != nil {
		e.t.Fatalf("a deploy that is not waited for: %v", err)
	}
	going, err := one.active(ctx)
	if err != nil {
		e.t.Fatalf("the deployment that goes on: %v", err)
	}
	target, err := one.rollback(ctx)
	if err != nil || target != before {
		e.t.Fatalf("a rollback of a deploy that goes on to %s: %v, want %s", target, err, before)
	}
	if status, err := e.over(ctx, going); err != nil || status != types.ServiceDeploymentStatusRollbackSuccessful {
		e.t.Errorf("the deployment that was rolled back is %s, %v", status, err)
	}
}

// checkRun runs a task with the service's attributes, waits for its end, and looks at all tasks of the family.
func (e *ecspresso) checkRun(ctx context.Context) {
	e.t.Helper()
	made, err := e.api.RegisterTaskDefinition(ctx, e.task("run"))
	if err != nil {
		e.t.Fatal(err)
	}
	d := e.init(ctx)
	ran, err := e.api.RunTask(ctx, &awsecs.RunTaskInput{
		Cluster: &e.cluster, TaskDefinition: made.TaskDefinition.TaskDefinitionArn, Count: aws.Int32(1), LaunchType: d.LaunchType,
		PlacementConstraints: d.PlacementConstraints, PlacementStrategy: d.PlacementStrategy, EnableECSManagedTags: d.EnableECSManagedTags,
		EnableExecuteCommand: d.EnableExecuteCommand, PropagateTags: types.PropagateTagsTaskDefinition, VolumeConfigurations: []types.TaskVolumeConfiguration{},
		Tags:      []types.Tag{{Key: aws.String("run"), Value: aws.String("once")}},
		Overrides: &types.TaskOverride{ContainerOverrides: []types.ContainerOverride{{Name: aws.String("main"), Command: []string{"sh", "-c", "exit 5"}}}},
	})
	if err != nil || len(ran.Tasks) != 1 {
		e.t.Fatalf("run a task: %v %v", err, ran)
	}
	which := &awsecs.DescribeTasksInput{Cluster: &e.cluster, Tasks: []string{*ran.Tasks[0].TaskArn}, Include: []types.TaskField{types.TaskFieldTags}}
	waiter := awsecs.NewTasksStoppedWaiter(e.api, func(o *awsecs.TasksStoppedWaiterOptions) { o.MinDelay, o.MaxDelay = often, 2*often })
	out, err := waiter.WaitForOutput(ctx, which, site.Patience)
	if err != nil {
		e.t.Fatal(err)
	}
	task, tags := out.Tasks[0], map[string]string{}
	for _, tag := range task.Tags {
		tags[*tag.Key] = *tag.Value
	}
	if *task.Containers[0].ExitCode != 5 || tags["run"] != "once" || tags["version"] != "run" || tags["aws:ecs:clusterName"] != "default" {
		e.t.Errorf("the task's container ended with %d, and it has the tags %v", *task.Containers[0].ExitCode, tags)
	}
	for status, want := range map[types.DesiredStatus]string{types.DesiredStatusRunning: "service:ecspresso", types.DesiredStatusStopped: "family:ecspresso"} {
		pages := awsecs.NewListTasksPaginator(e.api, &awsecs.ListTasksInput{Cluster: &e.cluster, Family: aws.String("ecspresso"), DesiredStatus: status})
		arns, _, err := collect(ctx, pages, func(o *awsecs.ListTasksOutput) []string { return o.TaskArns })
		if err != nil || len(arns) == 0 {
			e.t.Fatalf("tasks that are to be %s: %v %v", status, arns, err)
		}
		all, err := e.api.DescribeTasks(ctx, &awsecs.DescribeTasksInput{Cluster: &e.cluster, Tasks: arns, Include: []types.TaskField{types.TaskFieldTags}})
		if err != nil || len(all.Tasks) != len(arns) {
			e.t.Fatalf("describe %d tasks: %v", len(arns), err)
		}
		found := false
		for _, task := range all.Tasks {
			found = found || *task.Group == want
		}
		if !found {
			e.t.Errorf("of the tasks that are to be %s, none is of %s", status, want)
		}
	}
}

// checkEnd deletes old revisions and the service with its tasks.
func (e *ecspresso) checkEnd(ctx context.Context) {
	e.t.Helper()
	inactive := awsecs.NewListTaskDefinitionsPaginator(e.api, &awsecs.ListTaskDefinitionsInput{FamilyPrefix: aws.String("ecspresso"), Status: types.TaskDefinitionStatusInactive})
	old, _, err := collect(ctx, inactive, func(o *awsecs.ListTaskDefinitionsOutput) []string { return o.TaskDefinitionArns })
	if err != nil || len(old) != 2 {
		e.t.Fatalf("two revisions were deregistered by rollbacks, and these are inactive: %v, %v", old, err)
	}
	gone, err := e.api.DeleteTaskDefinitions(ctx, &awsecs.DeleteTaskDefinitionsInput{TaskDefinitions: old})
	if err != nil || len(gone.Failures) > 0 || len(gone.TaskDefinitions) != 2 {
		e.t.Errorf("delete old revisions: %v %v", err, gone)
	}
	if _, err := e.api.DeleteService(ctx, &awsecs.DeleteServiceInput{Cluster: &e.cluster, Service: &e.service, Force: aws.Bool(true)}); err != nil {
		e.t.Fatal(err)
	}
	if _, err := e.describe(ctx); !errors.Is(err, errNotThere) {
		e.t.Errorf("after it was deleted the service is there: %v", err)
	}
}
