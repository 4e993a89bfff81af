// Package ecstest is the whole system in memory, for tests: several replicas of the control plane on the in-memory store, agents on engines in
// memory, clients, and a network between them that fails on demand. A Script says what happens when; Run plays it and checks the
// invariants of the design all the while. What it imports builds for wasip1: there, with random source, clock and sleep derived from a seed,
// the same script always runs the same way.
package ecstest

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"time"

	"golang.org/x/sync/errgroup"

	"berth/internal/access"
	"berth/internal/acs"
	ecsapi "berth/internal/api/ecs"
	"berth/internal/apierr"
	"berth/internal/arn"
	"berth/internal/controller"
	"berth/internal/ecs"
	"berth/internal/frontdoor"
	"berth/internal/pipenet"
	"berth/internal/seal"
	"berth/internal/state"
	"berth/internal/state/mem"
)

const (
	region  = "us-east-1"
	account = "123456789012"
)

var scope = arn.Scope{Region: region, Account: account}

// replica is one control-plane process: it is started and killed, and what it knows is gone then.
type replica struct {
	name     string
	net      *pipenet.Network
	backend  *mem.Backend
	store    *state.Store
	keys     *access.Keys
	hub      *acs.Hub
	stop     context.CancelFunc
	stopped  chan struct{}
	replicas func(host string) *replica // the others, by address
}

// lostAfter is how soon a silent instance is deregistered.
const lostAfter = 4 * time.Minute

// startReplica starts a process on the network of its name.
func startReplica(name string, nw *pipenet.Network, cluster *mem.Cluster, key seal.Key, find func(string) *replica, log *slog.Logger) *replica {
	r := &replica{name: name, net: nw, backend: cluster.Backend(), replicas: find, stopped: make(chan struct{})}
	r.hub = acs.New(acs.Config{Log: log})
	instances := &controller.Instances{Hub: r.hub, Log: log, LostAfter: lostAfter}
	services := &controller.Services{Log: log}
	sweep := &controller.Sweep{Log: log}
	r.store = state.New(state.Config{Backend: r.backend, Address: "http://" + name, Log: log, Lead: func(ctx context.Context) error {
		if err := r.bootstrap(ctx); err != nil {
			return err
		}
		return together(ctx, r.hub.Run, instances.Run, services.Run, sweep.Run)
	}})
	r.keys = &access.Keys{State: r.store, Seal: key}
	r.hub.Control, instances.State, services.State, sweep.State = instances, r.store, r.store, r.store
	ctx, cancel := context.WithCancel(context.Background())
	r.stop = cancel
	server := &http.Server{Handler: r.door(log), ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug)}
	go func() {
		defer close(r.stopped)
		err := together(ctx, r.store.Run, func(ctx context.Context) error {
			<-ctx.Done()
			return server.Close()
		}, func(context.Context) error {
			if err := server.Serve(nw); !errors.Is(err, http.ErrServerClosed) && !errors.Is(err, net.ErrClosed) {
				return err
			}
			return nil
		})
		if err != nil {
			log.Error("replica ended", "replica", name, "err", err)
		}
	}()
	return r
}

// together runs all until ctx ends or one fails, and waits for all.
func together(ctx context.Context, all ...func(context.Context) error) error {
	g, ctx := errgroup.WithContext(ctx)
	for _, f := range all {
		g.Go(func() error { return f(ctx) })
	}
	return g.Wait()
}

// kill ends the process as kill -9 does: the store and the network hear nothing more of it.
func (r *replica) kill() {
	r.backend.Faults.Cut()
	r.net.Close() //nolint:errcheck // it never fails
	r.net.Cut()
	r.stop()
}

// The access keys that every script knows.
const (
	adminKey  = "AKIAADMINISTRATOR000"
	agentKeys = "AKIAAGENT00000000000"
)

// bootstrap makes what an installation has: the default cluster, and keys.
func (r *replica) bootstrap(ctx context.Context) error {
	return r.store.Update(ctx, func(tx *state.Tx) error {
		if tx.Clusters.Get(scope.Cluster("default")) == nil {
			tx.Put(&ecs.Cluster{ClusterArn: scope.Cluster("default"), Status: ecs.Active, CreatedAt: time.Now().UTC().Truncate(time.Millisecond)})
		}
		if tx.Credentials.Get(adminKey) == nil {
			tx.Put(&ecs.Credential{AccessKeyID: adminKey, SealedSecret: r.keys.Seal.Seal("secret", adminKey), Account: account, Principal: access.Administrator})
		}
		return nil
	})
}

// admit makes the credential of an instance.
func (r *replica) admit(ctx context.Context, id string) error {
	return r.store.Update(ctx, func(tx *state.Tx) error {
		if tx.Credentials.Get(id) == nil {
			tx.Put(&ecs.Credential{
				AccessKeyID: id, SealedSecret: r.keys.Seal.Seal("secret", id), Account: account, Principal: access.ContainerInstance, Cluster: scope.Cluster("default"),
				CreatedAt: time.Now().UTC().Truncate(time.Millisecond),
			})
		}
		return nil
	})
}

func (r *replica) door(log *slog.Logger) http.Handler {
	return frontdoor.New(frontdoor.Config{
		Services: []frontdoor.Service{ecsapi.New(ecsapi.Config{State: r.store, Quotas: ecs.Quotas{ServicesPerCluster: mostServices, TasksPerService: mostTasks}}).Service()},
		Sockets:  ecsapi.Sockets(r.store, r.hub),
		Keys: func(_ context.Context, id, token string) (frontdoor.Key, bool) {
			h, ok := r.keys.Find(id, token)
			return frontdoor.Key{Secret: h.Secret, SessionToken: h.SessionToken, Issued: h.Issued, Expires: h.Expires, Principal: h.Principal}, ok
		},
		Auth: frontdoor.AuthIAM, Region: region, Account: account, Forward: r.forward, Ready: r.ready, Log: log,
	})
}

// ready waits until the replica can answer.
func (r *replica) ready(ctx context.Context, readOnly bool) error {
	if !readOnly {
		if !r.store.Leading() {
			return apierr.Unavailable("no leader").Because(state.ErrNotLeader)
		}
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	if err := r.store.Fresh(ctx); err != nil {
		return apierr.Server(err)
	}
	return nil
}

// forward hands what only the leader can do to it.
func (r *replica) forward(q *http.Request) http.Handler {
	if r.store.Leading() {
		return nil
	}
	ctx, cancel := context.WithTimeout(q.Context(), 2*time.Second)
	defer cancel()
	address, err := r.store.Leader(ctx)
	target, bad := url.Parse(address)
	if err != nil || bad != nil || address == "" {
		return nil
	}
	leader := r.replicas(target.Host)
	if leader == nil || leader == r {
		return nil
	}
	return &httputil.ReverseProxy{
		Transport: &http.Transport{DialContext: leader.net.Dial, DisableKeepAlives: true},
		Rewrite:   func(p *httputil.ProxyRequest) { p.SetURL(target); p.Out.Host = p.In.Host },
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) {
			w.WriteHeader(http.StatusServiceUnavailable)
		},
		ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug),
	}
}
