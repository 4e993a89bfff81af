package docker

import (
	"cmp"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/network"

	"berth/internal/agent"
)

// observed reads the engine's answer about one container.
func observed(c container.InspectResponse) (agent.Observed, error) {
	if c.State == nil || c.Config == nil {
		return agent.Observed{}, fmt.Errorf("container %s: the engine's answer has no state", c.ID)
	}
	o := agent.Observed{ID: c.ID, Name: strings.TrimPrefix(c.Name, "/"), Labels: c.Config.Labels, State: stateOf(c.State.Status),
		ExitCode: c.State.ExitCode, OOMKilled: c.State.OOMKilled, PID: c.State.Pid}
	var err error
	if o.StartedAt, err = moment(c.State.StartedAt); err != nil {
		return o, err
	}
	if o.FinishedAt, err = moment(c.State.FinishedAt); err != nil {
		return o, err
	}
	if c.State.Health != nil {
		o.Health = healthOf(string(c.State.Health.Status))
		if log := c.State.Health.Log; len(log) > 0 {
			last := log[len(log)-1]
			o.Probe = &agent.Probe{ExitCode: last.ExitCode, Output: last.Output}
		}
	}
	if c.NetworkSettings != nil {
		o.Bindings = bindings(c.NetworkSettings.Ports)
		if n := c.NetworkSettings.Networks[network.NetworkBridge]; n != nil && n.IPAddress.IsValid() {
			o.Address = n.IPAddress.String()
		}
	}
	if o.Facts, err = facts(c); err != nil {
		return o, err
	}
	if o.State == agent.Exited && o.StartedAt.IsZero() { // a start that failed half way
		o.State = agent.Created
	}
	return o, nil
}

func stateOf(s container.ContainerState) agent.State {
	switch s {
	case container.StateCreated:
		return agent.Created
	case container.StateRunning, container.StatePaused, container.StateRestarting:
		return agent.Running
	}
	return agent.Exited
}

// moment reads a time; the engine writes the year 1 for never.
func moment(s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return time.Time{}, fmt.Errorf("read the engine's time: %w", err)
	}
	return t, nil
}

// healthOf is a health status in ECS's words, "" for none.
func healthOf(s string) string {
	switch container.HealthStatus(s) {
	case container.Healthy:
		return "HEALTHY"
	case container.Unhealthy:
		return "UNHEALTHY"
	case container.Starting:
		return "UNKNOWN"
	}
	return ""
}

// bindings are the published ports, sorted. Those on IPv6 are left out, as the official agent does.
func bindings(ports network.PortMap) (list []agent.Binding) {
	for p, hosts := range ports {
		for _, h := range hosts {
			n, err := strconv.ParseUint(h.HostPort, 10, 16)
			if err != nil || h.HostIP.Is6() {
				continue
			}
			b := agent.Binding{ContainerPort: int32(p.Num()), HostPort: int32(n), Protocol: string(p.Proto())}
			if h.HostIP.IsValid() {
				b.HostIP = h.HostIP.String()
			}
			list = append(list, b)
		}
	}
	slices.SortFunc(list, func(a, b agent.Binding) int {
		return cmp.Or(cmp.Compare(a.ContainerPort, b.ContainerPort), cmp.Compare(a.Protocol, b.Protocol), cmp.Compare(a.HostPort, b.HostPort))
	})
	return list
}

// isNoContainer says whether a 404 is about the container itself.
func isNoContainer(err error) bool {
	return strings.Contains(strings.ToLower(err.Error()), "no such container")
}

// facts reads what containers are told about themselves.
func facts(c container.InspectResponse) (*agent.Facts, error) {
	f := &agent.Facts{Image: c.Config.Image, ImageID: c.Image, Labels: agent.PublicLabels(c.Config.Labels), Driver: c.Driver}
	var err error
	if f.CreatedAt, err = moment(c.Created); err != nil {
		return nil, err
	}
	if c.HostConfig != nil {
		f.LogDriver, f.LogOptions = c.HostConfig.LogConfig.Type, c.HostConfig.LogConfig.Config
	}
	if c.NetworkSettings != nil {
		for _, name := range slices.Sorted(maps.Keys(c.NetworkSettings.Networks)) {
			if n := c.NetworkSettings.Networks[name]; n != nil {
				f.Networks = append(f.Networks, agent.NetworkFact{Name: name, IPv4: addressText(n.IPAddress), IPv6: addressText(n.GlobalIPv6Address)})
			}
		}
	}
	for _, m := range c.Mounts {
		if agent.Hidden(c.Config.Labels) { // its mounts are the agent's own
			break
		}
		f.Mounts = append(f.Mounts, agent.Mount{Name: m.Name, Source: m.Source, Destination: m.Destination})
	}
	return f, nil
}

func addressText(a netip.Addr) string {
	if !a.IsValid() {
		return ""
	}
	return a.String()
}
