package agenttest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/aws/smithy-go"

	"berth/internal/acs"
	"berth/internal/acsproto"
	"berth/internal/agent"
)

// Control is the control plane in memory: it answers the API, orders over the sessions, and remembers what is reported. What it is asked, and refuses, are
// reports.
type Control struct {
	asked
	Cut func(op string) // as the engine's

	mu         sync.Mutex
	n          int64
	registered []*awsecs.RegisterContainerInstanceInput
	inactive   map[string]bool
	order      []string // tasks, as ordered
	tasks      map[string]*ordered
	deny       map[string]error // of every try, by the call
	tags       map[string][]types.Tag
	tagError   error
	vended     []acsproto.IAMRoleCredentials // to be sent
	poke       chan struct{}
}

type ordered struct {
	task     acsproto.Task
	stop     bool
	reports  []*awsecs.SubmitTaskStateChangeInput
	last     string
	refusals int
}

// NewControl returns a control plane without tasks.
func NewControl() *Control {
	return &Control{tasks: map[string]*ordered{}, tags: map[string][]types.Tag{}, inactive: map[string]bool{}, poke: make(chan struct{})}
}

var _ agent.API = (*Control)(nil)

// Run orders a task.
func (c *Control) Run(t acsproto.Task) {
	c.mu.Lock()
	defer c.mu.Unlock()
	t.DesiredStatus = "RUNNING"
	c.order = append(c.order, t.ARN)
	c.tasks[t.ARN] = &ordered{task: t}
	c.changed()
}

// Vend sends credentials of a task.
func (c *Control) Vend(creds acsproto.IAMRoleCredentials) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.vended = append(c.vended, creds)
	c.changed()
}

// Stop orders a task to stop.
func (c *Control) Stop(arn string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.tasks[arn].stop = true
	c.changed()
}

// Disown makes the control plane forget a task, so that its manifest does not list it.
func (c *Control) Disown(arn string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.tasks, arn)
	c.order = slices.DeleteFunc(c.order, func(a string) bool { return a == arn })
	c.changed()
}

// Deactivate deregisters an instance.
func (c *Control) Deactivate(instance string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.inactive[instance] = true
	c.changed()
}

// Deny makes every try of a call ("register", "discover", "poll", "telemetry") fail, or none. Sessions that are there stay.
func (c *Control) Deny(call string, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.deny == nil {
		c.deny = map[string]error{}
	}
	c.deny[call] = err
}

func (c *Control) denied(call string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.deny[call]
}

// dial tries to connect, every second, until that is not denied.
func (c *Control) dial(ctx context.Context, call string, cfg acs.AgentConfig) error {
	for {
		err := c.denied(call)
		if cfg.Dialed != nil {
			err = cfg.Dialed(err)
		}
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Second):
		}
	}
}

// changed wakes the sessions. The caller holds the lock.
func (c *Control) changed() {
	c.n++
	close(c.poke)
	c.poke = make(chan struct{})
}

// Statuses returns the statuses that were reported of a task, one after the other.
func (c *Control) Statuses(arn string) (list []string) {
	for _, r := range c.Reports(arn) {
		list = append(list, *r.Status)
	}
	return list
}

// Reports returns what was reported of a task.
func (c *Control) Reports(arn string) []*awsecs.SubmitTaskStateChangeInput {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.tasks[arn] == nil {
		return nil
	}
	return slices.Clone(c.tasks[arn].reports)
}

// Registered returns the registrations.
func (c *Control) Registered() []*awsecs.RegisterContainerInstanceInput {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.registered)
}

func (c *Control) cut(ctx context.Context, op string) error {
	if c.Cut != nil {
		c.Cut(op)
	}
	return ctx.Err()
}

// RegisterContainerInstance implements agent.API.
func (c *Control) RegisterContainerInstance(ctx context.Context, in *awsecs.RegisterContainerInstanceInput, _ ...func(*awsecs.Options)) (
	*awsecs.RegisterContainerInstanceOutput, error,
) {
	if err := errors.Join(c.cut(ctx, "register"), c.denied("register")); err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	arn := aws.ToString(in.ContainerInstanceArn)
	if c.inactive[arn] {
		return nil, &smithy.GenericAPIError{Code: "ClientException", Message: "The container instance is INACTIVE."}
	}
	c.registered = append(c.registered, in)
	if arn == "" {
		arn = fmt.Sprintf("arn:aws:ecs:us-east-1:123456789012:container-instance/demo/%032x", len(c.registered))
	}
	return &awsecs.RegisterContainerInstanceOutput{ContainerInstance: &types.ContainerInstance{ContainerInstanceArn: aws.String(arn),
		Ec2InstanceId: aws.String("i-" + arn[len(arn)-17:]), RegisteredAt: aws.Time(time.Now()), Attributes: in.Attributes}}, c.cut(ctx, "registered")
}

// DiscoverPollEndpoint implements agent.API.
func (c *Control) DiscoverPollEndpoint(ctx context.Context, _ *awsecs.DiscoverPollEndpointInput, _ ...func(*awsecs.Options)) (
	*awsecs.DiscoverPollEndpointOutput, error,
) {
	if err := c.denied("discover"); err != nil {
		return nil, err
	}
	return &awsecs.DiscoverPollEndpointOutput{Endpoint: aws.String("http://acs/"), TelemetryEndpoint: aws.String("http://tcs/")}, c.cut(ctx, "discover")
}

// SubmitTaskStateChange implements agent.API.
func (c *Control) SubmitTaskStateChange(ctx context.Context, in *awsecs.SubmitTaskStateChangeInput, _ ...func(*awsecs.Options)) (
	*awsecs.SubmitTaskStateChangeOutput, error,
) {
	if err := c.cut(ctx, "submit"); err != nil {
		return nil, err
	}
	if err := c.ask(); err != nil {
		return nil, err
	}
	c.mu.Lock()
	if o := c.tasks[*in.Task]; o != nil {
		o.reports = append(o.reports, in)
		if o.last != "STOPPED" { // a task never goes back
			o.last = *in.Status
		}
	}
	c.mu.Unlock()
	return &awsecs.SubmitTaskStateChangeOutput{Acknowledgment: aws.String("OK")}, c.cut(ctx, "submitted")
}

// GetTaskProtection implements agent.API: no task is protected.
func (c *Control) GetTaskProtection(ctx context.Context, in *awsecs.GetTaskProtectionInput, _ ...func(*awsecs.Options)) (
	*awsecs.GetTaskProtectionOutput, error,
) {
	return &awsecs.GetTaskProtectionOutput{ProtectedTasks: []types.ProtectedTask{{TaskArn: &in.Tasks[0]}}}, c.cut(ctx, "get protection")
}

// UpdateTaskProtection implements agent.API, and forgets it.
func (c *Control) UpdateTaskProtection(ctx context.Context, in *awsecs.UpdateTaskProtectionInput, _ ...func(*awsecs.Options)) (
	*awsecs.UpdateTaskProtectionOutput, error,
) {
	return &awsecs.UpdateTaskProtectionOutput{
		ProtectedTasks: []types.ProtectedTask{{TaskArn: &in.Tasks[0], ProtectionEnabled: in.ProtectionEnabled}},
	}, c.cut(ctx, "protect")
}

// ListTagsForResource implements agent.API: what Tag has set.
func (c *Control) ListTagsForResource(ctx context.Context, in *awsecs.ListTagsForResourceInput, _ ...func(*awsecs.Options)) (
	*awsecs.ListTagsForResourceOutput, error,
) {
	if err := c.cut(ctx, "tags"); err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return &awsecs.ListTagsForResourceOutput{Tags: c.tags[*in.ResourceArn]}, c.tagError
}

// Tag sets a resource's tags, and what every call about tags is answered.
func (c *Control) Tag(arn string, err error, tags ...types.Tag) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.tags[arn], c.tagError = tags, err
}

// RunAgent is a session as acs.RunAgent keeps it: manifest, then what is not reached yet, and again at every change.
func (c *Control) RunAgent(ctx context.Context, cfg acs.AgentConfig, o acs.Orders) error {
	if err := c.dial(ctx, "poll", cfg); err != nil {
		return err
	}
	for {
		c.mu.Lock()
		poke, dead := c.poke, c.inactive[cfg.Instance]
		manifest, payload := c.wanted(cfg)
		vended := c.vended
		c.vended = nil
		c.mu.Unlock()
		if dead {
			return acs.ErrInactive
		}
		if stop, err := o.Manifest(ctx, manifest); err == nil {
			o.StopVerified(ctx, stop)
		}
		if len(payload.Tasks) > 0 {
			c.acked(payload, o.Payload(ctx, payload))
		}
		for _, one := range vended {
			o.Credentials(ctx, one)
		}
		o.Heartbeat(ctx)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-poke:
		}
	}
}

func (c *Control) wanted(cfg acs.AgentConfig) (acsproto.TaskManifest, acsproto.Payload) {
	c.n += 2
	m := acsproto.TaskManifest{MessageID: "m", Cluster: cfg.Cluster, ContainerInstance: cfg.Instance, Timeline: c.n - 1}
	p := acsproto.Payload{MessageID: "p", Cluster: cfg.Cluster, ContainerInstance: cfg.Instance, SeqNum: c.n}
	for _, arn := range c.order {
		t := c.tasks[arn]
		switch {
		case t.last == "STOPPED":
		case t.stop:
			p.Tasks = append(p.Tasks, acsproto.Task{ARN: arn, DesiredStatus: "STOPPED"})
		default:
			m.Tasks = append(m.Tasks, acsproto.ManifestTask{Task: arn, DesiredStatus: "RUNNING"})
			if t.last != "RUNNING" {
				p.Tasks = append(p.Tasks, t.task)
			}
		}
	}
	return m, p
}

func (c *Control) acked(p acsproto.Payload, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, t := range p.Tasks {
		if o := c.tasks[t.ARN]; o != nil && err != nil {
			o.refusals++
		}
	}
}

// Refusals counts the payloads with a task that were not acked.
func (c *Control) Refusals(arn string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.tasks[arn].refusals
}

// RunTelemetry is a session that tells nothing.
func (c *Control) RunTelemetry(ctx context.Context, cfg acs.AgentConfig, _ acs.Telemetry, _ <-chan struct{}) error {
	if err := c.dial(ctx, "telemetry", cfg); err != nil {
		return err
	}
	<-ctx.Done()
	return ctx.Err()
}
