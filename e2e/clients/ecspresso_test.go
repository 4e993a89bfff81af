package clients

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/e2e/site"
)

// ecspresso sends what the deployment tool of that name (v2) sends, in its order, and decides as it decides. What it asks of services that
// Berth does not have is left out: application-autoscaling, logs, codedeploy, elbv2, iam, registries.
type ecspresso struct {
	t                *testing.T
	api              *awsecs.Client
	cluster, service string
	began            time.Time // when the command began: of service deployments, only those that were made later are its own
}

// definition is a service as ecspresso keeps it in a file.
type definition struct {
	types.Service
	DesiredCount                *int32 // nil leaves it alone
	ServiceConnectConfiguration *types.ServiceConnectConfiguration
	VolumeConfigurations        []types.ServiceVolumeConfiguration
	VpcLatticeConfigurations    []types.VpcLatticeConfiguration
}

// ecspressoPause is how long it waits between two looks. The tool takes 10 s.
const ecspressoPause = 300 * time.Millisecond

// errNotThere is what the tool makes of a service that is missing or no longer active, and of a service that has no deployment going on.
var errNotThere = errors.New("not found")

// command begins another command of the tool.
func (e *ecspresso) command() *ecspresso {
	c := *e
	c.began = time.Now()
	return &c
}

// describe reads the service as the tool compares it: with tags, and with what only the PRIMARY deployment has.
func (e *ecspresso) describe(ctx context.Context) (*definition, error) {
	out, err := e.api.DescribeServices(ctx, &awsecs.DescribeServicesInput{
		Cluster: &e.cluster, Services: []string{e.service}, Include: []types.ServiceField{types.ServiceFieldTags},
	})
	if err != nil {
		return nil, err
	}
	if len(out.Services) == 0 || slices.Contains([]string{"DRAINING", "INACTIVE"}, *out.Services[0].Status) {
		return nil, errNotThere
	}
	d := &definition{Service: out.Services[0], DesiredCount: &out.Services[0].DesiredCount}
	if p := d.primary(); p != nil {
		d.ServiceConnectConfiguration, d.VolumeConfigurations, d.VpcLatticeConfigurations = p.ServiceConnectConfiguration, p.VolumeConfigurations, p.VpcLatticeConfigurations
	}
	return d, nil
}

func (d *definition) primary() *types.Deployment {
	i := slices.IndexFunc(d.Deployments, func(p types.Deployment) bool { return *p.Status == "PRIMARY" })
	if i < 0 {
		return nil
	}
	return &d.Deployments[i]
}

// update is the request that makes a service what its definition says. What the definition does not have is taken away by empty lists.
func (e *ecspresso) update(d *definition) *awsecs.UpdateServiceInput {
	in := &awsecs.UpdateServiceInput{
		Cluster: &e.cluster, Service: &e.service,
		AvailabilityZoneRebalancing: d.AvailabilityZoneRebalancing, CapacityProviderStrategy: d.CapacityProviderStrategy,
		DeploymentConfiguration: d.DeploymentConfiguration, DesiredCount: d.DesiredCount,
		EnableECSManagedTags: &d.EnableECSManagedTags, EnableExecuteCommand: &d.EnableExecuteCommand,
		HealthCheckGracePeriodSeconds: d.HealthCheckGracePeriodSeconds, LoadBalancers: d.LoadBalancers, NetworkConfiguration: d.NetworkConfiguration,
		PlacementConstraints: d.PlacementConstraints, PlacementStrategy: d.PlacementStrategy, PlatformVersion: d.PlatformVersion,
		PropagateTags: d.PropagateTags, ServiceConnectConfiguration: d.ServiceConnectConfiguration, ServiceRegistries: d.ServiceRegistries,
		VolumeConfigurations: d.VolumeConfigurations, VpcLatticeConfigurations: d.VpcLatticeConfigurations,
	}
	if len(d.LoadBalancers) == 0 {
		in.LoadBalancers = []types.LoadBalancer{}
	}
	if len(d.VolumeConfigurations) == 0 {
		in.VolumeConfigurations = []types.ServiceVolumeConfiguration{}
	}
	if len(d.VpcLatticeConfigurations) == 0 {
		in.VpcLatticeConfigurations = []types.VpcLatticeConfiguration{}
	}
	if d.ServiceConnectConfiguration == nil {
		in.ServiceConnectConfiguration = &types.ServiceConnectConfiguration{Enabled: false}
	}
	return in
}

// create makes the service, which is not there, and waits until it is deployed.
func (e *ecspresso) create(ctx context.Context, d *definition, td *awsecs.RegisterTaskDefinitionInput) error {
	made, err := e.api.RegisterTaskDefinition(ctx, td)
	if err != nil {
		return err
	}
	_, err = e.api.CreateService(ctx, &awsecs.CreateServiceInput{
		Cluster: &e.cluster, ServiceName: &e.service, TaskDefinition: made.TaskDefinition.TaskDefinitionArn, DesiredCount: d.DesiredCount,
		DeploymentConfiguration: d.DeploymentConfiguration, DeploymentController: d.DeploymentController, LaunchType: d.LaunchType,
		EnableECSManagedTags: d.EnableECSManagedTags, EnableExecuteCommand: d.EnableExecuteCommand, PropagateTags: d.PropagateTags,
		PlacementConstraints: d.PlacementConstraints, PlacementStrategy: d.PlacementStrategy, SchedulingStrategy: d.SchedulingStrategy, Tags: d.Tags,
		LoadBalancers: d.LoadBalancers, ServiceRegistries: d.ServiceRegistries, VolumeConfigurations: d.VolumeConfigurations,
	})
	if err != nil {
		return err
	}
	return e.deployed(ctx)
}

// deploy registers a definition and brings the service to it and to d, and waits. Where wait is false it leaves it going on.
func (e *ecspresso) deploy(ctx context.Context, d *definition, td *awsecs.RegisterTaskDefinitionInput, wait bool) (arn string, err error) {
	have, err := e.describe(ctx)
	if err != nil {
		return "", err
	}
	made, err := e.api.RegisterTaskDefinition(ctx, td)
	if err != nil {
		return "", err
	}
	arn = *made.TaskDefinition.TaskDefinitionArn
	in := &awsecs.UpdateServiceInput{Cluster: &e.cluster, Service: &e.service}
	if len(e.differences(d, have)) > 0 {
		in = e.update(d)
	}
	if err := e.retag(ctx, *have.ServiceArn, have.Tags, d.Tags); err != nil {
		return "", err
	}
	in.TaskDefinition, in.DesiredCount = &arn, d.DesiredCount
	if _, err := e.api.UpdateService(ctx, in); err != nil || !wait {
		return arn, err
	}
	if err := e.deployed(ctx); err != nil {
		return "", err
	}
	return arn, e.confirm(ctx, arn)
}

// retag gives a resource new and changed tags and takes away the others.
func (e *ecspresso) retag(ctx context.Context, arn string, have, want []types.Tag) error {
	old := map[string]string{}
	for _, t := range have {
		old[*t.Key] = *t.Value
	}
	var put []types.Tag
	for _, t := range want {
		if v, ok := old[*t.Key]; !ok || v != *t.Value {
			put = append(put, t)
		}
		delete(old, *t.Key)
	}
	if len(put) > 0 {
		if _, err := e.api.TagResource(ctx, &awsecs.TagResourceInput{ResourceArn: &arn, Tags: put}); err != nil {
			return err
		}
	}
	for key := range old {
		if _, err := e.api.UntagResource(ctx, &awsecs.UntagResourceInput{ResourceArn: &arn, TagKeys: []string{key}}); err != nil {
			return err
		}
	}
	return nil
}

// active is the newest service deployment that is going on and was made since the command began.
func (e *ecspresso) active(ctx context.Context) (string, error) {
	out, err := e.api.ListServiceDeployments(ctx, &awsecs.ListServiceDeploymentsInput{
		Cluster: &e.cluster, Service: &e.service, // the tool asks for those in progress, three seconds after the update; here nobody waits
		Status: []types.ServiceDeploymentStatus{types.ServiceDeploymentStatusPending, types.ServiceDeploymentStatusInProgress},
	})
	if err != nil {
		return "", err
	}
	mine := slices.DeleteFunc(out.ServiceDeployments, func(d types.ServiceDeploymentBrief) bool { return !d.CreatedAt.After(e.began) })
	if len(mine) == 0 {
		return "", errNotThere
	}
	newest := slices.MaxFunc(mine, func(a, b types.ServiceDeploymentBrief) int { return a.CreatedAt.Compare(*b.CreatedAt) })
	return *newest.ServiceDeploymentArn, nil
}

// deployed waits until the command's service deployment is over, and fails where it was not successful. Where none goes on there is nothing to
// wait for.
func (e *ecspresso) deployed(ctx context.Context) error {
	arn, err := e.active(ctx)
	if errors.Is(err, errNotThere) {
		return nil
	}
	if err != nil {
		return err
	}
	status, err := e.over(ctx, arn)
	if err == nil && status != types.ServiceDeploymentStatusSuccessful {
		err = fmt.Errorf("%s is %s", arn, status)
	}
	return err
}

// over is how a service deployment ended.
func (e *ecspresso) over(ctx context.Context, arn string) (types.ServiceDeploymentStatus, error) {
	for began := time.Now(); time.Since(began) < site.Patience; time.Sleep(ecspressoPause) {
		if _, err := e.describe(ctx); err != nil { // for its events
			return "", err
		}
		out, err := e.api.DescribeServiceDeployments(ctx, &awsecs.DescribeServiceDeploymentsInput{ServiceDeploymentArns: []string{arn}})
		if err != nil {
			return "", err
		}
		if len(out.ServiceDeployments) == 0 {
			return "", errNotThere
		}
		switch d := out.ServiceDeployments[0]; d.Status {
		case types.ServiceDeploymentStatusPending, types.ServiceDeploymentStatusInProgress, types.ServiceDeploymentStatusStopRequested,
			types.ServiceDeploymentStatusRollbackRequested, types.ServiceDeploymentStatusRollbackInProgress:
		default:
			return d.Status, nil
		}
	}
	return "", fmt.Errorf("%s is not over", arn)
}

// stable waits with the SDK's waiter.
func (e *ecspresso) stable(ctx context.Context) error {
	waiter := awsecs.NewServicesStableWaiter(e.api, func(o *awsecs.ServicesStableWaiterOptions) { o.MinDelay, o.MaxDelay = often, 2*often })
	return waiter.Wait(ctx, &awsecs.DescribeServicesInput{Cluster: &e.cluster, Services: []string{e.service}}, site.Patience)
}

// confirm checks that the PRIMARY deployment has a task definition.
func (e *ecspresso) confirm(ctx context.Context, arn string) error {
	d, err := e.describe(ctx)
	if err != nil {
		return err
	}
	if p := d.primary(); p == nil || *p.TaskDefinition != arn {
		return fmt.Errorf("%s is not deployed: %v", arn, d.Deployments)
	}
	return nil
}

// scale changes the desired count alone.
func (e *ecspresso) scale(ctx context.Context, count int32) error {
	have, err := e.describe(ctx)
	if err != nil {
		return err
	}
	_, err = e.api.UpdateService(ctx, &awsecs.UpdateServiceInput{Cluster: &e.cluster, Service: &e.service, TaskDefinition: have.TaskDefinition, DesiredCount: &count})
	if err != nil {
		return err
	}
	return e.stable(ctx)
}

// target is the revision before the one that the service has.
func (e *ecspresso) target(ctx context.Context, current string) (string, error) {
	family, _, _ := strings.Cut(current[strings.LastIndexByte(current, '/')+1:], ":")
	found := false
	pages := awsecs.NewListTaskDefinitionsPaginator(e.api, &awsecs.ListTaskDefinitionsInput{
		FamilyPrefix: &family, MaxResults: aws.Int32(100), Sort: types.SortOrderDesc,
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return "", err
		}
		for _, arn := range page.TaskDefinitionArns {
			if found {
				return arn, nil
			}
			found = arn == current
		}
	}
	return "", errNotThere
}

// rollback brings the service back to the revision before: a deployment that goes on is stopped, else the old revision is deployed. The one
// that was left is deregistered.
func (e *ecspresso) rollback(ctx context.Context) (target string, err error) {
	have, err := e.describe(ctx)
	if err != nil {
		return "", err
	}
	if target, err = e.target(ctx, *have.TaskDefinition); err != nil {
		return "", err
	}
	going, err := e.active(ctx)
	switch {
	case err == nil:
		_, err = e.api.StopServiceDeployment(ctx, &awsecs.StopServiceDeploymentInput{ServiceDeploymentArn: &going, StopType: types.StopServiceDeploymentStopTypeRollback})
	case errors.Is(err, errNotThere):
		_, err = e.api.UpdateService(ctx, &awsecs.UpdateServiceInput{Cluster: &e.cluster, Service: &e.service, TaskDefinition: &target})
	}
	if err == nil {
		err = e.stable(ctx)
	}
	if err == nil {
		err = e.confirm(ctx, target)
	}
	if err == nil {
		_, err = e.api.DeregisterTaskDefinition(ctx, &awsecs.DeregisterTaskDefinitionInput{TaskDefinition: have.TaskDefinition})
	}
	return target, err
}
