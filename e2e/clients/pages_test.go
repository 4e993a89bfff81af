package clients

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/e2e/site"
)

// list is a list operation, what is asked of it, and all that it must answer, which is more than fits on a page of one.
type list struct {
	Operation  string         `json:"operation"`  // "ListTasks"
	Parameters map[string]any `json:"parameters"` // in the API's own names
	Result     string         `json:"result"`     // the member that holds the items
	Item       string         `json:"item"`       // the member of an item that tells it from others, "" where items are strings
	Want       []string       `json:"want"`       // in order
}

// lists are made once, for all clients: nothing else that the tests do changes what these lists answer.
var lists struct {
	once sync.Once
	all  []list
	err  error
}

// allLists makes what the lists list, and returns one for each paginator of the SDKs whose operation is served.
func allLists(t *testing.T, in *installation) []list {
	t.Helper()
	lists.once.Do(func() { lists.all, lists.err = makeLists(t.Context(), in.client()) })
	if lists.err != nil {
		t.Fatal(lists.err)
	}
	return lists.all
}

// listsFile writes the lists to a file, for scripts.
func listsFile(t *testing.T, in *installation) string {
	t.Helper()
	b, err := json.Marshal(allLists(t, in))
	name := filepath.Join(t.TempDir(), "lists.json")
	if err == nil {
		err = os.WriteFile(name, b, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	return name
}

func makeLists(ctx context.Context, api *awsecs.Client) (all []list, err error) {
	for _, add := range []func(context.Context, *awsecs.Client) ([]list, error){
		listedClusters, listedDefinitions, listedServices, listedTasks, listedInstances, listedSettings,
	} {
		some, err := add(ctx, api)
		if err != nil {
			return nil, err
		}
		all = append(all, some...)
	}
	return all, nil
}

// listedClusters makes three clusters beside "default". "pages" is in a namespace, which has no services since Berth has no Service Connect yet.
func listedClusters(ctx context.Context, api *awsecs.Client) ([]list, error) {
	const namespace = "pages-namespace"
	out, err := api.DescribeClusters(ctx, &awsecs.DescribeClustersInput{})
	if err != nil || len(out.Clusters) != 1 {
		return nil, fmt.Errorf("the default cluster: %v %v", err, out)
	}
	all := []string{*out.Clusters[0].ClusterArn}
	for _, name := range []string{"pages", "pages-2", "pages-3"} {
		in := &awsecs.CreateClusterInput{ClusterName: &name}
		if name == "pages" {
			in.ServiceConnectDefaults = &types.ClusterServiceConnectDefaultsRequest{Namespace: aws.String(namespace)}
		}
		out, err := api.CreateCluster(ctx, in)
		if err != nil {
			return nil, err
		}
		all = append(all, *out.Cluster.ClusterArn)
	}
	return []list{
		{"ListClusters", map[string]any{}, "clusterArns", "", all},
		{"ListServicesByNamespace", map[string]any{"namespace": namespace}, "serviceArns", "", []string{}},
	}, nil
}

// listedDefinitions makes two families, one with three revisions.
func listedDefinitions(ctx context.Context, api *awsecs.Client) ([]list, error) {
	var revisions []string
	for _, family := range []string{"pages-a", "pages-b", "pages-b", "pages-b"} {
		out, err := api.RegisterTaskDefinition(ctx, sleeper(family))
		if err != nil {
			return nil, err
		}
		if family == "pages-b" {
			revisions = append(revisions, *out.TaskDefinition.TaskDefinitionArn)
		}
	}
	newest := slices.Clone(revisions)
	slices.Reverse(newest)
	return []list{
		{"ListTaskDefinitionFamilies", map[string]any{"familyPrefix": "pages-", "status": "ACTIVE"}, "families", "", []string{"pages-a", "pages-b"}},
		{"ListTaskDefinitions", map[string]any{"familyPrefix": "pages-b"}, "taskDefinitionArns", "", revisions},
		{"ListTaskDefinitions", map[string]any{"familyPrefix": "pages-b", "sort": "DESC"}, "taskDefinitionArns", "", newest},
	}, nil
}

// listedServices makes three services that want no tasks, in a cluster that nothing else uses, and one that is deleted again and not listed.
func listedServices(ctx context.Context, api *awsecs.Client) ([]list, error) {
	var all []string
	for _, name := range []string{"one", "three", "two"} {
		out, err := api.CreateService(ctx, &awsecs.CreateServiceInput{
			Cluster: aws.String("pages"), ServiceName: &name, TaskDefinition: aws.String("pages-a"), DesiredCount: aws.Int32(0),
		})
		if err != nil {
			return nil, err
		}
		all = append(all, *out.Service.ServiceArn)
	}
	if err := endedService(ctx, api); err != nil {
		return nil, err
	}
	return []list{{"ListServices", map[string]any{"cluster": "pages", "schedulingStrategy": "REPLICA"}, "serviceArns", "", all}}, nil
}

// endedService makes and deletes a service, and waits until it is INACTIVE.
func endedService(ctx context.Context, api *awsecs.Client) error {
	cluster, name := aws.String("pages"), aws.String("ended")
	_, err := api.CreateService(ctx, &awsecs.CreateServiceInput{Cluster: cluster, ServiceName: name, TaskDefinition: aws.String("pages-a"), DesiredCount: aws.Int32(0)})
	if err != nil {
		return err
	}
	if _, err := api.DeleteService(ctx, &awsecs.DeleteServiceInput{Cluster: cluster, Service: name}); err != nil {
		return err
	}
	waiter := awsecs.NewServicesInactiveWaiter(api, func(o *awsecs.ServicesInactiveWaiterOptions) { o.MinDelay, o.MaxDelay = often, often })
	return waiter.Wait(ctx, &awsecs.DescribeServicesInput{Cluster: cluster, Services: []string{*name}}, site.Patience)
}

// listedTasks runs three tasks of a family of their own.
func listedTasks(ctx context.Context, api *awsecs.Client) ([]list, error) {
	out, err := api.RunTask(ctx, &awsecs.RunTaskInput{TaskDefinition: aws.String("pages-a"), Count: aws.Int32(3)})
	if err != nil || len(out.Failures) > 0 {
		return nil, fmt.Errorf("run three tasks: %v %v", err, out)
	}
	var all []string
	for _, task := range out.Tasks {
		all = append(all, *task.TaskArn)
	}
	slices.Sort(all)
	if err := awaitRunning(ctx, api, all...); err != nil {
		return nil, err
	}
	return []list{{"ListTasks", map[string]any{"family": "pages-a", "desiredStatus": "RUNNING"}, "taskArns", "", all}}, nil
}

// awaitRunning waits until tasks run.
func awaitRunning(ctx context.Context, api *awsecs.Client, tasks ...string) error {
	waiter := awsecs.NewTasksRunningWaiter(api, func(o *awsecs.TasksRunningWaiterOptions) { o.MinDelay, o.MaxDelay = often, 2*often })
	return waiter.Wait(ctx, &awsecs.DescribeTasksInput{Tasks: tasks}, site.Patience)
}

// listedInstances gives each container instance an attribute.
func listedInstances(ctx context.Context, api *awsecs.Client) ([]list, error) {
	out, err := api.ListContainerInstances(ctx, &awsecs.ListContainerInstancesInput{})
	if err != nil || len(out.ContainerInstanceArns) != instances {
		return nil, fmt.Errorf("the container instances: %v %v", err, out)
	}
	all := out.ContainerInstanceArns
	slices.Sort(all)
	for i, arn := range all {
		_, err := api.PutAttributes(ctx, &awsecs.PutAttributesInput{Attributes: []types.Attribute{
			{Name: aws.String("page"), Value: aws.String(fmt.Sprint(i)), TargetId: &arn},
		}})
		if err != nil {
			return nil, err
		}
	}
	return []list{
		{"ListContainerInstances", map[string]any{"filter": "attribute:page exists", "status": "ACTIVE"}, "containerInstanceArns", "", all},
		{"ListAttributes", map[string]any{"targetType": "container-instance", "attributeName": "page"}, "attributes", "targetId", all},
	}, nil
}

// listedSettings chooses settings as they are without a choice, so that nothing else changes.
func listedSettings(ctx context.Context, api *awsecs.Client) ([]list, error) {
	names := []string{"containerInstanceLongArnFormat", "serviceLongArnFormat", "taskLongArnFormat"}
	for _, name := range names {
		if _, err := api.PutAccountSetting(ctx, &awsecs.PutAccountSettingInput{Name: types.SettingName(name), Value: aws.String("enabled")}); err != nil {
			return nil, err
		}
	}
	return []list{{"ListAccountSettings", map[string]any{"effectiveSettings": false}, "settings", "name", names}}, nil
}

// sleeper is a definition of one small container that runs until it is stopped.
func sleeper(family string) *awsecs.RegisterTaskDefinitionInput {
	return &awsecs.RegisterTaskDefinitionInput{Family: &family, ContainerDefinitions: []types.ContainerDefinition{{
		Name: aws.String("main"), Image: aws.String(image), EntryPoint: []string{"/bin/busybox"}, Command: []string{"sleep", "3600"},
		Cpu: 16, Memory: aws.Int32(16), StopTimeout: aws.Int32(2),
	}}}
}
