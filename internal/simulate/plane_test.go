package simulate

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/access"
	"berth/internal/acs"
	"berth/internal/acsproto"
	"berth/internal/apierr"
	"berth/internal/arn"
	"berth/internal/awswire"
	"berth/internal/frontdoor"
	"berth/internal/pipenet"
	"berth/internal/sdkhttp"
)

var demo = arn.Scope{Region: "us-east-1", Account: "123456789012"}.Cluster("demo")

// plane is a control plane that does what a test says. Its front door and its hub are the real ones: signatures are verified, sessions are kept.
type plane struct {
	hub *acs.Hub
	net *pipenet.Network

	mu         sync.Mutex
	n          uint64
	orders     map[arn.Instance][]order
	registered int
	offers     []*awsecs.RegisterContainerInstanceInput
	inactive   map[arn.Instance]bool
	reports    []report
	refuse     func(operation string) error // of the agents' calls
	telemetry  []acsproto.Message
	asked      []string // the operator's calls
	services   map[string]*types.Service
	run        int
}

type order struct {
	task    string
	stop    bool
	checked bool // the task has a health check

	attachment string // ARN of its network interface's
}

// report is what an agent said of a task, and when.
type report struct {
	task, status, reason string
	exit                 int32 // of the first container, -1 none
	after                time.Duration
	attached             string // ARN and status of the first attachment
}

// newPlane serves until the test ends. It is made within the bubble.
func newPlane(t *testing.T) *plane {
	p := &plane{net: pipenet.New(), orders: map[arn.Instance][]order{}, inactive: map[arn.Instance]bool{}, services: map[string]*types.Service{}}
	p.hub = acs.New(acs.Config{Control: p})
	began := time.Now()
	service := frontdoor.Service{
		Name: "ecs", Protocol: frontdoor.AWSJSON11, Names: awswire.LowerCamel, Target: "AmazonEC2ContainerServiceV20141113",
		Operations: append([]frontdoor.Operation{
			frontdoor.Op("RegisterContainerInstance", p.register), frontdoor.Op("DiscoverPollEndpoint", p.discover),
			frontdoor.Op("SubmitTaskStateChange", func(_ context.Context, _ *frontdoor.Request, in *awsecs.SubmitTaskStateChangeInput) (*awsecs.SubmitTaskStateChangeOutput, error) {
				return &awsecs.SubmitTaskStateChangeOutput{}, p.submit(in, time.Since(began))
			}),
		}, p.operator()...),
	}
	for _, o := range service.Operations {
		service.Known = append(service.Known, o.Name)
	}
	door := frontdoor.New(frontdoor.Config{
		Services: []frontdoor.Service{service},
		Sockets: []frontdoor.Socket{
			{Path: "/acs/ws", Service: "ecs", Action: "ecs:Poll", Serve: func(w http.ResponseWriter, r *http.Request, _ *frontdoor.Request) { p.hub.ServeACS(w, r) }},
			{Path: "/tcs/ws", Service: "ecs", Action: "ecs:StartTelemetrySession", Serve: func(w http.ResponseWriter, r *http.Request, _ *frontdoor.Request) { p.hub.ServeTCS(w, r) }},
		},
		Keys: func(_ context.Context, id, _ string) (frontdoor.Key, bool) {
			return frontdoor.Key{Secret: "secret of " + id, Principal: access.Admin(arn.ScopeOf(demo).Account)}, true
		},
		Account: arn.ScopeOf(demo).Account,
	})
	server := &http.Server{Handler: door}
	served := make(chan error, 1)
	go func() { served <- server.Serve(p.net) }()
	ctx, cancel := context.WithCancel(t.Context())
	hub := make(chan error, 1)
	go func() { hub <- p.hub.Run(ctx) }()
	t.Cleanup(func() { // all of it ends, or the bubble tells
		cancel()
		<-hub
		server.Close() //nolint:errcheck // it is over
		<-served
	})
	return p
}

func (p *plane) register(_ context.Context, _ *frontdoor.Request, in *awsecs.RegisterContainerInstanceInput) (*awsecs.RegisterContainerInstanceOutput, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.refused("RegisterContainerInstance"); err != nil {
		return nil, err
	}
	p.registered++
	p.offers = append(p.offers, in)
	return &awsecs.RegisterContainerInstanceOutput{ContainerInstance: &types.ContainerInstance{ContainerInstanceArn: aws.String(string(instanceARN(p.registered)))}}, nil
}

// instanceARN is that of the n-th registration, from 1.
func instanceARN(n int) arn.Instance { return demo.Instance(fmt.Sprintf("%032d", n)) }

func (p *plane) discover(_ context.Context, r *frontdoor.Request, _ *awsecs.DiscoverPollEndpointInput) (*awsecs.DiscoverPollEndpointOutput, error) {
	return &awsecs.DiscoverPollEndpointOutput{Endpoint: aws.String("http://" + r.Host + "/acs/"), TelemetryEndpoint: aws.String("http://" + r.Host + "/tcs/")}, nil
}

func (p *plane) submit(in *awsecs.SubmitTaskStateChangeInput, after time.Duration) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.refused("SubmitTaskStateChange"); err != nil {
		return err
	}
	r := report{task: arn.Task(*in.Task).ID(), status: *in.Status, reason: aws.ToString(in.Reason), exit: -1, after: after}
	if len(in.Containers) > 0 && in.Containers[0].ExitCode != nil {
		r.exit = *in.Containers[0].ExitCode
	}
	if len(in.Attachments) > 0 {
		r.attached = aws.ToString(in.Attachments[0].AttachmentArn) + " " + aws.ToString(in.Attachments[0].Status)
	}
	p.reports = append(p.reports, r)
	for i, orders := range p.orders { // what was reached is not told again
		p.orders[i] = slices.DeleteFunc(orders, func(o order) bool {
			return o.task == r.task && (r.status == "STOPPED" || r.status == "RUNNING" && !o.stop)
		})
	}
	return nil
}

// refused asks the test whether a call shall fail. The caller holds mu.
func (p *plane) refused(operation string) error {
	if p.refuse == nil {
		return nil
	}
	return p.refuse(operation)
}

func (p *plane) Connected(_ context.Context, h acs.Hello) (uint64, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.n++
	if p.inactive[h.Instance] {
		return 0, &acs.Refusal{Kind: acs.InactiveInstance, Message: "it was deregistered"}
	}
	return p.n, nil
}

func (p *plane) Admit(acs.Hello) error                      { return nil }
func (p *plane) Disconnected(context.Context, arn.Instance) {}

func (p *plane) Network(arn.Instance, map[string]any) (acsproto.Network, bool) {
	return acsproto.Network{}, false
}

func (p *plane) Credentials(arn.Instance, func(string) bool) iter.Seq[acsproto.IAMRoleCredentials] {
	return func(func(acsproto.IAMRoleCredentials) bool) {}
}

func (p *plane) Wanted(i arn.Instance) acs.Wanted {
	p.mu.Lock()
	defer p.mu.Unlock()
	w := acs.Wanted{N: p.n}
	for _, o := range p.orders[i] {
		w.Orders = append(w.Orders, acs.Order{Task: demo.Task(o.task), Stop: o.stop, Build: func() (acsproto.Task, error) { return o.message(), nil }})
	}
	return w
}

func (o order) message() acsproto.Task {
	t := acsproto.Task{ARN: string(demo.Task(o.task)), Family: "app", Version: "1", DesiredStatus: "RUNNING"}
	if o.stop {
		t.DesiredStatus = "STOPPED"
	}
	t.Containers = []acsproto.Container{{Name: "app"}}
	if o.attachment != "" {
		t.Interfaces = []acsproto.ElasticNetworkInterface{{AttachmentARN: o.attachment}}
	}
	if o.checked {
		t.Containers[0].HealthCheckType = "docker"
	}
	return t
}

func (p *plane) Manifest(i arn.Instance) (uint64, []acsproto.ManifestTask) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var tasks []acsproto.ManifestTask
	for _, o := range p.orders[i] {
		tasks = append(tasks, acsproto.ManifestTask{Task: string(demo.Task(o.task)), Cluster: "demo", DesiredStatus: "RUNNING"})
	}
	return p.n, tasks
}

func (p *plane) Telemetry(_ context.Context, _ arn.Instance, m acsproto.Message) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.telemetry = append(p.telemetry, m)
}

// order tells instance n (from 1, in the order of their registration) of tasks.
func (p *plane) order(n int, orders ...order) {
	i := instanceARN(n)
	p.mu.Lock()
	p.n++
	p.orders[i] = append(p.orders[i], orders...)
	p.mu.Unlock()
	p.hub.Notify(i)
}

// said are the reports about a task, in order.
func (p *plane) said(task string) []report {
	return slices.DeleteFunc(p.all(), func(r report) bool { return r.task != task })
}

func (p *plane) all() []report {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.reports)
}

func (p *plane) registrations() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.registered
}

func (p *plane) refusing(f func(operation string) error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.refuse = f
}

// fleet makes a fleet on the plane and registers it.
func (p *plane) fleet(t *testing.T, c Config) *Fleet {
	t.Helper()
	c.Endpoint, c.Region, c.Cluster, c.Dial = "http://berth", "us-east-1", "demo", p.net.Dial
	c.CPUUnits, c.MemoryMiB = 1024, 2048
	var mu sync.Mutex
	joined := 0
	if c.Join == nil {
		c.Join = func(context.Context) (string, string, error) {
			mu.Lock()
			defer mu.Unlock()
			joined++
			id := fmt.Sprintf("AKIAFLEET%07d", joined)
			return id, "secret of " + id, nil
		}
	}
	f := New(c)
	if err := f.Register(t.Context()); err != nil {
		t.Fatal(err)
	}
	return f
}

// start runs the fleet until the test or the returned function ends it.
func start(t *testing.T, f *Fleet) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- f.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("the fleet ended with %v", err)
		}
	})
	t.Cleanup(stop)
	if err := WaitConnected(ctx, f, f.Config.Instances); err != nil {
		t.Fatal(err)
	}
	return stop
}

// client is the operator's.
func (p *plane) client(t *testing.T) *awsecs.Client {
	transport := &http.Transport{DialContext: p.net.Dial}
	t.Cleanup(transport.CloseIdleConnections)
	return awsecs.New(awsecs.Options{
		BaseEndpoint: aws.String("http://berth"), Region: "us-east-1",
		Credentials: credentials.NewStaticCredentialsProvider("AKIAOPERATOR0001", "secret of AKIAOPERATOR0001", ""),
		HTTPClient:  sdkhttp.Client(transport), Retryer: aws.NopRetryer{},
	})
}

var errBroken = apierr.Server(errors.New("broken"))
