package ecs

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// filledContainer is a registration's container with what AWS fills in. What is given stays, empty lists included, and the request's own
// slices are not changed.
func filledContainer(c types.ContainerDefinition, mode types.NetworkMode) types.ContainerDefinition {
	if c.Essential == nil {
		c.Essential = aws.Bool(true)
	}
	c.PortMappings = filledPorts(c.PortMappings, mode)
	c.Environment, c.MountPoints = orEmpty(c.Environment), orEmpty(c.MountPoints)
	c.VolumesFrom, c.SystemControls = orEmpty(c.VolumesFrom), orEmpty(c.SystemControls)
	if h := c.HealthCheck; h != nil {
		check := *h
		check.Interval, check.Timeout, check.Retries = override(h.Interval, aws.Int32(30)), override(h.Timeout, aws.Int32(5)), override(h.Retries, aws.Int32(3))
		c.HealthCheck = &check
	}
	return c
}

// filledPorts names the protocol, and the host port: the container port where the task's network is not translated, else 0 for any.
func filledPorts(given []types.PortMapping, mode types.NetworkMode) []types.PortMapping {
	out := append([]types.PortMapping{}, given...)
	for i := range out {
		m := &out[i]
		if m.Protocol == "" {
			m.Protocol = types.TransportProtocolTcp
		}
		switch {
		case m.ContainerPort == nil: // a range
		case sharesNetwork(mode):
			m.HostPort = m.ContainerPort
		case m.HostPort == nil:
			m.HostPort = aws.Int32(0)
		}
	}
	return out
}

// filledVolumes mounts a file system from its root where no other directory is given, and names the scope of a volume of the engine: one that
// is made where it is missing can only be shared, any other is the task's.
func filledVolumes(given []types.Volume) []types.Volume {
	out := append([]types.Volume{}, given...)
	for i := range out {
		if e := out[i].EfsVolumeConfiguration; e != nil && blank(e.RootDirectory) {
			filled := *e
			filled.RootDirectory = aws.String("/")
			out[i].EfsVolumeConfiguration = &filled
		}
		if d := out[i].DockerVolumeConfiguration; d != nil && d.Scope == "" {
			filled := *d
			filled.Scope = types.ScopeTask
			if yes(d.Autoprovision) {
				filled.Scope = types.ScopeShared
			}
			out[i].DockerVolumeConfiguration = &filled
		}
	}
	return out
}
