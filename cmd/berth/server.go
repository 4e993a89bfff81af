package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"
	"golang.org/x/sys/unix"

	"berth/internal/access"
	"berth/internal/acs"
	berthapi "berth/internal/api/berth"
	ec2api "berth/internal/api/ec2"
	ecsapi "berth/internal/api/ecs"
	iamapi "berth/internal/api/iam"
	logsapi "berth/internal/api/logs"
	"berth/internal/api/secretsmanager"
	"berth/internal/api/ssm"
	"berth/internal/api/sts"
	"berth/internal/apierr"
	"berth/internal/arn"
	"berth/internal/controller"
	"berth/internal/ecs"
	"berth/internal/frontdoor"
	"berth/internal/logstore"
	"berth/internal/metrics"
	"berth/internal/relay"
	"berth/internal/seal"
	"berth/internal/state"
	"berth/internal/state/etcd"
)

// serverOptions are the flags of a control-plane replica.
type serverOptions struct {
	data, listen, account, region, auth string
	etcd                                []string
	etcdCA, etcdCert, etcdKey           string
	etcdMaintain, etcdSocket            bool
	advertise                           string
	tlsCert, tlsKey                     string
	lostAfter, keepStopped              time.Duration
	pprof                               bool
	verbose                             bool
	limits
	observeOptions
	pool                    poolOptions
	clusterInit, drain      bool
	join, token, peerListen string
	said                    func(flag string) bool // whether a flag was given
}

func serverCommand() *cobra.Command {
	o := serverOptions{limits: defaultLimits(), pool: defaultPool()}
	c := &cobra.Command{
		Use: "server", Short: "Run one replica of the control plane", Args: cobra.NoArgs,
		Long: `Run one replica of the control plane: the AWS APIs, the agents' sessions and the controllers, on one address.

Without --etcd the state is kept by an etcd inside this process, in the data directory; it listens nowhere. Three such replicas form a cluster:
the first is started with --cluster-init, the others with --join and a token of the first. A member starts again without these flags.`,
		Example: "  berth server --cluster-init --listen 10.0.0.1:3270\n  berth server members token\n  berth server --join https://10.0.0.1:3270 --token bmt-... --listen 10.0.0.2:3270\n  berth server --drain",
		RunE: func(c *cobra.Command, _ []string) error {
			if o.drain {
				return runDrain(c, o.data)
			}
			if o.keepStopped < time.Minute {
				return fmt.Errorf("--keep-stopped %s is too short: clients that wait for a task look at it after it has stopped; a minute is the least", o.keepStopped)
			}
			o.said = c.Flags().Changed
			return runServer(c.Context(), o)
		},
	}
	c.AddCommand(membersCommand())
	f := c.Flags()
	dataFlag(c, &o.data)
	f.StringVar(&o.listen, "listen", "127.0.0.1:3270", "address of the one listener")
	f.StringVar(&o.advertise, "advertise", "", "address that other replicas reach this one at (default: --listen)")
	f.BoolVar(&o.clusterInit, "cluster-init", false, "begin a cluster of replicas that keep the state themselves, with the state that is here")
	f.StringVar(&o.join, "join", "", "address of a replica whose cluster this one joins, https://HOST:PORT")
	f.StringVar(&o.token, "token", "", "one-time token to join with; berth server members token makes one")
	f.StringVar(&o.peerListen, "peer-listen", "", "IP:PORT on which a cluster's members reach each other's state (default: --listen, the next port)")
	f.BoolVar(&o.drain, "drain", false, "let the running server of --data hand over to another replica, then stop it")
	f.StringVar(&o.account, "account", "000000000000", "account of the administrator")
	f.StringVar(&o.region, "region", "us-east-1", "default region")
	f.StringVar(&o.auth, "auth", "iam", "iam verifies every caller; dev takes any key as the administrator's")
	f.StringSliceVar(&o.etcd, "etcd", nil, "endpoints of an external etcd cluster")
	f.StringVar(&o.etcdCA, "etcd-ca", "", "authority's certificate file of the external etcd")
	f.StringVar(&o.etcdCert, "etcd-cert", "", "certificate file to show the external etcd")
	f.StringVar(&o.etcdKey, "etcd-key", "", "key file of --etcd-cert")
	f.BoolVar(&o.etcdMaintain, "etcd-maintain", false, "compact and defragment the external etcd")
	f.BoolVar(&o.etcdSocket, "etcd-socket", false, "open a unix socket in the data directory for etcdctl")
	f.StringVar(&o.tlsCert, "tls-cert", "", "certificate file: serve HTTPS")
	f.StringVar(&o.tlsKey, "tls-key", "", "key file of --tls-cert")
	f.DurationVar(&o.lostAfter, "instance-lost-after", 5*time.Minute, "deregister a container instance that has no session for so long; 0 never")
	f.DurationVar(&o.keepStopped, "keep-stopped", controller.KeepStopped, "show tasks for so long after they have stopped, at least a minute; ECS: an hour")
	o.limitFlags(f)
	o.pool.flags(f)
	f.BoolVar(&o.pprof, "pprof", false, "serve /debug/pprof to this machine")
	f.BoolVar(&o.verbose, "verbose", false, "log more")
	o.observeFlags(f)
	return c
}

// server is one replica, put together.
type server struct {
	options   serverOptions
	data      dataDir
	log       *slog.Logger
	backend   *etcd.Backend
	store     *state.Store
	keys      *access.Keys
	hub       *acs.Hub
	services  *controller.Services
	instances *controller.Instances
	sweep     *controller.Sweep
	pool      *controller.Pool
	secrets   *secretsmanager.API
	streams   *logstore.Store
	relay     *relay.Relay
	logs      *logsapi.API

	identities *iamapi.API
	uses       iamapi.Uses
	images     images
	observed
	front       front
	door        *frontdoor.Door
	connections connections
	forwarder   *forwarder
	trust       atomic.Pointer[trust] // nil before the authority is known
	replica     replica
	key         seal.Key
	auth        frontdoor.Auth
	loops       loops
	draining    atomic.Bool
	http        *http.Server
	ready       chan struct{} // closed once the administrator and the default cluster exist
}

func (s *server) build(keys *access.Keys) (err error) {
	s.metrics = newMetrics()
	s.store = state.New(state.Config{
		Backend: s.backend, Address: s.url(), Lead: s.lead, Admit: s.admit, Observe: s.metrics.Commit, Log: s.log,
	})
	keys.State = s.store
	s.keys = keys
	s.hub = acs.New(acs.Config{Log: s.log})
	s.instances = &controller.Instances{State: s.store, Hub: s.hub, Log: s.log, LostAfter: s.options.lostAfter, Vend: s.vend}
	s.hub.Control = s.instances
	s.services = &controller.Services{State: s.store, Log: s.log, Assume: s.assume, MayAttach: s.mayAttach}
	s.sweep = &controller.Sweep{State: s.store, KeepStopped: s.options.keepStopped, Log: s.log}
	s.identities = iamapi.New(iamapi.Config{State: s.store, Seal: s.key})
	s.secrets = secretsmanager.New(secretsmanager.Config{State: s.store, Seal: s.key})
	s.logs = logsapi.New(logsapi.Config{State: s.store, Streams: s.streams, Groups: s.streams, Log: s.log})
	s.relay = relay.New(relay.Config{Tell: s.hub.Exec, Ended: logSessions(s.logs.Service(), s.taskPrincipal, s.log), Log: s.log})
	s.forwarder = newForwarder(&forwarder{backend: s.backend, name: s.replica.Name, leading: s.store.Leading, trust: &s.trust, log: s.log})
	if err := s.openImages(); err != nil {
		return err
	}
	s.pool, err = s.newPool()
	return err
}

func (s *server) scheme() string {
	if s.options.tlsCert != "" {
		return "https"
	}
	return "http"
}

// lead runs what only the leader does.
func (s *server) lead(ctx context.Context) error {
	if err := s.bootstrapInTime(ctx); err != nil {
		return err
	}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return s.loops.run(ctx, "the agents' sessions", s.hub.Run) })
	g.Go(func() error { return s.loops.run(ctx, "container instances", s.instances.Run) })
	g.Go(func() error { return s.loops.run(ctx, "services", s.services.Run) })
	g.Go(func() error { return s.loops.run(ctx, "the sweep", s.sweep.Run) })
	g.Go(func() error { return s.loops.run(ctx, "the Fargate pool", s.pool.Run) })
	g.Go(func() error { return s.loops.run(ctx, "sessions in containers", s.relay.Run) })
	g.Go(func() error {
		return s.loops.run(ctx, "deleted secrets", s.every(time.Minute, "deleted secrets are not removed", s.secrets.Sweep))
	})
	g.Go(func() error {
		return s.loops.run(ctx, "old logs", s.every(5*time.Minute, "old logs are not removed", s.logs.Sweep))
	})
	g.Go(func() error {
		return s.loops.run(ctx, "old images", s.every(30*time.Minute, "old images are not removed", s.images.ecr.Sweep))
	})
	g.Go(func() error {
		return s.loops.run(ctx, "last uses", s.every(time.Minute, "uses of keys and roles are not written down", s.writeUses))
	})
	if s.provisioned != nil {
		g.Go(func() error { return s.loops.run(ctx, "what ECS does to network interfaces", s.provisioned.Run) })
	}
	if s.tracer != nil {
		g.Go(func() error { return s.loops.run(ctx, "traces", s.tracer.Run) })
	}
	return g.Wait()
}

// every is a loop that sweeps now and then. What fails is tried again the next time.
func (s *server) every(d time.Duration, failure string, sweep func(context.Context) error) func(context.Context) error {
	return func(ctx context.Context) error {
		tick := time.NewTicker(d)
		defer tick.Stop()
		for {
			if err := sweep(ctx); err != nil && ctx.Err() == nil {
				s.log.Warn(failure, "err", err)
			}
			select {
			case <-ctx.Done():
				return nil
			case <-tick.C:
			}
		}
	}
}

// bootstrapInTime tries until there is room for it: a leader that was started on a full disk goes on as soon as there is some.
func (s *server) bootstrapInTime(ctx context.Context) error {
	for {
		err := s.bootstrap(ctx)
		if !errors.Is(err, state.ErrNoSpace) && !errors.Is(err, unix.ENOSPC) {
			return err
		}
		s.log.Warn("this replica leads and waits for room", "err", err)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(3 * time.Second): // the disk is measured as often
		}
	}
}

// bootstrap makes what every installation has: the administrator's key and the default cluster.
func (s *server) bootstrap(ctx context.Context) error {
	id, secret, err := s.keys.EnsureAdministrator(ctx, s.options.account)
	if err != nil {
		return err
	}
	if err := s.data.save("credentials.json", accessKey{id, secret}); err != nil {
		return err
	}
	if err := s.keys.EnsureInstanceRole(ctx, s.options.account); err != nil {
		return fmt.Errorf("make the role of container instances: %w", err)
	}
	if err := s.keys.EnsureLinkedRoles(ctx, s.options.account); err != nil {
		return fmt.Errorf("make the service-linked role of ECS: %w", err)
	}
	if err := controller.NoteRestore(ctx, s.store); err != nil {
		return fmt.Errorf("note a restore: %w", err)
	}
	scope := arn.Scope{Region: s.options.region, Account: s.options.account}
	err = s.store.Update(ctx, func(tx *state.Tx) error {
		if tx.Clusters.Get(scope.Cluster("default")) == nil {
			tx.Put(&ecs.Cluster{ClusterArn: scope.Cluster("default"), Status: ecs.Active, CreatedAt: time.Now().UTC().Truncate(time.Millisecond)})
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("make the default cluster: %w", err)
	}
	select {
	case <-s.ready:
	default:
		close(s.ready)
	}
	return nil
}

// admit refuses every write when the disk is nearly full.
func (s *server) admit() error {
	if free, level := s.backend.Space(); level == etcd.Critical {
		return apierr.Unavailable("Only %d MiB are free where Berth keeps its data. It writes nothing until there is more space.", free>>20).Because(state.ErrNoSpace)
	}
	return nil
}

// roomForMore refuses new work when the disk is rather full; reports and deletions go on.
func (s *server) roomForMore() error {
	if free, level := s.backend.Space(); level != etcd.OK {
		return apierr.Unavailable("Only %d MiB are free where Berth keeps its data. It takes no new work until there is more space.", free>>20).Because(state.ErrNoSpace)
	}
	return nil
}

func (s *server) handler() (http.Handler, error) {
	var err error
	if s.auth, err = frontdoor.ParseAuth(s.options.auth); err != nil {
		return nil, err
	}
	if err := s.observe(); err != nil {
		return nil, err
	}
	api := ecsapi.New(ecsapi.Config{State: s.store, Assume: s.assume, MayAttach: s.mayAttach, Sessions: s.relay, MayExec: s.mayExec, Quotas: s.options.all(), Placed: s.metrics.Placement})
	network := ec2api.New(ec2api.Config{State: s.store})
	own := &berthapi.API{State: s.store, Keys: s.keys, Replicas: replicas{s}, Quotas: s.options.all()}
	s.door = frontdoor.New(frontdoor.Config{
		Services: []frontdoor.Service{s.guarded(api.Service()), s.guarded(network.Service()), s.guarded(own.Service()), sts.New(s.keys).Service(),
			s.guarded(s.identities.Service()), s.guarded(s.secrets.Service()),
			s.guarded(ssm.New(ssm.Config{State: s.store, Seal: s.key, Sessions: api, Access: s.keys}).Service()), s.guarded(s.logs.Service()), s.guarded(s.images.ecr.Service()), s.history()},
		Sockets: s.sockets(),
		Keys:    s.findKey,
		Auth:    s.auth, DevPrincipal: access.Admin(s.options.account), Region: s.options.region, Account: s.options.account,
		Forward: s.forward, Ready: s.admitRequest, Other: s.other(), Observe: s.metrics.Requests.Observe, Audit: s.audit, Log: s.log,
		Limits: frontdoor.Limits{Rate: s.options.apiRate},
	})
	s.metrics.AskDoor(metrics.Door{Load: s.door.Load, Connections: s.connections.load})
	all := withImages(withSessions(s.door, s.relay, s.forward), s.images.registry, s.forward)
	s.forwarder.serve, s.forwarder.refuse = all, s.refuse
	return s.metrics.Requests.InFlight(all, "/acs/ws", "/tcs/ws", snapshotPath, eventsPath, auditPath), nil
}

func (s *server) sockets() []frontdoor.Socket {
	return append(ecsapi.Sockets(s.store, s.hub),
		channelSocket(s.relay),
		frontdoor.Socket{Path: snapshotPath, Service: "berth", Action: "berth:SaveSnapshot", Serve: s.saveSnapshot},
		frontdoor.Socket{Path: eventsPath, Service: "berth", Action: "berth:StreamEvents", ReadOnly: true, Serve: s.stream.ServeHTTP},
		s.auditSocket(),
	)
}

// admitRequest waits until this replica can answer: a read needs a fresh view, a write the leader.
func (s *server) admitRequest(ctx context.Context, readOnly bool) error {
	if readOnly {
		ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
		defer cancel()
		if err := s.store.Fresh(ctx); err != nil {
			return apierr.Unavailable("The store of this replica does not answer, so it cannot tell what is up to date. Try again, or ask another replica.").Because(err)
		}
		return nil
	}
	if !s.store.Leading() {
		return leaderless().Because(fmt.Errorf("%w: %w", frontdoor.ErrElsewhere, state.ErrNotRun))
	}
	return nil
}

// other answers what is no AWS request.
func (s *server) other() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", s.healthz)
	mux.HandleFunc("GET /readyz", s.readyz)
	mux.HandleFunc("POST "+berthapi.JoinPath, s.join)
	mux.HandleFunc("POST "+membersPath, s.admitMember)
	mux.Handle("GET /metrics", s.metrics.Handler(s.options.metricsOpen))
	if s.options.pprof {
		addPprof(mux)
	}
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintln(w, "This is Berth: Amazon ECS on your own machines. Point an AWS client here; `berth env` tells how.")
	})
	return mux
}
