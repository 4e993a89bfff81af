// Package providertest holds every instance provider to its contract, and has one in memory for tests of what uses them.
package providertest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sync/errgroup"

	"berth/internal/provider"
)

// Site is a provider with the world that it works on.
type Site struct {
	Provider provider.Provider
	// Order returns what a member that is there was launched with, false if it is not there.
	Order func(id string) (provider.Order, bool)
	// Refuse makes every call fail with a reason from now on; "" lets them succeed again.
	Refuse func(reason string)
	// Full makes every launch of a new member find no capacity.
	Full func(full bool)
	// Hold makes every call hang until it is cancelled.
	Hold func()
}

// Run runs the suite, each test on a new site.
func Run(t *testing.T, site func(t *testing.T) Site) {
	for name, test := range map[string]func(*testing.T, Site){
		"launches what is ordered": launchesWhatIsOrdered, "launch may be repeated": launchMayBeRepeated, "terminate may be repeated": terminateMayBeRepeated,
		"many at once": manyAtOnce, "no capacity": noCapacity, "reasons": reasons, "cancelled before": cancelledBefore, "cancelled": cancelled, "bad ids": badIDs,
	} {
		t.Run(name, func(t *testing.T) { test(t, site(t)) })
	}
}

func order(id string) provider.Order {
	return provider.Order{ID: id, Zone: "us-east-1a", Architecture: "x86_64", CPUUnits: 4096, MemoryMiB: 8192, Token: "bjt-" + provider.Secret(id)}
}

func launch(t *testing.T, s Site, ids ...string) {
	t.Helper()
	for _, id := range ids {
		if err := s.Provider.Launch(t.Context(), order(id)); err != nil {
			t.Fatal(err)
		}
	}
}

func terminate(t *testing.T, s Site, id string) {
	t.Helper()
	if err := s.Provider.Terminate(t.Context(), id); err != nil {
		t.Fatal(err)
	}
}

func wantList(t *testing.T, s Site, want ...string) {
	t.Helper()
	got, err := s.Provider.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(got)
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("members (-want +got):\n%s", diff)
	}
}

func launchesWhatIsOrdered(t *testing.T, s Site) {
	wantList(t, s)
	launch(t, s, "m-1", "m-2")
	wantList(t, s, "m-1", "m-2")
	got, ok := s.Order("m-2")
	if diff := cmp.Diff(order("m-2"), got); !ok || diff != "" {
		t.Errorf("launched (-want +got):\n%s", diff)
	}
	if got.Token != order("m-2").Token { // a difference does not show it
		t.Error("another token")
	}
}

func launchMayBeRepeated(t *testing.T, s Site) {
	launch(t, s, "m-1", "m-1")
	wantList(t, s, "m-1")
	s.Full(true)
	launch(t, s, "m-1")
	wantList(t, s, "m-1")
}

func terminateMayBeRepeated(t *testing.T, s Site) {
	terminate(t, s, "never")
	launch(t, s, "m-1", "m-2")
	terminate(t, s, "m-1")
	terminate(t, s, "m-1")
	wantList(t, s, "m-2")
}

func manyAtOnce(t *testing.T, s Site) {
	var g errgroup.Group
	var want []string
	for i := range 30 {
		id := fmt.Sprintf("m-%d", i)
		want = append(want, id)
		g.Go(func() error { return s.Provider.Launch(t.Context(), order(id)) })
	}
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
	wantList(t, s, want...)
}

func noCapacity(t *testing.T, s Site) {
	s.Full(true)
	err := s.Provider.Launch(t.Context(), order("m-1"))
	if !errors.Is(err, provider.ErrNoCapacity) || reason(err) == "" {
		t.Errorf("%v", err)
	}
	wantList(t, s)
	s.Full(false)
	launch(t, s, "m-1")
}

func reasons(t *testing.T, s Site) {
	launch(t, s, "m-1")
	s.Refuse("quota of 8 vCPUs exceeded")
	_, list := s.Provider.List(t.Context())
	for what, err := range map[string]error{
		"launch member m-2": s.Provider.Launch(t.Context(), order("m-2")), "terminate member m-1": s.Provider.Terminate(t.Context(), "m-1"), "list members": list,
	} {
		if reason(err) != "quota of 8 vCPUs exceeded" || errors.Is(err, provider.ErrNoCapacity) || !strings.HasPrefix(err.Error(), what+": ") {
			t.Errorf("%s: %v", what, err)
		}
	}
	s.Refuse("")
	wantList(t, s, "m-1")
}

// reason is that of a Failure, "" if err is none.
func reason(err error) string {
	var f *provider.Failure
	if !errors.As(err, &f) {
		return ""
	}
	return f.Reason
}

func cancelledBefore(t *testing.T, s Site) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, list := s.Provider.List(ctx)
	for _, err := range []error{s.Provider.Launch(ctx, order("m-1")), s.Provider.Terminate(ctx, "m-1"), list} {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%v", err)
		}
	}
	wantList(t, s)
}

func cancelled(t *testing.T, s Site) {
	s.Hold()
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if err := s.Provider.Launch(ctx, order("m-1")); !errors.Is(err, context.DeadlineExceeded) || reason(err) == "" {
		t.Errorf("%v", err)
	}
}

func badIDs(t *testing.T, s Site) {
	for _, id := range []string{"", "-rf", ".", "a b", "a/b", "a\nb", "$(reboot)", "ä", strings.Repeat("m", 65)} {
		for _, err := range []error{s.Provider.Launch(t.Context(), order(id)), s.Provider.Terminate(t.Context(), id)} {
			if err == nil || reason(err) == "" || strings.Contains(err.Error(), "\n") {
				t.Errorf("%q: %v", id, err)
			}
		}
	}
	wantList(t, s)
	launch(t, s, strings.Repeat("m", 64), "0", "A.b_c-9")
}
