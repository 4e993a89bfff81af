package endpoint

import (
	"net/netip"
	"slices"
	"time"

	"berth/internal/acsproto"
	"berth/internal/agent"
)

// version is that of the metadata endpoint: 2, 3 or 4.
type version int

const fargate = "FARGATE"

// task is a task's metadata, without what only the control plane and the machine know.
func (v version) task(s *agent.Seen) taskAnswer {
	r := s.Record
	a := taskAnswer{
		Cluster: s.Cluster, TaskARN: r.Task.ARN, Family: r.Task.Family, Revision: r.Task.Version,
		DesiredStatus: s.DesiredStatus(), KnownStatus: s.KnownStatus(), AvailabilityZone: s.Zone,
		PullStartedAt: momentOrNil(r.PullStartedAt), PullStoppedAt: momentOrNil(r.PullStoppedAt), ExecutionStoppedAt: momentOrNil(r.ExecutionStoppedAt),
	}
	if r.Task.CPU != 0 || r.Task.MemoryMiB != 0 {
		a.Limits = &taskLimits{r.Task.CPU, r.Task.MemoryMiB}
	}
	if v == 4 {
		a.LaunchType, a.ServiceName, a.FaultInjectionEnabled = r.Task.LaunchType, r.Task.ServiceName, new(bool)
		if r.Task.LaunchType != fargate {
			a.VPCID = s.VPC
		}
	}
	for i := range r.Containers {
		if c := &r.Containers[i]; v.shows(s, c) {
			a.Containers = append(a.Containers, v.container(s, c))
		}
	}
	return a
}

// shows says whether a container is in its task's metadata: once it has been created, in version 4 from its image on. Fargate shows the user's only.
func (v version) shows(s *agent.Seen, c *agent.Container) bool {
	if s.Record.Task.LaunchType == fargate && s.Type(c.Name) != "NORMAL" {
		return false
	}
	return c.ID != "" || v == 4 && c.Phase >= agent.Pulled && c.Phase < agent.Ended
}

// container is a container's metadata.
func (v version) container(s *agent.Seen, c *agent.Container) containerAnswer {
	o := s.Ordered(c.Name)
	a := containerAnswer{
		DockerID: c.ID, Name: c.Name, DockerName: s.EngineName(c.Name), Type: s.Type(c.Name), Labels: s.Labels(c), ExitCode: c.ExitCode,
		Limits: containerLimits{float64(o.CPUUnits), o.MemoryMiB}, StartedAt: momentOrNil(c.StartedAt), FinishedAt: momentOrNil(c.FinishedAt),
		Ports: v.ports(s, c, o), Networks: v.networks(s, c),
	}
	a.Image, a.ImageID = s.Image(c)
	a.DesiredStatus, a.KnownStatus = s.ContainerStatus(c)
	if c.Health != "" {
		a.Health = &healthAnswer{Status: c.Health, Since: momentOrNil(c.HealthSince)}
		if c.Probe != nil {
			a.Health.ExitCode, a.Health.Output = c.Probe.ExitCode, c.Probe.Output
		}
	}
	if c.Facts != nil {
		a.CreatedAt = momentOrNil(c.Facts.CreatedAt)
		for _, m := range c.Facts.Mounts {
			a.Volumes = append(a.Volumes, volumeAnswer{m.Name, m.Source, m.Destination})
		}
	}
	if v == 4 {
		a.ContainerARN = o.ContainerARN
		a.LogDriver, a.LogOptions = s.Logging(c)
		if o.RestartPolicy != nil && o.RestartPolicy.Enabled {
			a.RestartCount = &c.Restarts
		}
		if s.Record.Task.LaunchType == fargate && c.Facts != nil {
			a.Snapshotter = c.Facts.Driver
		}
	}
	return a
}

// ports are a container's published ports; on the machine's own network, and on the task's, they are those that it was ordered with.
func (v version) ports(s *agent.Seen, c *agent.Container, o acsproto.Container) (list []portAnswer) {
	if s.Record.Network != "bridge" {
		for _, m := range o.PortMappings {
			list = append(list, portAnswer{ContainerPort: m.ContainerPort, Protocol: m.Protocol, HostPort: m.ContainerPort})
		}
		return list
	}
	for _, b := range c.Bindings {
		p := portAnswer{ContainerPort: b.ContainerPort, Protocol: b.Protocol, HostPort: b.HostPort}
		if v == 4 {
			p.HostIP = b.HostIP
			if p.HostIP == "" {
				p.HostIP = "0.0.0.0"
			}
		}
		list = append(list, p)
	}
	return list
}

// networks are a container's networks. One that has none of the engine's is told an empty address, as the official agent does.
func (v version) networks(s *agent.Seen, c *agent.Container) (list []networkAnswer) {
	if s.Record.Network == "awsvpc" {
		for _, i := range s.Record.Task.Interfaces {
			list = append(list, v.networkInterface(i))
		}
		return list
	}
	if c.Facts == nil || c.ID == "" {
		return nil
	}
	for _, n := range c.Facts.Networks {
		a := networkAnswer{NetworkMode: n.Name, IPv4Addresses: []string{n.IPv4}}
		if n.IPv6 != "" {
			a.IPv6Addresses = []string{n.IPv6}
		}
		list = append(list, a)
	}
	if list == nil {
		list = []networkAnswer{{NetworkMode: s.Record.Network, IPv4Addresses: []string{""}}}
	}
	return list
}

// networkInterface is the network of a task in awsvpc mode.
func (v version) networkInterface(i acsproto.ElasticNetworkInterface) networkAnswer {
	a := networkAnswer{NetworkMode: "awsvpc"}
	for _, primary := range []bool{true, false} {
		for _, have := range i.IPv4Addresses {
			if have.Primary == primary {
				a.IPv4Addresses = append(a.IPv4Addresses, have.PrivateAddress)
			}
		}
	}
	if v != 4 {
		return a
	}
	a.AttachmentIndex, a.MACAddress, a.SubnetGateway = new(int), i.MACAddress, i.SubnetGatewayIPv4Address
	a.DomainNameServers, a.DomainNameSearchList, a.PrivateDNSName = slices.Clone(i.DomainNameServers), slices.Clone(i.DomainName), i.PrivateDNSName
	if p, err := netip.ParsePrefix(i.SubnetGatewayIPv4Address); err == nil {
		a.IPv4SubnetCIDRBlock = p.Masked().String()
	}
	return a
}

// drift is the machine's clock as Fargate tells it.
func drift(c agent.Clock) *clockDrift {
	status := "NOT_SYNCHRONIZED"
	if c.Synchronized {
		status = "SYNCHRONIZED"
	}
	return &clockDrift{float64(c.ErrorBound) / float64(time.Millisecond), c.At.UTC().Truncate(time.Second), status}
}
