package agentwire

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"testing"
	"time"

	"berth/internal/access"
	"berth/internal/acs"
	ecsapi "berth/internal/api/ecs"
	"berth/internal/apierr"
	"berth/internal/arn"
	"berth/internal/controller"
	"berth/internal/frontdoor"
	"berth/internal/seal"
	"berth/internal/state"
	"berth/internal/state/mem"
)

// plane is a complete control plane in this process: front door, API, controllers, hub and store, wired as the server's program does.
type plane struct {
	keys  *access.Keys
	admin Keys
}

const testAccount = "123456789012"

// newPlane serves on l until the test ends.
func newPlane(t testing.TB, l net.Listener, lostAfter time.Duration) *plane {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	key, err := seal.ParseKey(seal.NewKey())
	if err != nil {
		t.Fatal(err)
	}
	hub := acs.New(acs.Config{Log: log})
	instances := &controller.Instances{Hub: hub, Log: log, LostAfter: lostAfter}
	services, sweep := &controller.Services{Log: log}, &controller.Sweep{Log: log}
	lead := func(ctx context.Context) error { return run(ctx, hub.Run, instances.Run, services.Run, sweep.Run) }
	store := state.New(state.Config{Backend: mem.NewCluster().Backend(), Address: "test", Lead: lead, Log: log})
	hub.Control, instances.State, services.State, sweep.State = instances, store, store, store
	p := &plane{keys: &access.Keys{State: store, Seal: key}}
	instances.Vend, services.Assume = p.keys.Vend, p.assume
	p.serve(t, l, store, hub)
	id, secret, err := p.keys.EnsureAdministrator(t.Context(), testAccount)
	if err != nil {
		t.Fatal(err)
	}
	p.admin = Keys{AccessKeyID: id, SecretAccessKey: secret, Region: "us-east-1"}
	return p
}

func (p *plane) assume(t *state.Tables, c arn.Cluster, role string) error {
	_, err := p.keys.TaskRole(t, c, role)
	return err
}

// run runs all until ctx ends and returns the first error.
func run(ctx context.Context, all ...func(context.Context) error) error {
	ctx, cancel := context.WithCancel(ctx)
	ends := make(chan error, len(all))
	for _, f := range all {
		go func() { ends <- f(ctx) }()
	}
	first := <-ends
	cancel()
	for range all[1:] {
		<-ends
	}
	return first
}

func (p *plane) serve(t testing.TB, l net.Listener, store *state.Store, hub *acs.Hub) {
	ctx, cancel := context.WithCancel(context.Background())
	stored := make(chan error, 1)
	go func() { stored <- store.Run(ctx) }()
	if err := store.Led(ctx); err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: frontdoor.New(frontdoor.Config{
		Services: []frontdoor.Service{ecsapi.New(ecsapi.Config{State: store, Assume: p.assume}).Service()},
		Sockets:  ecsapi.Sockets(store, hub),
		Keys: func(_ context.Context, id, token string) (frontdoor.Key, bool) {
			h, ok := p.keys.Find(id, token)
			return frontdoor.Key{Secret: h.Secret, SessionToken: h.SessionToken, Issued: h.Issued, Expires: h.Expires, Principal: h.Principal}, ok
		},
		Auth: frontdoor.AuthIAM, Region: "us-east-1", Account: testAccount,
		Ready: func(ctx context.Context, readOnly bool) error {
			if !readOnly && !store.Leading() {
				return apierr.Unavailable("no leader")
			}
			return nil
		},
	})}
	served := make(chan error, 1)
	go func() { served <- server.Serve(l) }()
	t.Cleanup(func() {
		cancel()
		if err := <-stored; err != nil {
			t.Errorf("store: %v", err)
		}
		if err := server.Close(); err != nil {
			t.Errorf("server: %v", err)
		}
		<-served
	})
}
