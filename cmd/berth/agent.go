package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"os"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"berth/internal/agent"
	"berth/internal/agent/docker"
	"berth/internal/agent/endpoint"
	"berth/internal/agent/machine"
	"berth/internal/agent/redirect"
	"berth/internal/agent/statefile"
	berthapi "berth/internal/api/berth"
	"berth/internal/sdkhttp"
	"berth/internal/vpc"
)

// agentOptions are the flags of a machine's agent.
type agentOptions struct {
	data, token, activation, cluster, name, zone, hostAddress, docker, runtime string
	member, underlay                                                           string
	servers                                                                    []string
	cpu, memory                                                                int64
	underlayPort                                                               int
	gpus                                                                       []string
	external, local, verbose                                                   bool
	cleanUpAfter                                                               time.Duration
	s3Options
	metadata metadataOptions
}

func agentCommand() *cobra.Command {
	var o agentOptions
	c := &cobra.Command{
		Use: "agent", Short: "Make this machine a container instance of a cluster", Args: cobra.NoArgs,
		Long: `Make this machine a container instance of a cluster. The first time it takes a token, which the control plane makes with berth token;
afterwards the machine has a key of its own. In place of a token it takes an activation of aws ssm create-activation, as ECS Anywhere's machines
do: then it is an external instance, and has credentials of the activation's role, which it renews.

A control plane of several replicas is named with all their addresses: the agent uses one, and goes on with another one when that is gone.
Addresses that are given later replace those that the machine remembers.`,
		Example: `  berth agent --server http://10.0.0.1:3270 --token bjt-...
  berth agent --server http://10.0.0.1:3270 --activation 9bcbc5c5-...:FJZ3SZFS... --cluster edge
  berth agent --server http://10.0.0.1:3270,http://10.0.0.2:3270,http://10.0.0.3:3270`,
		RunE: func(c *cobra.Command, _ []string) error { return runAgent(c.Context(), o) },
	}
	f := c.Flags()
	dataFlag(c, &o.data)
	f.StringSliceVar(&o.servers, "server", nil, "address of the control plane, http://HOST:PORT; of each replica, separated by commas or with a flag for each")
	f.StringVar(&o.token, "token", "", "one-time token to join with")
	f.StringVar(&o.activation, "activation", "", "activation to join with, ID:CODE as aws ssm create-activation answers, in place of a token (ECS Anywhere); the machine has its role, and is an external instance")
	f.StringVar(&o.cluster, "cluster", "", "with --activation, the cluster to join (default: default); a token is for one")
	f.StringVar(&o.name, "name", "instance-1", "local name of the container instance")
	f.StringVar(&o.zone, "zone", "", "availability zone of this machine")
	f.BoolVar(&o.external, "external", false, "join as an external instance (ECS Anywhere): for tasks of launch type EXTERNAL, and in no availability zone")
	f.StringVar(&o.member, "member", os.Getenv("BERTH_MEMBER_ID"), "id under which an instance provider launched this member of the Fargate pool (default: $BERTH_MEMBER_ID)")
	f.StringVar(&o.underlay, "underlay-address", "", "address of this machine that other machines of the cluster reach, for the network between tasks (VXLAN); "+
		"default: tasks reach only those on this machine")
	f.IntVar(&o.underlayPort, "underlay-port", 4789, "UDP port of that network, the same on all machines; installations that share machines need different ones")
	f.StringVar(&o.hostAddress, "host-address", "", "address of this machine that host ports are bound to (default: all)")
	f.Int64Var(&o.cpu, "cpu", 0, "CPU units to offer (default: the machine's)")
	f.Int64Var(&o.memory, "memory", 0, "MiB to offer (default: the machine's, less what the system needs)")
	f.StringSliceVar(&o.gpus, "gpus", nil, "ids of the NVIDIA GPUs to offer, as nvidia-smi -L lists them (GPU-...)")
	f.StringVar(&o.docker, "docker", "", "the container engine's address (default: the local socket)")
	f.StringVar(&o.runtime, "runtime", "", "the engine's runtime for containers of Fargate tasks, remembered: runsc, kata, ... (default: the engine's)")
	f.DurationVar(&o.cleanUpAfter, "clean-up-after", 3*time.Hour, "how long stopped containers stay; of Fargate tasks a minute at most")
	o.s3Flags(f)
	o.metadata.flags(f)
	f.BoolVar(&o.verbose, "verbose", false, "log more")
	f.BoolVar(&o.local, "local", false, "run the local instances of berth up")
	if err := f.MarkHidden("local"); err != nil {
		panic(err)
	}
	return c
}

func runAgent(ctx context.Context, o agentOptions) error {
	level := slog.LevelInfo
	if o.verbose {
		level = slog.LevelDebug
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: level}))
	if err := errors.Join(o.checkS3(), o.metadata.check()); err != nil {
		return err
	}
	d, err := openData(o.data)
	if err != nil {
		return err
	}
	release, err := d.own("agent")
	if err != nil {
		return err
	}
	defer release()
	config, list, err := o.config(ctx, d)
	if err != nil {
		return err
	}
	free, err := onlyAgent(ctx, config.Installation, onlyPatience, log)
	if err != nil {
		return err
	}
	defer free()
	keeper, err := o.network(&config, log)
	if err != nil {
		return err
	}
	defer keeper.Close() //nolint:errcheck // what is in the kernel stays
	engine, err := docker.Open(o.docker, config.Installation)
	if err != nil {
		return fmt.Errorf("container engine: %w", err)
	}
	ledger, err := statefile.Open(d.path("agent"))
	if err != nil {
		return err
	}
	defer ledger.Close()
	config.Engine, config.Ledger, config.Log, config.Version = engine.Seam(), ledger, log, version
	config.CleanUpAfter, config.HTTPClient = o.cleanUpAfter, agentClient()
	equip(&config, engine, d.path("routers"))
	config.Names = machine.Names{Dir: d.path("names")}
	config.Storage = taskStorage(engine, log)
	warnOfNeighbours(log)
	groups, err := machine.OpenGroups("/sys/fs/cgroup", config.Installation, func(ctx context.Context) (string, error) {
		m, err := config.Engine.Machine(ctx)
		return m.CgroupDriver, err
	})
	if err != nil {
		log.Warn("tasks have no control groups of their own, and so no limits of their own", "err", err)
	} else {
		config.Groups = groups
	}
	table := redirect.New(config.Installation, log)
	executor := &executor{}
	machines := managedKeys(&config, list, executor.endpoint)
	front := containerFront(d, engine, table, o.metadata.service(executor, table), log)
	config.Front, config.IMDS, config.InstanceRoles = front, o.metadata.blocks(), executor.roles(&config)
	serveSessions(&config, engine, log)
	config.Logs = executor.logs(&config, engine, log)
	config.Secrets, config.Registries = executor.secrets(&config), executor.registries(&config)
	if config.EnvironmentFiles, err = executor.environmentFiles(&config, o.s3Options); err != nil {
		return err
	}
	a, err := agent.New(config)
	if err != nil {
		return err
	}
	executor.agent.Store(a)
	log.Info("agent running", "instances", len(config.Instances), "endpoints", config.Endpoints)
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return front.Run(ctx, endpoint.Handler(a, table)) })
	g.Go(func() error { return a.Run(ctx) })
	for _, m := range machines {
		g.Go(func() error { m.describe(ctx, log); return nil })
	}
	if o.local {
		g.Go(func() error { return serveMembers(ctx, d, a, log) })
	}
	return g.Wait()
}

// agentClient gives a replica that does not accept connections up soon, because there may be others.
func agentClient() *http.Client {
	return sdkhttp.Client(&http.Transport{
		Proxy: http.ProxyFromEnvironment, DialContext: (&net.Dialer{Timeout: 5 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		TLSHandshakeTimeout: 10 * time.Second, MaxIdleConnsPerHost: 10, IdleConnTimeout: 90 * time.Second,
	})
}

// warnOfNeighbours names another agent that uses the ports of the official one.
func warnOfNeighbours(log *slog.Logger) {
	found, err := machine.Neighbours("/proc", 51678, 51679)
	if err != nil {
		log.Debug("who else listens on this machine is not known", "err", err)
	}
	for _, n := range found {
		log.Warn("another agent seems to run on this machine", "who", n)
	}
}

// config is what the agent runs: the local instances of `berth up`, or one instance that has joined.
func (o *agentOptions) config(ctx context.Context, d dataDir) (agent.Config, []localInstance, error) {
	in, err := d.load()
	if err != nil {
		return agent.Config{}, nil, err
	}
	var list []localInstance
	err = d.read("instances.json", &list)
	switch {
	case o.local && err != nil:
		return agent.Config{}, nil, fmt.Errorf("local instances: %w", err)
	case o.local:
		members, err := localMembers(d)
		list = append(list, members...)
		return agentConfig(in, []string{"http://" + in.Listen}, list), list, err
	}
	if err := o.checkServers(); err != nil {
		return agent.Config{}, nil, err
	}
	switch {
	case err != nil || o.token != "" || o.activation != "" && !o.activated(list):
		list, err = o.joinCluster(ctx, d, &in)
	case len(o.servers) > 0:
		in.Listen, in.Servers = o.servers[0], o.servers
		err = d.save("berth.json", in)
	}
	if err != nil {
		return agent.Config{}, nil, err
	}
	if len(list) == 0 || in.Listen == "" {
		return agent.Config{}, nil, errors.New("this machine has not joined a cluster yet; give --server and --token, or --activation")
	}
	if err := o.keepGiven(d, list); err != nil {
		return agent.Config{}, nil, err
	}
	return agentConfig(in, in.servers(), list), list, nil
}

// keepGiven has the machine's instances take what was given now, and remembers it.
func (o *agentOptions) keepGiven(d dataDir, list []localInstance) error {
	changed := false
	for n := range list {
		changed = o.takeRuntime(&list[n]) || changed
		changed = o.takeCluster(&list[n]) || changed
	}
	if !changed {
		return nil
	}
	return d.save("instances.json", list)
}

func (o *agentOptions) checkServers() error {
	for _, s := range o.servers {
		if u, err := url.Parse(s); err != nil || u.Host == "" {
			return fmt.Errorf("--server %q is not an address like http://10.0.0.1:3270", s)
		}
	}
	return nil
}

// joinCluster trades the token or the activation for what the machine signs with, and writes down where it belongs.
func (o *agentOptions) joinCluster(ctx context.Context, d dataDir, in *installation) ([]localInstance, error) {
	switch {
	case o.token == "" && o.activation == "" || len(o.servers) == 0:
		return nil, errors.New("this machine has not joined a cluster yet; give --server and --token (made by `berth token` on the control plane), or --activation (of `aws ssm create-activation`)")
	case o.token != "" && o.activation != "":
		return nil, errors.New("--token and --activation are two ways to join: give one of them")
	case o.cluster != "" && o.activation == "":
		return nil, errors.New("--cluster goes with --activation: a token is for one cluster")
	case o.zone != "" && o.activation != "":
		return nil, errors.New("--zone does not go with --activation: external instances are in no availability zone")
	}
	join := o.trade
	if o.activation != "" {
		join = o.activate
	}
	i, region, err := join(ctx)
	if err != nil {
		return nil, err
	}
	cpu, mib, err := machineSize()
	if err != nil {
		return nil, err
	}
	i.CPUUnits, i.MemoryMiB = cmp.Or(o.cpu, cpu), cmp.Or(o.memory, mib)
	in.Region = region
	if i.Zone = o.zone; i.Zone == "" && !i.External {
		i.Zone = vpc.Zones(in.Region)[0]
	}
	i.Name, i.HostAddress, i.GPUs, i.Runtime, i.Member = o.name, o.hostAddress, o.gpus, o.runtime, o.member
	list := []localInstance{*i}
	in.Listen, in.Servers = o.servers[0], o.servers
	if err := d.save("berth.json", *in); err != nil {
		return nil, err
	}
	return list, d.save("instances.json", list)
}

// tradeTime bounds a try to join at one replica.
const tradeTime = 30 * time.Second

// trade gets the machine's key for its token, at any replica that can do it now. A token is spent at most once, wherever it is shown.
func (o *agentOptions) trade(ctx context.Context) (i *localInstance, region string, err error) {
	var key berthapi.Joined
	err = o.anywhere(ctx, func(ctx context.Context, server string) (again bool, err error) {
		key, err = berthapi.Trade(ctx, server, o.token)
		return errors.Is(err, berthapi.ErrUnavailable), err
	})
	if err != nil {
		return nil, "", err
	}
	return &localInstance{Cluster: key.Cluster, External: o.external, AccessKey: key.AccessKeyID, SecretKey: key.SecretAccessKey}, key.Region, nil
}

// anywhere tries something at one replica after the other, in an order that is drawn, until it succeeds or another replica could not do it either.
func (o *agentOptions) anywhere(ctx context.Context, try func(ctx context.Context, server string) (again bool, err error)) error {
	var failures []error
	for _, n := range rand.Perm(len(o.servers)) {
		ctx, cancel := context.WithTimeout(ctx, tradeTime)
		again, err := try(ctx, o.servers[n])
		cancel()
		if err == nil {
			return nil
		}
		failures = append(failures, fmt.Errorf("%s: %w", o.servers[n], err))
		if !again {
			break
		}
	}
	return errors.Join(failures...)
}

func agentConfig(in installation, endpoints []string, list []localInstance) agent.Config {
	c := agent.Config{Installation: in.ID, Endpoints: endpoints, Region: in.Region}
	for _, i := range list {
		c.Instances = append(c.Instances, i.config())
	}
	return c
}

func (i localInstance) config() agent.InstanceConfig {
	return agent.InstanceConfig{
		Name: i.Name, Cluster: i.Cluster, HostAddress: i.HostAddress, CPUUnits: i.CPUUnits, MemoryMiB: i.MemoryMiB, Zone: i.Zone,
		External: i.External, GPUs: i.GPUs, Member: i.Member, Runtime: i.Runtime, AccessKey: i.AccessKey, SecretKey: i.SecretKey,
	}
}
