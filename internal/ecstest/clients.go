package ecstest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/aws/smithy-go"

	"berth/internal/agent/agenttest"
	"berth/internal/arn"
	"berth/internal/ecs"
)

// images are what the task definitions run.
var images = map[string]agenttest.Image{
	"app":   {},
	"other": {},
	"crash": {Runs: 50 * time.Millisecond, ExitCode: 1},
	"job":   {Runs: 5 * time.Second},
	"slow":  {HealthyIn: 3 * time.Second},
}

// variants are the task definitions, by number: family and image.
var variants = []struct {
	family, image string
	ports         bool
	check         bool
}{{"app", "app", false, false}, {"other", "other", false, false}, {"port", "app", true, false}, {"slow", "slow", false, true}, {"job", "job", false, false}, {"crash", "crash", false, false}}

// clients remember what the control plane has acknowledged.
type clients struct {
	names    map[int]chan struct{} // of one element: calls for one service are made one after another. No mutex: one that waits would stop a bubble's clock
	services map[int]*promise
	ran      map[arn.Task]bool // by RunTask
	stopped  map[arn.Task]bool
}

// promise is what the last acknowledged call for a service said. unsure: a call after it failed, and may have been done all the same.
type promise struct {
	desired int32
	deleted bool
	unsure  bool
}

func newClients() clients {
	return clients{names: map[int]chan struct{}{}, services: map[int]*promise{}, ran: map[arn.Task]bool{}, stopped: map[arn.Task]bool{}}
}

const serviceNames = 3

func serviceName(a int) *string { return aws.String(fmt.Sprintf("service-%d", a%serviceNames)) }

// define registers the task definitions.
func (w *world) define(ctx context.Context) {
	for _, v := range variants {
		c := types.ContainerDefinition{Name: aws.String("main"), Image: &v.image, Cpu: 128, Memory: aws.Int32(128), Essential: aws.Bool(true)}
		if v.ports {
			c.PortMappings = []types.PortMapping{{ContainerPort: aws.Int32(80), HostPort: aws.Int32(8080)}}
		}
		if v.check {
			c.HealthCheck = &types.HealthCheck{Command: []string{"CMD", "true"}, Retries: aws.Int32(3)}
		}
		if _, err := w.api.RegisterTaskDefinition(ctx, &awsecs.RegisterTaskDefinitionInput{Family: &v.family, ContainerDefinitions: []types.ContainerDefinition{c}}); err != nil {
			w.watch.wrong("start", "register %s: %v", v.family, err)
		}
	}
}

func variant(c int) *string { return aws.String(variants[c%len(variants)].family) }

// call runs an operation of a client beside what else happens.
func (w *world) call(f func(ctx context.Context)) {
	w.calls.Add(1)
	go func() {
		defer w.calls.Done()
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		f(ctx)
	}()
}

// lock serializes the calls for one service and returns what is known of it.
func (w *world) lock(a int) (p *promise, unlock func()) {
	a %= serviceNames
	w.mu.Lock()
	if w.names[a] == nil {
		w.names[a] = make(chan struct{}, 1)
	}
	turn := w.names[a]
	w.mu.Unlock()
	turn <- struct{}{}
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.services[a], func() { <-turn }
}

func (w *world) promise(a int, p *promise) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.services[a%serviceNames] = p
}

// refused reports whether the control plane itself has said no: then nothing was done.
func refused(err error) bool {
	var api smithy.APIError
	if !errors.As(err, &api) {
		return false
	}
	switch api.ErrorFault() {
	case smithy.FaultServer:
		return false
	}
	return api.ErrorCode() != "ServerException" && api.ErrorCode() != "ServiceUnavailableException" && api.ErrorCode() != "ServiceUnavailable" && api.ErrorCode() != "503"
}

func (w *world) createService(ctx context.Context, x Step) {
	_, unlock := w.lock(x.A)
	defer unlock()
	low, high := int32([]int{100, 50, 0}[x.C%3]), int32([]int{200, 150, 100}[x.C/3%3])
	if low == 100 && high == 100 {
		high = 200
	}
	_, err := w.api.CreateService(ctx, &awsecs.CreateServiceInput{
		ServiceName: serviceName(x.A), TaskDefinition: variant(x.C), DesiredCount: aws.Int32(int32(x.B)),
		DeploymentConfiguration: &types.DeploymentConfiguration{
			MinimumHealthyPercent: &low, MaximumPercent: &high, DeploymentCircuitBreaker: &types.DeploymentCircuitBreaker{Enable: x.C%2 == 0, Rollback: x.C%4 == 0},
		},
	})
	w.watch.note("CreateService %s: %s", *serviceName(x.A), outcome(err))
	w.learn(ctx, x.A, err, &promise{desired: int32(x.B)})
}

func (w *world) updateService(ctx context.Context, x Step) {
	was, unlock := w.lock(x.A)
	defer unlock()
	in := &awsecs.UpdateServiceInput{Service: serviceName(x.A), DesiredCount: aws.Int32(int32(x.B))}
	if x.C%3 > 0 {
		in.TaskDefinition, in.DesiredCount = variant(x.C/3), nil
	}
	_, err := w.api.UpdateService(ctx, in)
	w.watch.note("UpdateService %s: %s", *in.Service, outcome(err))
	p := &promise{desired: int32(x.B)}
	if in.DesiredCount == nil {
		if was == nil || was.unsure || was.deleted {
			return
		}
		p.desired = was.desired
	}
	w.learn(ctx, x.A, err, p)
}

func (w *world) deleteService(ctx context.Context, x Step) {
	_, unlock := w.lock(x.A)
	defer unlock()
	_, err := w.api.DeleteService(ctx, &awsecs.DeleteServiceInput{Service: serviceName(x.A), Force: aws.Bool(true)})
	w.watch.note("DeleteService %s: %s", *serviceName(x.A), outcome(err))
	w.learn(ctx, x.A, err, &promise{deleted: true})
}

// learn keeps a promise if it was acknowledged, and looks whether a read, of whichever replica, shows it (I5, I8). The caller holds the service's lock.
func (w *world) learn(ctx context.Context, a int, err error, p *promise) {
	switch {
	case refused(err) && w.client.lossless():
		return
	case err != nil: // or refused at the second try, when the answer to the first was lost
		p.unsure = true
	}
	w.promise(a, p)
	if err != nil {
		return
	}
	out, err := w.api.DescribeServices(ctx, &awsecs.DescribeServicesInput{Services: []string{*serviceName(a)}})
	if err != nil {
		return
	}
	if len(out.Services) != 1 {
		w.watch.wrong("I8", "%s is not there right after it was acknowledged", *serviceName(a))
		return
	}
	s := out.Services[0]
	switch {
	case p.deleted && *s.Status == ecs.Active:
		w.watch.wrong("I8", "%s is ACTIVE right after its deletion was acknowledged", *serviceName(a))
	case !p.deleted && (*s.Status != ecs.Active || s.DesiredCount != p.desired):
		w.watch.wrong("I8", "%s is %s with %d tasks right after %d were acknowledged", *serviceName(a), *s.Status, s.DesiredCount, p.desired)
	}
}

func outcome(err error) string {
	if err == nil {
		return "ok"
	}
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorCode()
	}
	return "no answer"
}

func (w *world) runTask(ctx context.Context, x Step) {
	out, err := w.api.RunTask(ctx, &awsecs.RunTaskInput{TaskDefinition: variant(x.C), Count: aws.Int32(int32(1 + x.B%3)), StartedBy: aws.String("script")})
	w.watch.note("RunTask %s: %s", *variant(x.C), outcome(err))
	if err != nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, t := range out.Tasks {
		w.ran[arn.Task(*t.TaskArn)] = true
	}
}

func (w *world) stopTask(ctx context.Context, x Step) {
	list, err := w.api.ListTasks(ctx, &awsecs.ListTasksInput{})
	if err != nil || len(list.TaskArns) == 0 {
		return
	}
	slices.Sort(list.TaskArns)
	t := list.TaskArns[x.A%len(list.TaskArns)]
	_, err = w.api.StopTask(ctx, &awsecs.StopTaskInput{Task: &t, Reason: aws.String("the script says so")})
	w.watch.note("StopTask %s: %s", arn.Task(t).ID()[:8], outcome(err))
	if err != nil {
		return
	}
	w.mu.Lock()
	w.stopped[arn.Task(t)] = true
	w.mu.Unlock()
	out, err := w.api.DescribeTasks(ctx, &awsecs.DescribeTasksInput{Tasks: []string{t}})
	if err == nil && len(out.Tasks) == 1 && *out.Tasks[0].DesiredStatus != "STOPPED" {
		w.watch.wrong("I8", "task %s should still run right after its stop was acknowledged", arn.Task(t).ID()[:8])
	}
}

func (w *world) drain(ctx context.Context, x Step) {
	list, err := w.api.ListContainerInstances(ctx, &awsecs.ListContainerInstancesInput{})
	if err != nil || len(list.ContainerInstanceArns) == 0 {
		return
	}
	slices.Sort(list.ContainerInstanceArns)
	i := list.ContainerInstanceArns[x.A%len(list.ContainerInstanceArns)]
	status := types.ContainerInstanceStatusActive
	if x.B%2 == 1 {
		status = types.ContainerInstanceStatusDraining
	}
	_, err = w.api.UpdateContainerInstancesState(ctx, &awsecs.UpdateContainerInstancesStateInput{ContainerInstances: []string{i}, Status: status})
	w.watch.note("%s %s: %s", status, arn.Instance(i).ID()[:8], outcome(err))
}

// wrongCall makes a request that must be refused (I9).
func (w *world) wrongCall(ctx context.Context, x Step) {
	var err error
	switch x.C % 4 {
	case 0:
		_, err = w.api.CreateService(ctx, &awsecs.CreateServiceInput{ServiceName: aws.String("no such family"), TaskDefinition: aws.String("nothing"), DesiredCount: aws.Int32(1)})
	case 1:
		_, err = w.api.RunTask(ctx, &awsecs.RunTaskInput{TaskDefinition: variant(0), Count: aws.Int32(11)})
	case 2:
		_, err = w.api.UpdateService(ctx, &awsecs.UpdateServiceInput{Service: aws.String("never-made"), DesiredCount: aws.Int32(3)})
	case 3:
		_, err = w.api.StopTask(ctx, &awsecs.StopTaskInput{Task: aws.String("00000000000000000000000000000000")})
	}
	if err == nil {
		w.watch.wrong("I9", "wrong request %d was taken", x.C%4)
	}
}
