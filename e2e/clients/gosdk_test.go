package clients

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"

	"berth/e2e/site"
	"berth/internal/sdkhttp"
)

// TestGoPaginators goes through every list by the SDK's paginators, a page of one item at a time.
func TestGoPaginators(t *testing.T) {
	t.Parallel()
	in := here(t)
	for _, l := range allLists(t, in) {
		got, pages, err := goPages(t.Context(), in.client(), l)
		if err != nil {
			t.Errorf("%s %v: %v", l.Operation, l.Parameters, err)
			continue
		}
		if d := cmp.Diff(l.Want, got); d != "" {
			t.Errorf("%s %v (-want +got):\n%s", l.Operation, l.Parameters, d)
		}
		if want := max(1, len(l.Want)); pages != want {
			t.Errorf("%s %v: %d pages of one, want %d", l.Operation, l.Parameters, pages, want)
		}
	}
}

// goPages goes through a list by the operation's paginator, and returns what tells the items from each other.
func goPages(ctx context.Context, api *awsecs.Client, l list) (got []string, pages int, err error) {
	switch l.Operation {
	case "ListAccountSettings":
		return collect(ctx, awsecs.NewListAccountSettingsPaginator(api, input[awsecs.ListAccountSettingsInput](l)), func(o *awsecs.ListAccountSettingsOutput) []string {
			return each(o.Settings, func(s types.Setting) string { return string(s.Name) })
		})
	case "ListAttributes":
		return collect(ctx, awsecs.NewListAttributesPaginator(api, input[awsecs.ListAttributesInput](l)), func(o *awsecs.ListAttributesOutput) []string {
			return each(o.Attributes, func(a types.Attribute) string { return *a.TargetId })
		})
	case "ListClusters":
		return collect(ctx, awsecs.NewListClustersPaginator(api, input[awsecs.ListClustersInput](l)), func(o *awsecs.ListClustersOutput) []string { return o.ClusterArns })
	case "ListContainerInstances":
		return collect(ctx, awsecs.NewListContainerInstancesPaginator(api, input[awsecs.ListContainerInstancesInput](l)), func(o *awsecs.ListContainerInstancesOutput) []string {
			return o.ContainerInstanceArns
		})
	case "ListServices":
		return collect(ctx, awsecs.NewListServicesPaginator(api, input[awsecs.ListServicesInput](l)), func(o *awsecs.ListServicesOutput) []string { return o.ServiceArns })
	case "ListServicesByNamespace":
		return collect(ctx, awsecs.NewListServicesByNamespacePaginator(api, input[awsecs.ListServicesByNamespaceInput](l)), func(o *awsecs.ListServicesByNamespaceOutput) []string {
			return o.ServiceArns
		})
	case "ListTaskDefinitionFamilies":
		return collect(ctx, awsecs.NewListTaskDefinitionFamiliesPaginator(api, input[awsecs.ListTaskDefinitionFamiliesInput](l)), func(o *awsecs.ListTaskDefinitionFamiliesOutput) []string {
			return o.Families
		})
	case "ListTaskDefinitions":
		return collect(ctx, awsecs.NewListTaskDefinitionsPaginator(api, input[awsecs.ListTaskDefinitionsInput](l)), func(o *awsecs.ListTaskDefinitionsOutput) []string {
			return o.TaskDefinitionArns
		})
	case "ListTasks":
		return collect(ctx, awsecs.NewListTasksPaginator(api, input[awsecs.ListTasksInput](l)), func(o *awsecs.ListTasksOutput) []string { return o.TaskArns })
	}
	return nil, 0, errors.New("no paginator is known here")
}

// input is the list's parameters as the SDK's type, with a page of one.
func input[T any](l list) *T {
	var in T
	if err := remake(l.Parameters, &in); err != nil {
		panic(err)
	}
	switch most := reflect.ValueOf(&in).Elem().FieldByName("MaxResults"); most.Kind() {
	case reflect.Int32:
		most.SetInt(1)
	default:
		most.Set(reflect.ValueOf(aws.Int32(1)))
	}
	return &in
}

// remake makes one value of another's JSON. The SDK's types have no names for it, and encoding/json reads names in any case.
func remake(from, to any) error {
	b, err := json.Marshal(from)
	if err != nil {
		return err
	}
	return json.Unmarshal(b, to)
}

// collect goes through all pages.
func collect[O any](ctx context.Context, p interface {
	HasMorePages() bool
	NextPage(context.Context, ...func(*awsecs.Options)) (*O, error)
}, items func(*O) []string,
) (got []string, pages int, err error) {
	got = []string{}
	for p.HasMorePages() {
		page, err := p.NextPage(ctx)
		if err != nil {
			return got, pages, err
		}
		got = append(got, items(page)...)
		pages++
	}
	return got, pages, nil
}

func each[T any](all []T, text func(T) string) (out []string) {
	for _, x := range all {
		out = append(out, text(x))
	}
	return out
}

// TestGoWaiters waits for a service and a task with each of the SDK's waiters, until it is so and where it cannot become so.
func TestGoWaiters(t *testing.T) {
	t.Parallel()
	in := here(t)
	t.Run("services", func(t *testing.T) { t.Parallel(); goServiceWaiters(t, in.client()) })
	t.Run("tasks", func(t *testing.T) { t.Parallel(); goTaskWaiters(t, in.client()) })
}

// often lets the SDK's waiters ask as often as a test needs.
const often = 300 * time.Millisecond

func goServiceWaiters(t *testing.T, api *awsecs.Client) {
	ctx, name := t.Context(), "go-waiters"
	stable := awsecs.NewServicesStableWaiter(api, func(o *awsecs.ServicesStableWaiterOptions) { o.MinDelay, o.MaxDelay = often, 2*often })
	inactive := awsecs.NewServicesInactiveWaiter(api, func(o *awsecs.ServicesInactiveWaiterOptions) { o.MinDelay, o.MaxDelay = often, 2*often })
	which := &awsecs.DescribeServicesInput{Services: []string{name}}
	isFailure(t, "a service that is not there is stable", stable.Wait(ctx, which, site.Patience))
	serve(t, api, name, 2, sleeper(name))
	out, err := stable.WaitForOutput(ctx, which, site.Patience)
	if err != nil {
		t.Fatalf("stable: %v", err)
	}
	if s := out.Services[0]; s.RunningCount != 2 || s.Deployments[0].RolloutState != types.DeploymentRolloutStateCompleted {
		t.Errorf("a stable service has %d of 2 tasks and its rollout is %s", s.RunningCount, s.Deployments[0].RolloutState)
	}
	if _, err := api.UpdateService(ctx, &awsecs.UpdateServiceInput{Service: &name, ForceNewDeployment: true}); err != nil {
		t.Fatal(err)
	}
	if err := stable.Wait(ctx, which, site.Patience); err != nil {
		t.Errorf("stable after a new deployment: %v", err)
	}
	if _, err := api.DeleteService(ctx, &awsecs.DeleteServiceInput{Service: &name, Force: aws.Bool(true)}); err != nil {
		t.Fatal(err)
	}
	if err := inactive.Wait(ctx, which, site.Patience); err != nil {
		t.Errorf("inactive: %v", err)
	}
	isFailure(t, "a deleted service is stable", stable.Wait(ctx, which, site.Patience))
}

func goTaskWaiters(t *testing.T, api *awsecs.Client) {
	ctx := t.Context()
	running := awsecs.NewTasksRunningWaiter(api, func(o *awsecs.TasksRunningWaiterOptions) { o.MinDelay, o.MaxDelay = often, 2*often })
	stopped := awsecs.NewTasksStoppedWaiter(api, func(o *awsecs.TasksStoppedWaiterOptions) { o.MinDelay, o.MaxDelay = often, 2*often })
	if _, err := api.RegisterTaskDefinition(ctx, sleeper("go-waiters-task")); err != nil {
		t.Fatal(err)
	}
	ran, err := api.RunTask(ctx, &awsecs.RunTaskInput{TaskDefinition: aws.String("go-waiters-task"), Count: aws.Int32(2)})
	if err != nil || len(ran.Tasks) != 2 {
		t.Fatalf("run two tasks: %v %v", err, ran)
	}
	which := &awsecs.DescribeTasksInput{Tasks: []string{*ran.Tasks[0].TaskArn, *ran.Tasks[1].TaskArn}}
	if err := running.Wait(ctx, which, site.Patience); err != nil {
		t.Fatalf("running: %v", err)
	}
	for _, task := range which.Tasks {
		if _, err := api.StopTask(ctx, &awsecs.StopTaskInput{Task: &task, Reason: aws.String("waited for")}); err != nil {
			t.Fatal(err)
		}
	}
	out, err := stopped.WaitForOutput(ctx, which, site.Patience)
	if err != nil {
		t.Fatalf("stopped: %v", err)
	}
	if s := out.Tasks[0]; s.StopCode != types.TaskStopCodeUserInitiated || *s.StoppedReason != "waited for" || s.StoppedAt.Before(*s.StartedAt) {
		t.Errorf("the stopped task: %s, %q, started %v, stopped %v", s.StopCode, *s.StoppedReason, s.StartedAt, s.StoppedAt)
	}
	isFailure(t, "a stopped task runs", running.Wait(ctx, which, site.Patience))
	which.Tasks = []string{strings.Repeat("0", 32)}
	isFailure(t, "a task that is not there runs", running.Wait(ctx, which, site.Patience))
}

// serve registers a definition and makes a service of it.
func serve(t *testing.T, api *awsecs.Client, name string, count int32, d *awsecs.RegisterTaskDefinitionInput) {
	t.Helper()
	if _, err := api.RegisterTaskDefinition(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	if _, err := api.CreateService(t.Context(), &awsecs.CreateServiceInput{ServiceName: &name, TaskDefinition: d.Family, DesiredCount: &count}); err != nil {
		t.Fatal(err)
	}
}

// isFailure checks that a waiter gave up because of what it was told, not because of the time.
func isFailure(t *testing.T, what string, err error) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), "waiter state transitioned to Failure") {
		t.Errorf("%s: the waiter says %v", what, err)
	}
}

// wrong is a request that is answered with an error, and the error's name.
type wrong struct {
	Operation  string         `json:"operation"`
	Parameters map[string]any `json:"parameters"`
	Error      string         `json:"error"`
}

const wrongFile = "testdata/errors.json"

// wrongs are the requests of testdata/errors.json. They are about what the lists list.
func wrongs(t *testing.T, in *installation) (all []wrong) {
	t.Helper()
	allLists(t, in)
	b, err := os.ReadFile(wrongFile)
	if err == nil {
		err = json.Unmarshal(b, &all)
	}
	if err != nil || len(all) == 0 {
		t.Fatalf("%s: %v", wrongFile, err)
	}
	return all
}

// goErrors tells for an error's name whether an error is of the SDK's type of that name.
var goErrors = map[string]func(error) bool{
	"ClientException":                    is[*types.ClientException],
	"ClusterContainsServicesException":   is[*types.ClusterContainsServicesException],
	"ClusterNotFoundException":           is[*types.ClusterNotFoundException],
	"InvalidParameterException":          is[*types.InvalidParameterException],
	"NamespaceNotFoundException":         is[*types.NamespaceNotFoundException],
	"ServiceDeploymentNotFoundException": is[*types.ServiceDeploymentNotFoundException],
	"ServiceNotActiveException":          is[*types.ServiceNotActiveException],
	"ServiceNotFoundException":           is[*types.ServiceNotFoundException],
	"TargetNotFoundException":            is[*types.TargetNotFoundException],
	"UnsupportedOperationException":      is[*smithy.GenericAPIError], // no error of ECS's model
}

func is[T error](err error) bool { _, ok := errors.AsType[T](err); return ok }

// TestGoErrors checks that wrong requests become the SDK's typed errors, with a code, a message, a status and a request's id.
func TestGoErrors(t *testing.T) {
	t.Parallel()
	in := here(t)
	for _, w := range wrongs(t, in) {
		err := goCall(t.Context(), in.client(), w)
		if typed := goErrors[w.Error]; typed == nil || !typed(err) {
			t.Errorf("%s %v: %T %v, want %s", w.Operation, w.Parameters, err, err, w.Error)
			continue
		}
		if e, ok := errors.AsType[smithy.APIError](err); !ok || e.ErrorCode() != w.Error || e.ErrorMessage() == "" {
			t.Errorf("%s %v: %v", w.Operation, w.Parameters, err)
		}
		if e, ok := errors.AsType[*awshttp.ResponseError](err); !ok || e.HTTPStatusCode() != 400 || e.ServiceRequestID() == "" {
			t.Errorf("%s %v: answered with %v", w.Operation, w.Parameters, err)
		}
	}
	api := in.client()
	if !slices.Contains([]string{"UnrecognizedClientException", "InvalidSignatureException"}, codeOf(goCall(t.Context(), awsecs.New(awsecs.Options{
		Region: "us-east-1", BaseEndpoint: api.Options().BaseEndpoint, HTTPClient: sdkhttp.New(), Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "AKIANOBODY0000000000", SecretAccessKey: "none"}, nil
		}),
	}), wrong{Operation: "ListClusters"}))) {
		t.Error("a stranger was let in")
	}
}

// TestGoConflict checks that a token answers with what it made, and is a conflict with another request, which tells what it made.
func TestGoConflict(t *testing.T) {
	t.Parallel()
	in := here(t)
	if _, err := in.client().RegisterTaskDefinition(t.Context(), sleeper("go-conflict")); err != nil {
		t.Fatal(err)
	}
	run := &awsecs.RunTaskInput{TaskDefinition: aws.String("go-conflict"), Count: aws.Int32(1), ClientToken: aws.String("go-conflict")}
	first, err := in.client().RunTask(t.Context(), run)
	if err != nil || len(first.Tasks) != 1 {
		t.Fatalf("run a task: %v %v", err, first)
	}
	again, err := in.client().RunTask(t.Context(), run)
	if err != nil || len(again.Tasks) != 1 || *again.Tasks[0].TaskArn != *first.Tasks[0].TaskArn {
		t.Errorf("the same request with the same token: %v %v", err, again)
	}
	run.Count = aws.Int32(2)
	_, err = in.client().RunTask(t.Context(), run)
	if e, ok := errors.AsType[*types.ConflictException](err); !ok || !slices.Equal(e.ResourceIds, []string{*first.Tasks[0].TaskArn}) {
		t.Errorf("another request with the same token: %v", err)
	}
	if err := awaitRunning(t.Context(), in.client(), *first.Tasks[0].TaskArn); err != nil {
		t.Error(err)
	}
}

func codeOf(err error) string {
	if e, ok := errors.AsType[smithy.APIError](err); ok {
		return e.ErrorCode()
	}
	return ""
}

// goCall sends a request by the client's method of the operation's name.
func goCall(ctx context.Context, api *awsecs.Client, w wrong) error {
	method := reflect.ValueOf(api).MethodByName(w.Operation)
	in := reflect.New(method.Type().In(1).Elem())
	if err := remake(w.Parameters, in.Interface()); err != nil {
		return err
	}
	err, _ := method.Call([]reflect.Value{reflect.ValueOf(ctx), in})[1].Interface().(error)
	return err
}
