package ecstest

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/aws/smithy-go"

	"berth/internal/arn"
	"berth/internal/ecs"
)

// clients remember what the control plane has acknowledged.
type clients struct {
	turns    map[string]chan struct{} // of one element: calls for one thing are made one after another. No mutex: one that waits would stop a bubble's clock
	services map[int]*promise
	facts    map[fact]said
	ran      map[arn.Task]bool // by RunTask
	stopped  map[arn.Task]bool
	halted   map[string]bool // service deployments that were to stop
	gone     map[arn.Instance]bool
	sets     int // how often a task set was to be made
}

// promise is what the last acknowledged call for a service said. unsure: a call after it failed, and may have been done all the same.
type promise struct {
	desired int32
	daemon  bool // desired is the control plane's own
	deleted bool
	unsure  bool
}

func newClients() clients {
	return clients{
		turns: map[string]chan struct{}{}, services: map[int]*promise{}, facts: map[fact]said{}, ran: map[arn.Task]bool{}, stopped: map[arn.Task]bool{},
		halted: map[string]bool{}, gone: map[arn.Instance]bool{},
	}
}

// There are more names than services that a cluster may have.
const (
	serviceNames = 4
	mostServices = 3
	mostTasks    = 10 // of a service
)

func serviceName(a int) *string { return aws.String(fmt.Sprintf("service-%d", a%serviceNames)) }

// define registers the task definitions.
func (w *world) define(ctx context.Context) {
	for _, f := range families {
		c := types.ContainerDefinition{Name: aws.String("main"), Image: &f.image, Cpu: taskCPU, Memory: aws.Int32(taskMiB), Essential: aws.Bool(true)}
		if f.ports {
			c.PortMappings = []types.PortMapping{{ContainerPort: aws.Int32(80), HostPort: aws.Int32(taskPort)}}
		}
		if f.check {
			c.HealthCheck = &types.HealthCheck{Command: []string{"CMD", "true"}, Retries: aws.Int32(3)}
		}
		in := &awsecs.RegisterTaskDefinitionInput{Family: &f.name, ContainerDefinitions: []types.ContainerDefinition{c}}
		if f.constraint != "" {
			in.PlacementConstraints = []types.TaskDefinitionPlacementConstraint{{Type: types.TaskDefinitionPlacementConstraintTypeMemberOf, Expression: &f.constraint}}
		}
		if _, err := w.api.RegisterTaskDefinition(ctx, in); err != nil {
			w.watch.wrong("start", "register %s: %v", f.name, err)
		}
	}
}

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
	unlock = w.turn(*serviceName(a))
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.services[a%serviceNames], unlock
}

// turn waits until no other client is about a thing.
func (w *world) turn(what string) (unlock func()) {
	w.mu.Lock()
	if w.turns[what] == nil {
		w.turns[what] = make(chan struct{}, 1)
	}
	turn := w.turns[what]
	w.mu.Unlock()
	turn <- struct{}{}
	return func() { <-turn }
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
	k := x.settings()
	in := &awsecs.CreateServiceInput{
		ServiceName: serviceName(x.A), TaskDefinition: family(x.C), DesiredCount: aws.Int32(int32(x.B)),
		PlacementConstraints: k.constraints, PlacementStrategy: k.strategy, AvailabilityZoneRebalancing: k.rebalancing,
		DeploymentConfiguration: &types.DeploymentConfiguration{
			MinimumHealthyPercent: k.low, MaximumPercent: k.high, DeploymentCircuitBreaker: &types.DeploymentCircuitBreaker{Enable: k.breaker, Rollback: k.rollback},
		},
	}
	if k.daemon {
		in.SchedulingStrategy, in.DesiredCount = types.SchedulingStrategyDaemon, nil
	}
	if k.propagate {
		in.PropagateTags, in.Tags = types.PropagateTagsService, []types.Tag{{Key: aws.String("step"), Value: aws.String(strconv.Itoa(x.D))}}
	}
	_, err := w.api.CreateService(ctx, in)
	w.watch.note("CreateService %s %s %s: %s", *in.ServiceName, in.SchedulingStrategy, *in.TaskDefinition, outcome(err))
	w.learn(ctx, x.A, err, &promise{desired: int32(x.B), daemon: k.daemon})
}

func (w *world) updateService(ctx context.Context, x Step) {
	was, unlock := w.lock(x.A)
	defer unlock()
	k := x.settings()
	in := &awsecs.UpdateServiceInput{Service: serviceName(x.A), DesiredCount: aws.Int32(int32(x.B)), ForceNewDeployment: k.force}
	daemon := was != nil && was.daemon
	if x.C%3 > 0 || daemon {
		in.TaskDefinition, in.DesiredCount = family(x.C), nil
	}
	if k.placement && k.daemon == daemon && was != nil && !was.unsure {
		in.PlacementConstraints, in.AvailabilityZoneRebalancing = orEmpty(k.constraints), k.rebalancing
		if !daemon {
			in.PlacementStrategy = orEmpty(k.strategy)
		}
	}
	_, err := w.api.UpdateService(ctx, in)
	w.watch.note("UpdateService %s %s: %s", *in.Service, aws.ToString(in.TaskDefinition), outcome(err))
	p := &promise{desired: int32(x.B)}
	if in.DesiredCount == nil {
		if was == nil || was.unsure || was.deleted {
			return
		}
		p.desired, p.daemon = was.desired, was.daemon
	}
	w.learn(ctx, x.A, err, p)
}

// orEmpty is a list that is sent even if it is empty: then it takes away what there is.
func orEmpty[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
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
	case !p.deleted && (*s.Status != ecs.Active || s.DesiredCount != p.desired && !p.daemon):
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

// wrongCall makes a request that must be refused (I9).
func (w *world) wrongCall(ctx context.Context, x Step) {
	var err error
	switch x.C % 6 {
	case 0:
		_, err = w.api.CreateService(ctx, &awsecs.CreateServiceInput{ServiceName: aws.String("no such family"), TaskDefinition: aws.String("nothing"), DesiredCount: aws.Int32(1)})
	case 1:
		_, err = w.api.RunTask(ctx, &awsecs.RunTaskInput{TaskDefinition: family(0), Count: aws.Int32(11)})
	case 2:
		_, err = w.api.UpdateService(ctx, &awsecs.UpdateServiceInput{Service: aws.String("never-made"), DesiredCount: aws.Int32(3)})
	case 3:
		_, err = w.api.StopTask(ctx, &awsecs.StopTaskInput{Task: aws.String("00000000000000000000000000000000")})
	case 4:
		_, err = w.api.CreateService(ctx, &awsecs.CreateServiceInput{ServiceName: aws.String("too-large"), TaskDefinition: family(0), DesiredCount: aws.Int32(mostTasks + 1)})
	case 5:
		_, err = w.api.CreateService(ctx, &awsecs.CreateServiceInput{
			ServiceName: aws.String("counted-daemon"), TaskDefinition: family(0), SchedulingStrategy: types.SchedulingStrategyDaemon, DesiredCount: aws.Int32(1),
		})
	}
	if err == nil {
		w.watch.wrong("I9", "wrong request %d was taken", x.C%6)
	}
}
