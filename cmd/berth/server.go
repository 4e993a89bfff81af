package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"runtime/debug"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"berth/internal/access"
	"berth/internal/acs"
	berthapi "berth/internal/api/berth"
	ecsapi "berth/internal/api/ecs"
	"berth/internal/api/sts"
	"berth/internal/apierr"
	"berth/internal/arn"
	"berth/internal/controller"
	"berth/internal/ecs"
	"berth/internal/frontdoor"
	"berth/internal/state"
	"berth/internal/state/etcd"
)

// serverOptions are the flags of a control-plane replica.
type serverOptions struct {
	data, listen, account, region, auth string
	etcd                                []string
	etcdMaintain, etcdSocket            bool
	advertise                           string
	tlsCert, tlsKey                     string
	lostAfter                           time.Duration
	pprof                               bool
	tasksPerService                     int
	verbose                             bool
	observeOptions
}

func serverCommand() *cobra.Command {
	var o serverOptions
	c := &cobra.Command{
		Use: "server", Short: "Run one replica of the control plane", Args: cobra.NoArgs,
		Long: `Run one replica of the control plane: the AWS APIs, the agents' sessions and the controllers, on one address.

Without --etcd the state is kept by an etcd inside this process, in the data directory; it listens nowhere.`,
		RunE: func(c *cobra.Command, _ []string) error { return runServer(c.Context(), o) },
	}
	f := c.Flags()
	dataFlag(c, &o.data)
	f.StringVar(&o.listen, "listen", "127.0.0.1:3270", "address of the one listener")
	f.StringVar(&o.advertise, "advertise", "", "address that other replicas reach this one at (default: --listen)")
	f.StringVar(&o.account, "account", "000000000000", "account of the administrator")
	f.StringVar(&o.region, "region", "us-east-1", "default region")
	f.StringVar(&o.auth, "auth", "iam", "iam verifies every caller; dev takes any key as the administrator's")
	f.StringSliceVar(&o.etcd, "etcd", nil, "endpoints of an external etcd cluster")
	f.BoolVar(&o.etcdMaintain, "etcd-maintain", false, "compact and defragment the external etcd")
	f.BoolVar(&o.etcdSocket, "etcd-socket", false, "open a unix socket in the data directory for etcdctl")
	f.StringVar(&o.tlsCert, "tls-cert", "", "certificate file: serve HTTPS")
	f.StringVar(&o.tlsKey, "tls-key", "", "key file of --tls-cert")
	f.DurationVar(&o.lostAfter, "instance-lost-after", 5*time.Minute, "deregister a container instance that has no session for so long; 0 never")
	f.IntVar(&o.tasksPerService, "tasks-per-service", 5000, "quota: the greatest desired count of a service")
	f.BoolVar(&o.pprof, "pprof", false, "serve /debug/pprof to this machine")
	f.BoolVar(&o.verbose, "verbose", false, "log more")
	o.observeFlags(f)
	return c
}

// gcPercent trades memory for the collector's time. The records live long; what requests leave behind does not.
const gcPercent = 250

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
	observed
	ready chan struct{} // closed once the administrator and the default cluster exist
}

func runServer(ctx context.Context, o serverOptions) error {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	s, release, err := openServer(ctx, o)
	if err != nil {
		return err
	}
	defer release()
	listener, err := s.listen()
	if err != nil {
		return err
	}
	handler, err := s.handler()
	if err != nil {
		return err
	}
	h := &http.Server{Handler: handler, ReadHeaderTimeout: 30 * time.Second, IdleTimeout: 10 * time.Minute, ErrorLog: slog.NewLogLogger(s.log.Handler(), slog.LevelDebug)}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return s.store.Run(ctx) })
	g.Go(func() error { return s.observed.run(ctx) })
	g.Go(func() error {
		if err := h.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			return fmt.Errorf("serve: %w", err)
		}
		return nil
	})
	g.Go(func() error {
		<-ctx.Done()
		grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), 3*time.Second)
		defer cancel()
		if err := h.Shutdown(grace); err != nil {
			h.Close()
		}
		return nil
	})
	s.log.Info("serving", "address", o.listen, "version", version)
	return g.Wait()
}

// openServer constructs a replica; release closes what it opened.
func openServer(ctx context.Context, o serverOptions) (*server, func(), error) {
	log, err := o.logger(os.Stderr, o.verbose)
	if err != nil {
		return nil, nil, err
	}
	s := &server{options: o, log: log, ready: make(chan struct{})}
	if s.data, err = openData(o.data); err != nil {
		return nil, nil, err
	}
	unlock, err := s.data.own("server")
	if err != nil {
		return nil, nil, err
	}
	key, err := s.data.key()
	if err != nil {
		unlock()
		return nil, nil, err
	}
	if s.backend, err = etcd.Open(ctx, s.etcdConfig()); err != nil {
		unlock()
		return nil, nil, fmt.Errorf("open the store: %w", err)
	}
	s.build(&access.Keys{Seal: key})
	return s, func() {
		if err := s.backend.Close(); err != nil {
			s.log.Warn("close the store", "err", err)
		}
		unlock()
	}, nil
}

func (s *server) etcdConfig() etcd.Config {
	c := etcd.Config{Endpoints: s.options.etcd, Maintain: s.options.etcdMaintain, Log: s.log}
	if len(c.Endpoints) == 0 {
		c.Dir = s.data.path("etcd")
		if s.options.etcdSocket {
			c.Socket = s.data.path("etcd.sock")
		}
	}
	return c
}

func (s *server) build(keys *access.Keys) {
	address := s.options.advertise
	if address == "" {
		address = s.options.listen
	}
	s.metrics = newMetrics()
	s.store = state.New(state.Config{
		Backend: s.backend, Address: s.scheme() + "://" + address, Lead: s.lead, Admit: s.admit, Observe: s.metrics.Commit, Log: s.log,
	})
	keys.State = s.store
	s.keys = keys
	s.hub = acs.New(acs.Config{Log: s.log})
	s.instances = &controller.Instances{State: s.store, Hub: s.hub, Log: s.log, LostAfter: s.options.lostAfter}
	s.hub.Control = s.instances
	s.services = &controller.Services{State: s.store, Log: s.log}
	s.sweep = &controller.Sweep{State: s.store, Log: s.log}
	s.observe()
}

func (s *server) scheme() string {
	if s.options.tlsCert != "" {
		return "https"
	}
	return "http"
}

// lead runs what only the leader does.
func (s *server) lead(ctx context.Context) error {
	if err := s.bootstrap(ctx); err != nil {
		return err
	}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return s.hub.Run(ctx) })
	g.Go(func() error { return s.instances.Run(ctx) })
	g.Go(func() error { return s.services.Run(ctx) })
	g.Go(func() error { return s.sweep.Run(ctx) })
	return g.Wait()
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

// growing are the operations that make more records.
var growing = map[string]bool{
	"CreateCluster": true, "RegisterTaskDefinition": true, "CreateService": true, "UpdateService": true, "RunTask": true, "StartTask": true,
	"RegisterContainerInstance": true, "TagResource": true, "CreateJoinToken": true,
}

func (s *server) guarded(t frontdoor.Service) frontdoor.Service {
	for i := range t.Operations {
		o := &t.Operations[i]
		if call := o.Call; growing[o.Name] {
			o.Call = func(ctx context.Context, r *frontdoor.Request, in any) (any, error) {
				if err := s.roomForMore(); err != nil {
					return nil, err
				}
				return call(ctx, r, in)
			}
		}
	}
	return t
}

func (s *server) handler() (http.Handler, error) {
	auth, err := frontdoor.ParseAuth(s.options.auth)
	if err != nil {
		return nil, err
	}
	api := ecsapi.New(ecsapi.Config{State: s.store, Quotas: ecsapi.Quotas{TasksPerService: s.options.tasksPerService}, Placed: s.metrics.Placement})
	own := &berthapi.API{State: s.store, Keys: s.keys}
	door := frontdoor.New(frontdoor.Config{
		Services: []frontdoor.Service{s.guarded(api.Service()), s.guarded(own.Service()), sts.New()},
		Sockets:  s.sockets(),
		Keys: func(_ context.Context, id string) (frontdoor.Key, bool) {
			secret, p, ok := s.keys.Find(id)
			return frontdoor.Key{Secret: secret, Principal: p}, ok
		},
		Auth: auth, DevPrincipal: access.Admin(s.options.account), Region: s.options.region, Account: s.options.account,
		Forward: s.forward, Ready: s.admitRequest, Other: s.other(), Observe: s.metrics.Requests.Observe, Log: s.log,
	})
	return s.metrics.Requests.InFlight(door, "/acs/ws", "/tcs/ws", snapshotPath, eventsPath), nil
}

func (s *server) sockets() []frontdoor.Socket {
	query := func(name string) func(*http.Request) string {
		return func(r *http.Request) string { return r.URL.Query().Get(name) }
	}
	return []frontdoor.Socket{
		{Path: "/acs/ws", Service: "ecs", Action: "ecs:Poll", Resource: query("containerInstanceArn"),
			Serve: func(w http.ResponseWriter, r *http.Request, _ *frontdoor.Request) { s.hub.ServeACS(w, r) }},
		{Path: "/tcs/ws", Service: "ecs", Action: "ecs:StartTelemetrySession", Resource: query("containerInstance"),
			Serve: func(w http.ResponseWriter, r *http.Request, _ *frontdoor.Request) { s.hub.ServeTCS(w, r) }},
		{Path: snapshotPath, Service: "berth", Action: "berth:SaveSnapshot", Serve: s.saveSnapshot},
		{Path: eventsPath, Service: "berth", Action: "berth:StreamEvents", ReadOnly: true, Serve: s.stream.ServeHTTP},
	}
}

// admitRequest waits until this replica can answer: a read needs a fresh view, a write the leader.
func (s *server) admitRequest(ctx context.Context, readOnly bool) error {
	if readOnly {
		ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
		defer cancel()
		if err := s.store.Fresh(ctx); err != nil {
			return apierr.Server(err)
		}
		return nil
	}
	if !s.store.Leading() {
		return apierr.Unavailable("The control plane has no leader right now. Try again.").Because(state.ErrNotLeader)
	}
	return nil
}

// other answers what is no AWS request.
func (s *server) other() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	mux.HandleFunc("GET /readyz", s.readyz)
	mux.HandleFunc("POST "+joinPath, s.join)
	mux.Handle("GET /metrics", s.metrics.Handler(s.options.metricsOpen))
	if s.options.pprof {
		addPprof(mux)
	}
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintln(w, "This is Berth: Amazon ECS on your own machines. Point an AWS client here; `berth env` tells how.")
	})
	return mux
}

func (s *server) readyz(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), 2*time.Second)
	defer cancel()
	err := s.store.Fresh(ctx)
	if err == nil && s.store.Leading() {
		select {
		case <-s.ready:
		default:
			err = errors.New("still starting")
		}
	}
	if err != nil {
		http.Error(w, "not ready: "+err.Error(), http.StatusServiceUnavailable)
		return
	}
	fmt.Fprintln(w, "ok")
}

func (s *server) listen() (net.Listener, error) {
	l, err := net.Listen("tcp", s.options.listen)
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w; another program uses the address, choose one with --listen", s.options.listen, err)
	}
	if s.options.tlsCert == "" {
		return l, nil
	}
	cert, err := tls.LoadX509KeyPair(s.options.tlsCert, s.options.tlsKey)
	if err != nil {
		return nil, fmt.Errorf("certificate: %w", err)
	}
	return tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12}), nil
}
