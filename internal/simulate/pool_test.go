package simulate

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"berth/internal/arn"
	"berth/internal/pipenet"
	"berth/internal/provider"
)

// startPool serves a pool on the plane until the test or the returned function ends it. It counts the tokens that were traded.
func startPool(t *testing.T, p *plane, c Config) (pool *Pool, client *PoolClient, traded func() int, stop func()) {
	t.Helper()
	c.Endpoint, c.Region, c.Dial = "http://berth", "us-east-1", p.net.Dial
	var mu sync.Mutex
	tokens := map[string]int{}
	pool = NewPool(c, func(_ context.Context, token string) (string, string, string, error) {
		mu.Lock()
		defer mu.Unlock()
		if tokens[token]++; strings.HasPrefix(token, "spent") {
			return "", "", "", errors.New("the token is not good any more")
		}
		id := fmt.Sprintf("AKIAPOOL%08d", len(tokens))
		return id, "secret of " + id, "demo", nil
	})
	traded = func() (n int) {
		mu.Lock()
		defer mu.Unlock()
		for _, k := range tokens {
			n += k
		}
		return n
	}
	l := pipenet.New()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- pool.Serve(ctx, l) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(stop)
	synctest.Wait()
	return pool, &PoolClient{Dial: l.Dial}, traded, stop
}

func order1(id string) provider.Order {
	return provider.Order{ID: id, Zone: "us-east-1b", Architecture: "arm64", CPUUnits: 16384, MemoryMiB: 65536, Token: provider.Secret("token of " + id)}
}

// A member registers in its token's cluster with what Fargate's tasks need, runs them with their network interfaces, and is gone when it is terminated.
func TestPoolMember(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlane(t)
		pool, client, traded, _ := startPool(t, p, Config{})
		for range 2 { // a launch may be repeated
			if err := client.Launch(t.Context(), order1("m-1")); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Second)
		}
		if n := traded(); n != 1 || p.registrations() != 1 || pool.Registered.Load() != 1 {
			t.Fatalf("%d tokens, %d registrations", n, p.registrations())
		}
		if got := offered(p); got != "demo 16384 65536 us-east-1b arm64 m-1 vpc 1000 eni" {
			t.Errorf("registered %s", got)
		}
		p.order(1, order{task: "a", attachment: "arn:attachment/1"}, order{task: "b"})
		time.Sleep(time.Second)
		if a, b := p.said("a"), p.said("b"); len(a) != 1 || a[0].status != "RUNNING" || a[0].attached != "arn:attachment/1 ATTACHED" || len(b) != 1 || b[0].attached != "" {
			t.Errorf("%+v %+v", a, b)
		}
		if list, err := client.List(t.Context()); err != nil || !slices.Equal(list, []string{"m-1"}) {
			t.Errorf("%v %v", list, err)
		}
		for range 2 {
			if err := client.Terminate(t.Context(), "m-1"); err != nil {
				t.Fatal(err)
			}
		}
		if list, err := client.List(t.Context()); err != nil || len(list) != 0 || pool.Registered.Load() != 0 || pool.Tasks.Load() != 0 {
			t.Errorf("%v %v, %d registered, %d tasks", list, err, pool.Registered.Load(), pool.Tasks.Load())
		}
	})
}

// offered is what the first instance registered with.
func offered(p *plane) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	in, has := p.offers[0], map[string]string{}
	for _, a := range in.Attributes {
		has[*a.Name] = aws.ToString(a.Value)
	}
	out := fmt.Sprint(*in.Cluster, " ", in.TotalResources[0].IntegerValue, " ", in.TotalResources[1].IntegerValue, " ", has["ecs.availability-zone"], " ", has["ecs.cpu-architecture"],
		" ", has["berth.member-id"])
	if _, vpc := has["berth.vpc"]; vpc {
		out += " vpc " + has["berth.network-interfaces"]
	}
	if _, eni := has["ecs.capability.task-eni"]; eni {
		out += " eni"
	}
	return out
}

// What cannot be launched is refused, and leaves nothing.
func TestPoolRefuses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlane(t)
		_, client, _, stop := startPool(t, p, Config{})
		spent, sizeless, nowhere := order1("m-2"), order1("m-3"), order1("m-4")
		spent.Token, sizeless.CPUUnits, nowhere.Zone = "spent", 0, ""
		for want, o := range map[string]provider.Order{
			"the token is not good any more":               spent,
			"a member has a size, a zone and an architect": sizeless,
			"a member has a size, a zone and an archi":     nowhere,
			"an id has 1 to 64 letters":                    order1("../x"),
		} {
			err := client.Launch(t.Context(), o)
			if f := (*provider.Failure)(nil); !errors.As(err, &f) || !strings.Contains(f.Reason, want) || strings.Contains(err.Error(), "token of") {
				t.Errorf("%s: %v, want %q", o.ID, err, want)
			}
		}
		if list, err := client.List(t.Context()); err != nil || len(list) != 0 || p.registrations() != 0 {
			t.Errorf("%v %v", list, err)
		}
		stop()
		if err := client.Launch(t.Context(), order1("m-5")); err == nil || !strings.Contains(err.Error(), "does not answer") {
			t.Errorf("after the end: %v", err)
		}
	})
}

// A member whose instance was deregistered is gone; it does not join again.
func TestPoolMemberDeregistered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlane(t)
		pool, client, _, _ := startPool(t, p, Config{})
		if err := client.Launch(t.Context(), order1("m-1")); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		p.mu.Lock()
		p.inactive = map[arn.Instance]bool{instanceARN(1): true}
		p.mu.Unlock()
		p.hub.Kick(instanceARN(1))
		time.Sleep(time.Minute)
		if list := pool.List(); len(list) != 0 || p.registrations() != 1 {
			t.Errorf("%v, %d registrations", list, p.registrations())
		}
	})
}
