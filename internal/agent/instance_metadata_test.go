package agent_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"berth/internal/acsproto"
	"berth/internal/agent"
)

// roles vends the role of instances, each time with other credentials, unless err is set.
type roles struct {
	mu    sync.Mutex
	calls int
	err   error
	none  bool
}

func (r *roles) InstanceRole(_ context.Context, c agent.InstanceConfig) (agent.InstanceRole, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.calls++
	if r.none || r.err != nil {
		return agent.InstanceRole{ProfileARN: "profile"}, r.err
	}
	return agent.InstanceRole{ProfileARN: "profile", Role: "of-" + c.Name, Code: "Success", Key: agent.Key{AccessKeyID: fmt.Sprintf("ASIA%d", r.calls)},
		Issued: time.Now(), Expires: time.Now().Add(6 * time.Hour)}, nil
}

// TestHostAt: a container on the bridge is told of its own container instance, from its start on and as long as it runs, over restarts of the agent; nobody else is.
func TestHostAt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.config.InstanceRoles, w.config.Front = &roles{}, front("http://169.254.170.2")
		w.config.Instances[0].Zone = "us-east-1b"
		w.start()
		defer func() { w.kill() }()
		one, fargate, host := task(1, essential("a", "app")), task(2, essential("b", "app")), task(3, essential("c", "app"))
		fargate.LaunchType = "FARGATE"
		host.Containers[0].DockerConfig.HostConfig = `{"NetworkMode":"host"}`
		for _, x := range []acsproto.Task{one, fargate, host} {
			w.control.Run(x)
		}
		time.Sleep(time.Second)
		at := map[string]netip.Addr{}
		for _, c := range []string{"a", "b"} {
			o, err := w.engine.Inspect(t.Context(), w.name(c))
			if err != nil || o.Facts == nil || len(o.Facts.Networks) != 1 {
				t.Fatal(o, err)
			}
			at[c] = netip.MustParseAddr(o.Facts.Networks[0].IPv4)
		}
		look := func(when string) {
			t.Helper()
			h, err := w.agent.HostAt(t.Context(), "", at["a"])
			if err != nil || h.Instance != "one" || !strings.HasPrefix(h.InstanceID, "i-") || h.Zone != "us-east-1b" || h.Account != "123456789012" || h.Region != "us-east-1" {
				t.Errorf("%s: %+v, %v", when, h, err)
			}
			if _, err := w.agent.HostAt(t.Context(), "", netip.AddrFrom16(at["a"].As16())); err != nil {
				t.Errorf("%s, as IPv6 has it: %v", when, err)
			}
			if _, err := w.agent.HostAt(t.Context(), "", at["b"]); !errors.Is(err, agent.ErrHostBlocked) {
				t.Errorf("%s: Fargate: %v", when, err)
			}
			for _, nobody := range []string{"172.17.0.200", "127.0.0.1", "172.17.0.1"} {
				if _, err := w.agent.HostAt(t.Context(), "", netip.MustParseAddr(nobody)); !errors.Is(err, agent.ErrNoHost) {
					t.Errorf("%s: %s: %v", when, nobody, err)
				}
			}
			if _, err := w.agent.HostAt(t.Context(), "vpc-1", at["a"]); !errors.Is(err, agent.ErrNoHost) {
				t.Errorf("%s: in a VPC: %v", when, err)
			}
		}
		look("at first")
		w.kill()
		w.start()
		time.Sleep(time.Second)
		look("after a restart")
		w.kill()
		w.config.IMDS.BlockBridge = true
		w.start()
		time.Sleep(time.Second)
		if _, err := w.agent.HostAt(t.Context(), "", at["a"]); !errors.Is(err, agent.ErrHostBlocked) {
			t.Errorf("blocked: %v", err)
		}
		w.kill()
		w.config.IMDS.BlockBridge, w.config.Instances[0].External = false, true
		w.start()
		time.Sleep(time.Second)
		if _, err := w.agent.HostAt(t.Context(), "", at["a"]); !errors.Is(err, agent.ErrHostBlocked) {
			t.Errorf("external: %v", err)
		}
		w.control.Stop(one.ARN)
		time.Sleep(time.Minute)
		if _, err := w.agent.HostAt(t.Context(), "", at["a"]); !errors.Is(err, agent.ErrNoHost) {
			t.Errorf("stopped: %v", err)
		}
	})
}

// TestInstanceRole: the credentials of an instance's role are renewed every hour, and kept while the control plane does not answer, as long as they are good.
func TestInstanceRole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		r := &roles{}
		w.config.InstanceRoles = r
		w.start()
		defer func() { w.kill() }()
		is := func(when, want string) {
			t.Helper()
			role, err := w.agent.InstanceRole(t.Context(), "one")
			if err != nil || role.AccessKeyID != want || !w.agent.Holds(want) {
				t.Errorf("%s: %+v, %v", when, role, err)
			}
		}
		var wait sync.WaitGroup
		for range 20 {
			wait.Go(func() { is("at once", "ASIA1") })
		}
		wait.Wait()
		time.Sleep(59 * time.Minute)
		is("within the hour", "ASIA1")
		time.Sleep(2 * time.Minute)
		is("after an hour", "ASIA2")
		if !w.agent.Holds("ASIA1") || w.agent.Holds("ASIA9") || w.agent.Holds("") {
			t.Error("the keys that it holds")
		}
		r.err = errors.New("no answer")
		time.Sleep(5 * time.Hour)
		is("while there is no answer", "ASIA2")
		time.Sleep(2 * time.Hour)
		if role, err := w.agent.InstanceRole(t.Context(), "one"); err == nil {
			t.Errorf("expired: %+v", role)
		}
		r.err, r.none = nil, true
		if role, err := w.agent.InstanceRole(t.Context(), "one"); err != nil || role.Role != "" {
			t.Errorf("without a role: %+v, %v", role, err)
		}
		r.none = false
		time.Sleep(6 * time.Second)
		if role, err := w.agent.InstanceRole(t.Context(), "one"); err != nil || role.Role != "of-one" {
			t.Errorf("soon after it was given one: %+v, %v", role, err)
		}
		if _, err := w.agent.InstanceRole(t.Context(), "another"); err == nil {
			t.Error("of an instance that is not here")
		}
	})
}
