package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"runtime/debug"
	"runtime/pprof"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"berth/internal/simulate"
)

// simulateOptions are the flags of berth simulate.
type simulateOptions struct {
	data, server, region, cluster, output string
	fleet                                 simulate.Config
	tasks, services, cpu, memory          int
	update, remove, health, verbose       bool
	stay, interval                        time.Duration
	churn                                 float64
	profile                               string
	pool                                  string // socket
	role                                  string // ARN
	fargate                               bool
}

func simulateCommand() *cobra.Command {
	o := simulateOptions{}
	c := &cobra.Command{
		Use: "simulate", Short: "Run a fleet of simulated container instances against a control plane", Args: cobra.NoArgs,
		Long: `Run a fleet of simulated container instances in this process: each registers, keeps its sessions, acks payloads and reports its tasks as a
real agent does; only the containers are not there. With --tasks it also creates services, waits until all their tasks run, and says how
long that took. Without it the fleet stays until Ctrl-C.

With --churn N the tasks do not stay what they are: about N a second are replaced, by rolling updates, stopped tasks, services that shrink and
grow, and tasks without a service, for --stay or until Ctrl-C. It tells once in an --interval what happened and how long the API took.

With --pool it hosts members of Fargate's pool instead, which a server launches and terminates with berth simulate member as its instance
provider; --fargate runs the --tasks there.

A service of more than 5,000 tasks needs a server that was started with a greater --tasks-per-service.`,
		Example: `  berth simulate --instances 100 --tasks 10000 --services 2
  berth simulate --instances 1000 --tasks 100000 --update --delete --output json
  berth simulate --instances 200 --tasks 20000 --services 100 --churn 20 --stay 1h
  berth simulate --pool /tmp/pool.sock
  berth simulate --fargate --tasks 10000 --task-cpu 256 --task-memory 512
  berth simulate --instances 50 --start-delay 2s --failure-rate 0.05 --disconnect-every 1m`,
		RunE: func(c *cobra.Command, _ []string) error {
			if o.pool != "" {
				return o.profiled(func() error { return o.servePool(c.Context(), c.ErrOrStderr()) })
			}
			return o.profiled(func() error { return o.run(c.Context(), c.OutOrStdout(), c.ErrOrStderr()) })
		},
	}
	c.AddCommand(simulateMemberCommand())
	f := c.Flags()
	dataFlag(c, &o.data)
	outputFlag(c, &o.output)
	f.StringVar(&o.pool, "pool", "", "serve simulated members of Fargate's pool at this unix socket, until Ctrl-C")
	f.BoolVar(&o.fargate, "fargate", false, "run the --tasks on Fargate, in the default VPC, without a fleet; give them a --task-cpu and --task-memory that Fargate has")
	f.StringVar(&o.server, "server", "", "control plane elsewhere, http://HOST:3270; its key is taken from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")
	f.StringVar(&o.region, "region", "us-east-1", "region, with --server")
	f.StringVar(&o.cluster, "cluster", "simulated", "cluster of the fleet; made where there is none")
	f.IntVar(&o.fleet.Instances, "instances", 100, "container instances")
	f.IntVar(&o.fleet.CPUUnits, "instance-cpu", 16384, "CPU units of each")
	f.IntVar(&o.fleet.MemoryMiB, "instance-memory", 65536, "MiB of each")
	f.DurationVar(&o.fleet.StartDelay, "start-delay", 0, "time from a payload to RUNNING")
	f.DurationVar(&o.fleet.StartSpread, "start-spread", 0, "up to so much more, at random")
	f.DurationVar(&o.fleet.StopDelay, "stop-delay", 0, "time from a stop to STOPPED")
	f.DurationVar(&o.fleet.Life, "life", 0, "a task ends by itself after about so long; 0 never")
	f.Float64Var(&o.fleet.FailureRate, "failure-rate", 0, "share of tasks that fail to start")
	f.Float64Var(&o.fleet.UnhealthyRate, "unhealthy-rate", 0, "share of tasks whose health check fails, with --health-check")
	f.DurationVar(&o.fleet.DisconnectEvery, "disconnect-every", 0, "each instance loses its connections about so often; 0 never")
	f.BoolVar(&o.fleet.Telemetry, "telemetry", true, "publish metrics and health as a real agent does")
	f.IntVar(&o.tasks, "tasks", 0, "tasks to run in services; 0: only the fleet")
	f.IntVar(&o.services, "services", 1, "services to spread them over")
	f.IntVar(&o.cpu, "task-cpu", 100, "CPU units of a task")
	f.IntVar(&o.memory, "task-memory", 128, "MiB of a task")
	f.StringVar(&o.role, "task-role", "", "ARN of a role that is the tasks' own and their execution role")
	f.BoolVar(&o.health, "health-check", false, "give the tasks a health check")
	f.BoolVar(&o.update, "update", false, "then roll the services to a new task definition")
	f.Float64Var(&o.churn, "churn", 0, "then replace so many tasks a second, for --stay or until Ctrl-C")
	f.DurationVar(&o.interval, "interval", time.Minute, "sum up the churn once in it")
	f.DurationVar(&o.stay, "stay", 0, "then stay for so long, idle where there is no --churn")
	f.BoolVar(&o.remove, "delete", false, "then delete the services")
	f.StringVar(&o.profile, "cpuprofile", "", "write a CPU profile of this process to a file")
	f.BoolVar(&o.verbose, "verbose", false, "log what the instances do")
	return c
}

func (o *simulateOptions) client() (*client, error) {
	if o.server == "" {
		return openClient(o.data)
	}
	key := accessKey{os.Getenv("AWS_ACCESS_KEY_ID"), os.Getenv("AWS_SECRET_ACCESS_KEY")}
	if key.AccessKeyID == "" {
		return nil, errors.New("--server needs AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment")
	}
	c := &client{endpoint: o.server, key: key}
	c.in.Region = o.region
	return c, nil
}

// profiled does what it is given, with a profile of the process where one is asked for.
func (o *simulateOptions) profiled(do func() error) error {
	if o.profile == "" {
		return do()
	}
	f, err := os.Create(o.profile)
	if err != nil {
		return fmt.Errorf("profile: %w", err)
	}
	defer f.Close()
	if err := pprof.StartCPUProfile(f); err != nil {
		return fmt.Errorf("profile: %w", err)
	}
	defer pprof.StopCPUProfile()
	return do()
}

// log has what the instances do logged, where that is asked for.
func (o *simulateOptions) log(progress io.Writer) {
	if o.verbose {
		o.fleet.Log = slog.New(slog.NewTextHandler(progress, nil))
	}
}

// run brings the fleet up, gives it work where there is some to give, and sums up.
func (o *simulateOptions) run(ctx context.Context, out, progress io.Writer) error {
	if o.churn < 0 || o.interval <= 0 || o.churn > 0 && o.tasks < o.services {
		return errors.New("--churn needs a rate, an --interval and at least one of --tasks for each of --services")
	}
	if o.fargate {
		o.fleet.Instances = 0
		if o.tasks == 0 || o.churn > 0 {
			return errors.New("--fargate needs --tasks, and does not go with --churn")
		}
	}
	c, err := o.client()
	if err != nil {
		return err
	}
	if err := simulate.EnsureCluster(ctx, c.ecs(), o.cluster); err != nil {
		return err
	}
	subnets, err := o.network(ctx, c)
	if err != nil {
		return err
	}
	load := &simulate.Load{
		API: c.ecs(), Cluster: o.cluster, Tasks: o.tasks, Services: max(1, o.services), Prefix: fmt.Sprintf("sim%d", time.Now().Unix()),
		CPU: o.cpu, MemoryMiB: o.memory, Health: o.health, Subnets: subnets, Role: o.role,
		Progress: func(phase string, done, of int, since time.Duration) {
			fmt.Fprintf(progress, "%s: %d of %d tasks after %s\n", phase, done, of, since.Round(100*time.Millisecond))
		},
	}
	o.fleet.Endpoint, o.fleet.Region, o.fleet.Cluster, o.fleet.Reported = c.endpoint, c.in.Region, o.cluster, load.Reported
	o.fleet.Join = func(ctx context.Context) (string, string, error) {
		j, err := c.joinCluster(ctx, o.cluster)
		return j.AccessKeyID, j.SecretAccessKey, err
	}
	o.log(progress)
	debug.SetGCPercent(400) // little lives long here
	churn := &simulate.Churn{Load: load, Rate: o.churn, Every: o.interval, Tell: func(i simulate.Interval) { tellInterval(progress, i) }}
	if o.churn > 0 {
		o.fleet.Called = churn.Called
	}
	fleet := simulate.New(o.fleet)
	churn.Fleet = fleet
	began := time.Now()
	if err := fleet.Register(ctx); err != nil {
		return fmt.Errorf("register the fleet: %w", err)
	}
	fmt.Fprintf(progress, "%d instances registered after %s\n", o.fleet.Instances, time.Since(began).Round(time.Millisecond))
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- fleet.Run(ctx) }()
	err = simulate.WaitConnected(ctx, fleet, o.fleet.Instances)
	fmt.Fprintf(progress, "%d sessions open after %s\n", fleet.Manifests.Load(), time.Since(began).Round(time.Millisecond))
	var did work
	switch {
	case err != nil:
	case o.tasks == 0:
		o.watch(ctx, fleet, progress)
	default:
		err = o.work(ctx, load, churn, &did)
	}
	cancel()
	if e := <-done; err == nil {
		err = e
	}
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		err = nil
	}
	return errors.Join(err, o.report(out, fleet, did))
}

// watch tells once in five seconds what the fleet does, until ctx ends.
func (o *simulateOptions) watch(ctx context.Context, f *simulate.Fleet, out io.Writer) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(5 * time.Second):
			fmt.Fprintf(out, "%d tasks, %d reports, %d disconnects, %d errors\n", f.Tasks.Load(), f.Reports.Load(), f.Disconnects.Load(), f.Errors.Load())
		}
	}
}

// work is what was done to a load.
type work struct {
	phases []simulate.Phase
	churn  []simulate.Interval
}

func (o *simulateOptions) work(ctx context.Context, l *simulate.Load, churn *simulate.Churn, did *work) error {
	var definitions [2]string
	for n := range definitions {
		d, err := l.Define(ctx, strconv.Itoa(n+1))
		if err != nil {
			return err
		}
		definitions[n] = d
	}
	add := func(p simulate.Phase, e error) error {
		did.phases = append(did.phases, p)
		return e
	}
	if err := add(l.Create(ctx, definitions[0])); err != nil {
		return err
	}
	if o.update {
		definitions[0], definitions[1] = definitions[1], definitions[0]
		if err := add(l.Update(ctx, definitions[0])); err != nil {
			return err
		}
	}
	switch {
	case o.churn > 0:
		churn.Definitions = definitions
		did.churn = churn.Run(ctx, o.stay)
	case o.stay > 0:
		select {
		case <-ctx.Done():
		case <-time.After(o.stay):
		}
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if o.remove {
		return add(l.Delete(ctx))
	}
	return nil
}

// summary is what --output json prints.
type summary struct {
	Instances   int                 `json:"instances"`
	Phases      []simulate.Phase    `json:"phases"`
	Churn       []simulate.Interval `json:"churn,omitempty"`
	Reports     int64               `json:"reports"`
	Payloads    int64               `json:"payloads"`
	Orders      int64               `json:"orders"`
	Repeated    int64               `json:"repeatedOrders"`
	Failed      int64               `json:"failedTasks"`
	Errors      int64               `json:"errors"`
	Throttled   int64               `json:"throttled"`
	Disconnects int64               `json:"disconnects"`
	Sessions    int64               `json:"sessionsOpened"`
}

func (o *simulateOptions) report(out io.Writer, f *simulate.Fleet, did work) error {
	s := summary{
		o.fleet.Instances, did.phases, did.churn, f.Reports.Load(), f.Payloads.Load(), f.Orders.Load(), f.Repeated.Load(), f.Failed.Load(), f.Errors.Load(),
		f.Throttled.Load(), f.Disconnects.Load(), f.Manifests.Load(),
	}
	if o.output == "json" {
		return json.NewEncoder(out).Encode(s)
	}
	ms := func(d time.Duration) string { return d.Round(time.Millisecond).String() }
	for _, p := range did.phases {
		fmt.Fprintf(out, "%s: %d tasks in %s (%.0f/s), steady after %s\n", p.Name, p.Tasks, ms(p.Took), p.Rate(), ms(p.Steady))
		if p.PerTask.Max > 0 {
			fmt.Fprintf(out, "  to RUNNING: p50 %s  p99 %s  max %s\n", ms(p.PerTask.P50), ms(p.PerTask.P99), ms(p.PerTask.Max))
		}
		fmt.Fprintf(out, "  API reads meanwhile (%d): p50 %s  p99 %s  max %s  %s\n", p.APICalls, ms(p.API.P50), ms(p.API.P99), ms(p.API.Max), p.APIError)
	}
	if len(did.churn) > 0 {
		churnTable(out, did.churn)
	}
	fmt.Fprintf(out, "%d instances: %d sessions, %d payloads with %d orders (%d repeated), %d reports, %d failed tasks, %d disconnects, %d errors, %d throttled\n",
		s.Instances, s.Sessions, s.Payloads, s.Orders, s.Repeated, s.Reports, s.Failed, s.Disconnects, s.Errors, s.Throttled)
	return nil
}
