package simulate

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"golang.org/x/sync/errgroup"
)

// Load is work that is given to a fleet through the API: services of many tasks, created, updated and deleted.
type Load struct {
	API             *awsecs.Client
	Cluster         string
	Tasks, Services int
	Prefix          string   // of the services' names
	CPU, MemoryMiB  int      // of each task
	Health          bool     // the container has a health check
	Subnets         []string // of the tasks' network interfaces, which are on Fargate then; none: they are on container instances
	Role            string   // of the tasks, as their own and their execution role; "" for none
	Deployment      *types.DeploymentConfiguration
	// Progress is told how far a phase is, about once a second. nil tells nobody.
	Progress func(phase string, done, of int, since time.Duration)

	mu      sync.Mutex
	began   time.Time // of the phase; zero between phases
	running []time.Duration
}

// Phase is what became of one part of the load.
type Phase struct {
	Name     string        `json:"name"`
	Tasks    int           `json:"tasks"`
	Took     time.Duration `json:"took"`   // until all tasks are as they should be
	Steady   time.Duration `json:"steady"` // until the deployments are COMPLETED; 0 where there are none
	PerTask  Quantiles     `json:"perTask"`
	API      Quantiles     `json:"api"` // latency of read calls meanwhile
	APICalls int           `json:"apiCalls"`
	APIError string        `json:"apiError,omitempty"` // the last error of such a call
}

// Rate is tasks a second.
func (p Phase) Rate() float64 { return float64(p.Tasks) / max(p.Took.Seconds(), 1e-9) }

// Reported is for Config.Reported: it keeps when tasks became RUNNING during a phase.
func (l *Load) Reported(_, status string, at time.Time) {
	if status != "RUNNING" {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.began.IsZero() {
		l.running = append(l.running, at.Sub(l.began))
	}
}

func (l *Load) begin() time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.began, l.running = time.Now(), nil
	return l.began
}

// end returns how long after the phase's begin tasks became RUNNING.
func (l *Load) end() Quantiles {
	l.mu.Lock()
	defer l.mu.Unlock()
	q := quantiles(l.running)
	l.began, l.running = time.Time{}, nil
	return q
}

func (l *Load) name(n int) string { return fmt.Sprintf("%s-%d", l.Prefix, n) }

func (l *Load) share(n int) int32 {
	each := l.Tasks / l.Services
	if n < l.Tasks%l.Services {
		each++
	}
	return int32(each)
}

// Define registers a task definition and returns its ARN.
func (l *Load) Define(ctx context.Context, version string) (string, error) {
	c := types.ContainerDefinition{
		Name: aws.String("app"), Image: aws.String("berth/hello:1"), Cpu: int32(l.CPU), Memory: aws.Int32(int32(l.MemoryMiB)), Essential: aws.Bool(true),
		Environment: []types.KeyValuePair{{Name: aws.String("VERSION"), Value: &version}},
	}
	if l.Health {
		c.HealthCheck = &types.HealthCheck{Command: []string{"CMD-SHELL", "true"}}
	}
	in := &awsecs.RegisterTaskDefinitionInput{Family: &l.Prefix}
	if l.Role != "" {
		in.TaskRoleArn, in.ExecutionRoleArn = &l.Role, &l.Role
	}
	if len(l.Subnets) > 0 {
		in.Cpu, in.Memory, in.NetworkMode = aws.String(strconv.Itoa(l.CPU)), aws.String(strconv.Itoa(l.MemoryMiB)), types.NetworkModeAwsvpc
		in.RequiresCompatibilities = []types.Compatibility{types.CompatibilityFargate}
	}
	in.ContainerDefinitions = []types.ContainerDefinition{c}
	out, err := l.API.RegisterTaskDefinition(ctx, in)
	if err != nil {
		return "", err
	}
	return *out.TaskDefinition.TaskDefinitionArn, nil
}

// Create makes the services and waits until all their tasks run.
func (l *Load) Create(ctx context.Context, definition string) (Phase, error) {
	return l.phase(ctx, "create", func(ctx context.Context, n int) error {
		in := &awsecs.CreateServiceInput{
			Cluster: &l.Cluster, ServiceName: aws.String(l.name(n)), TaskDefinition: &definition, DesiredCount: aws.Int32(l.share(n)),
			DeploymentConfiguration: l.Deployment,
		}
		if len(l.Subnets) > 0 {
			in.LaunchType = types.LaunchTypeFargate
			in.NetworkConfiguration = &types.NetworkConfiguration{AwsvpcConfiguration: &types.AwsVpcConfiguration{Subnets: l.Subnets}}
		}
		_, err := l.API.CreateService(ctx, in)
		return err
	}, func(s types.Service) (int, bool) { return int(s.RunningCount), completed(s) })
}

// Update rolls the services to another definition and waits until only that one runs.
func (l *Load) Update(ctx context.Context, definition string) (Phase, error) {
	return l.phase(ctx, "update", func(ctx context.Context, n int) error {
		_, err := l.API.UpdateService(ctx, &awsecs.UpdateServiceInput{Cluster: &l.Cluster, Service: aws.String(l.name(n)), TaskDefinition: &definition})
		return err
	}, func(s types.Service) (int, bool) {
		for _, d := range s.Deployments {
			if aws.ToString(d.TaskDefinition) == definition {
				return int(d.RunningCount), completed(s)
			}
		}
		return 0, false
	})
}

// Delete deletes the services and waits until no task is left.
func (l *Load) Delete(ctx context.Context) (Phase, error) {
	return l.phase(ctx, "delete", func(ctx context.Context, n int) error {
		_, err := l.API.DeleteService(ctx, &awsecs.DeleteServiceInput{Cluster: &l.Cluster, Service: aws.String(l.name(n)), Force: aws.Bool(true)})
		return err
	}, func(s types.Service) (int, bool) {
		gone := aws.ToString(s.Status) == "INACTIVE"
		if gone {
			return l.Tasks / l.Services, true
		}
		return l.Tasks/l.Services - int(s.RunningCount+s.PendingCount), false
	})
}

func completed(s types.Service) bool {
	return len(s.Deployments) == 1 && s.Deployments[0].RolloutState == types.DeploymentRolloutStateCompleted && s.RunningCount == s.DesiredCount
}

// phase starts something for every service, and looks at them until they are done. Meanwhile it measures reads.
func (l *Load) phase(ctx context.Context, name string, start func(context.Context, int) error, look func(types.Service) (int, bool)) (p Phase, err error) {
	p = Phase{Name: name, Tasks: l.Tasks}
	began := l.begin()
	defer func() { p.PerTask = l.end() }()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(16)
	for n := range l.Services {
		g.Go(func() error { return start(gctx, n) })
	}
	if err := g.Wait(); err != nil {
		return p, fmt.Errorf("%s: %w", name, err)
	}
	probe := make(chan probed, 1)
	pctx, stop := context.WithCancel(ctx)
	go func() { probe <- l.probe(pctx) }()
	err = l.wait(ctx, &p, began, look)
	stop()
	r := <-probe
	p.API, p.APICalls = quantiles(r.took), len(r.took)
	if r.err != nil {
		p.APIError = r.err.Error()
	}
	return p, err
}

// wait looks at all services until they are done.
func (l *Load) wait(ctx context.Context, p *Phase, began time.Time, look func(types.Service) (int, bool)) error {
	told := time.Now()
	for {
		done, steady := 0, true
		for n := 0; n < l.Services; n += 10 {
			var names []string
			for k := n; k < min(n+10, l.Services); k++ {
				names = append(names, l.name(k))
			}
			out, err := l.API.DescribeServices(ctx, &awsecs.DescribeServicesInput{Cluster: &l.Cluster, Services: names})
			if err != nil {
				return fmt.Errorf("%s: %w", p.Name, err)
			}
			for _, s := range out.Services {
				d, ok := look(s)
				done += d
				steady = steady && ok
			}
		}
		since := time.Since(began)
		if done >= l.Tasks-l.Tasks%l.Services && p.Took == 0 {
			p.Took = since
		}
		if steady {
			p.Steady = since
			p.Took = cmp.Or(p.Took, since)
			return nil
		}
		if l.Progress != nil && time.Since(told) > time.Second {
			told = time.Now()
			l.Progress(p.Name, done, l.Tasks, since)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s: %d of %d after %s: %w", p.Name, done, l.Tasks, since.Round(time.Second), ctx.Err())
		case <-time.After(min(50*time.Millisecond+since/50, 500*time.Millisecond)):
		}
	}
}

type probed struct {
	took []time.Duration
	err  error
}

// probe makes read calls one after another, as a user would who looks on, and notes how long each takes.
func (l *Load) probe(ctx context.Context) (r probed) {
	for n := 0; ; n++ {
		began := time.Now()
		err := l.read(ctx, n)
		if ctx.Err() != nil {
			return r
		}
		if err != nil {
			r.err = err
		} else {
			r.took = append(r.took, time.Since(began))
		}
		select {
		case <-ctx.Done():
			return r
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func (l *Load) read(ctx context.Context, n int) error {
	service := l.name(n % l.Services)
	switch n % 3 {
	case 0:
		_, err := l.API.DescribeServices(ctx, &awsecs.DescribeServicesInput{Cluster: &l.Cluster, Services: []string{service}})
		return err
	case 1:
		_, err := l.API.ListTasks(ctx, &awsecs.ListTasksInput{Cluster: &l.Cluster, ServiceName: &service})
		return err
	}
	_, err := l.API.DescribeClusters(ctx, &awsecs.DescribeClustersInput{Clusters: []string{l.Cluster}})
	return err
}

// EnsureCluster makes the cluster where there is none.
func EnsureCluster(ctx context.Context, api *awsecs.Client, cluster string) error {
	_, err := api.CreateCluster(ctx, &awsecs.CreateClusterInput{ClusterName: &cluster})
	if err != nil {
		return fmt.Errorf("make cluster %s: %w", cluster, err)
	}
	return nil
}

// WaitConnected waits until n instances of the cluster are connected.
func WaitConnected(ctx context.Context, f *Fleet, n int) error {
	for f.Manifests.Load() < int64(n) {
		select {
		case <-ctx.Done():
			return errors.Join(fmt.Errorf("%d of %d instances are connected", f.Manifests.Load(), n), ctx.Err())
		case <-time.After(20 * time.Millisecond):
		}
	}
	return nil
}
