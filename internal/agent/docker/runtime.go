package docker

import (
	"context"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/api/types/events"
	"github.com/moby/moby/api/types/network"
	"github.com/moby/moby/client"

	"berth/internal/agent"
)

// journal is the socket without which the log driver journald fails at every start.
const journal = "/run/systemd/journal/socket"

// Machine implements agent.Runtime.
func (e *Engine) Machine(ctx context.Context) (agent.Machine, error) {
	out, err := e.api.Info(ctx, client.InfoOptions{})
	if err != nil {
		return agent.Machine{}, tell(err)
	}
	version, err := e.api.ServerVersion(ctx, client.ServerVersionOptions{})
	if err != nil {
		return agent.Machine{}, tell(err)
	}
	i := out.Info
	m := agent.Machine{Version: i.ServerVersion, APIVersion: version.APIVersion, APIMinVersion: version.MinAPIVersion, LogDrivers: i.Plugins.Log,
		VolumeDrivers: i.Plugins.Volume, CgroupDriver: i.CgroupDriver, CgroupVersion: 1, OSType: i.OSType, Architecture: architecture(i.Architecture),
		CPUs: i.NCPU, MemoryBytes: i.MemTotal, LiveRestore: i.LiveRestoreEnabled, DataRoot: i.DockerRootDir}
	m.Runtimes = slices.Sorted(maps.Keys(i.Runtimes))
	if i.CgroupVersion == "2" {
		m.CgroupVersion = 2
	}
	if _, err := os.Stat(journal); err != nil {
		m.LogDrivers = slices.DeleteFunc(slices.Clone(m.LogDrivers), func(d string) bool { return d == "journald" })
	}
	for _, o := range i.SecurityOptions { // "name=seccomp,profile=default"
		name, _, _ := strings.Cut(strings.TrimPrefix(o, "name="), ",")
		m.SecurityOptions = append(m.SecurityOptions, name)
	}
	return m, nil
}

// Gateway is the machine's address on the engine's own bridge, not valid where the engine has no bridge. Some engines do not say it: there it is
// that of the bridge's interface.
func (e *Engine) Gateway(ctx context.Context) (netip.Addr, error) {
	out, err := e.api.NetworkInspect(ctx, network.NetworkBridge, client.NetworkInspectOptions{})
	switch {
	case errdefs.IsNotFound(err):
		return netip.Addr{}, nil
	case err != nil:
		return netip.Addr{}, tell(err)
	}
	for _, c := range out.Network.IPAM.Config {
		if c.Gateway.Is4() {
			return c.Gateway, nil
		}
	}
	return addressOf(out.Network.Options["com.docker.network.bridge.name"]), nil
}

// addressOf is the first IPv4 address of an interface of this machine, not valid where there is none.
func addressOf(name string) netip.Addr {
	i, err := net.InterfaceByName(name)
	if err != nil {
		return netip.Addr{}
	}
	addresses, err := i.Addrs()
	if err != nil {
		return netip.Addr{}
	}
	for _, a := range addresses {
		if p, err := netip.ParsePrefix(a.String()); err == nil && p.Addr().Is4() {
			return p.Addr()
		}
	}
	return netip.Addr{}
}

// architecture is the kernel's name in ECS's words.
func architecture(kernel string) string {
	switch kernel {
	case "aarch64", "arm64":
		return "arm64"
	case "":
		return map[string]string{"amd64": "x86_64"}[runtime.GOARCH]
	}
	return kernel
}

func (e *Engine) mine() string { return agent.LabelInstallation + "=" + e.installation }

// List implements agent.Runtime.
func (e *Engine) List(ctx context.Context) ([]agent.Observed, error) {
	out, err := e.api.ContainerList(ctx, client.ContainerListOptions{All: true, Filters: make(client.Filters).Add("label", e.mine())})
	if err != nil {
		return nil, tell(err)
	}
	list := make([]agent.Observed, 0, len(out.Items))
	for _, c := range out.Items {
		o := agent.Observed{ID: c.ID, Labels: c.Labels, State: stateOf(c.State)}
		if len(c.Names) > 0 {
			o.Name = strings.TrimPrefix(c.Names[0], "/")
		}
		list = append(list, o)
	}
	return list, nil
}

// overlap is from how long ago a new stream tells events again.
const overlap = 2 * time.Second

// Watch implements agent.Runtime. What happens while ready runs waits in the stream.
func (e *Engine) Watch(ctx context.Context, ready func(), each func(agent.Event)) error {
	ctx, cancel := context.WithCancel(ctx)
	filters := make(client.Filters).Add("type", "container").Add("label", e.mine()).
		Add("event", "start", "die", "oom", "health_status", "destroy")
	since := time.Now().Add(-overlap).Format(time.RFC3339Nano) // the engine lists a container as running until shortly after it told of its end
	stream := e.api.Events(ctx, client.EventsListOptions{Filters: filters, Since: since})
	defer func() { // the client's goroutine ends with its last error
		cancel()
		for range stream.Err { //nolint:revive // drained
		}
	}()
	select {
	case err := <-stream.Err: // it could not begin
		return tell(err)
	default:
	}
	ready()
	for {
		select {
		case err := <-stream.Err:
			if err == nil {
				err = fmt.Errorf("the engine's events: %w", agent.ErrUnavailable)
			}
			return tell(err)
		case m := <-stream.Messages:
			if ev, ok := event(m); ok {
				each(ev)
			}
		}
	}
}

// event reads one of the engine's events; ok is false for those that agents do not act on.
func event(m events.Message) (e agent.Event, ok bool) {
	e = agent.Event{ID: m.Actor.ID, Labels: m.Actor.Attributes, At: time.Unix(0, m.TimeNano).UTC()}
	switch m.Action {
	case events.ActionStart:
		e.Kind = agent.Started
	case events.ActionOOM:
		e.Kind = agent.OutOfMemory
	case events.ActionDestroy:
		e.Kind = agent.Destroyed
	case events.ActionDie:
		e.Kind = agent.Died
		if _, err := fmt.Sscan(m.Actor.Attributes["exitCode"], &e.ExitCode); err != nil {
			return e, false
		}
	case events.ActionHealthStatusHealthy, events.ActionHealthStatusUnhealthy:
		e.Kind = agent.HealthChanged
		e.Health = healthOf(strings.TrimPrefix(string(m.Action), "health_status: "))
	default:
		return e, false
	}
	return e, true
}

// RemoveVolumes removes the volumes that were made for single tasks of the installation. Shared ones are nobody's but their users'.
func (e *Engine) RemoveVolumes(ctx context.Context) error {
	out, err := e.api.VolumeList(ctx, client.VolumeListOptions{Filters: make(client.Filters).Add("label", e.mine())})
	if err != nil {
		return tell(err)
	}
	for _, v := range out.Items {
		if err := e.RemoveVolume(ctx, v.Name); err != nil {
			return fmt.Errorf("remove the volume %s: %w", v.Name, err)
		}
	}
	return nil
}
