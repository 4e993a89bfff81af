package ecs

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/apierr"
)

// portSpan is a run of ports of one protocol, both ends included.
type portSpan struct {
	protocol    string
	first, last int32
}

func (s portSpan) meets(o portSpan) bool {
	return s.protocol == o.protocol && s.first <= o.last && o.first <= s.last
}

func (s portSpan) single() bool { return s.first == s.last }

// portFault finds a port that is in use already.
func portFault(what string, s portSpan, taken []portSpan) error {
	for _, o := range taken {
		if s.meets(o) {
			return apierr.ClientException("The %s port is used multiple times in task: %d/%s.", what, max(s.first, o.first), s.protocol)
		}
	}
	return nil
}

// definitionPorts checks the port mappings of all containers, singly and against each other: where containers share the task's network, a
// container port is used once, else a fixed host port is; and a port of a range is in no other mapping of its container.
func definitionPorts(in *awsecs.RegisterTaskDefinitionInput) error {
	names := map[string]bool{}
	var taken []portSpan
	for i := range in.ContainerDefinitions {
		c := &in.ContainerDefinitions[i]
		if ranges(c) > mostRanges {
			return apierr.ClientException("Invalid 'portMappings' setting for container '%s': it can have at most %d port ranges.", *c.Name, mostRanges)
		}
		var own []portSpan
		for _, m := range c.PortMappings {
			if err := mappingFault(in.NetworkMode, *c.Name, m); err != nil {
				return err
			}
			if m.Name != nil && names[*m.Name] {
				return apierr.ClientException("The port mapping name is already used: '%s'.", *m.Name)
			}
			names[text(m.Name)] = true
			span, what := heldPorts(in.NetworkMode, m)
			if what != "" {
				if err := portFault(what, span, taken); err != nil {
					return err
				}
				taken = append(taken, span)
			}
			inside := containerSpan(m)
			if err := portFault("container", inside, slices.DeleteFunc(slices.Clone(own), func(o portSpan) bool { return inside.single() && o.single() })); err != nil {
				return err
			}
			own = append(own, inside)
		}
	}
	return nil
}

// mostRanges is how many port ranges a container can have.
const mostRanges = 100

func ranges(c *types.ContainerDefinition) (n int) {
	for _, m := range c.PortMappings {
		if m.ContainerPortRange != nil {
			n++
		}
	}
	return n
}

// mappingFault checks one mapping by itself.
func mappingFault(mode types.NetworkMode, container string, m types.PortMapping) error {
	switch {
	case m.ContainerPortRange != nil && m.ContainerPort != nil:
		return apierr.ClientException("Invalid 'portMappings' setting for container '%s': cannot specify both single port and port range.", container)
	case m.ContainerPortRange != nil:
		if err := rangeFault(mode, container, m); err != nil {
			return err
		}
	case m.ContainerPort == nil || outside(m.ContainerPort, 1, 65535):
		return apierr.ClientException("Invalid 'containerPort' setting for container '%s': it must be between 1 and 65535.", container)
	case outside(m.HostPort, 0, 65535):
		return apierr.ClientException("Invalid 'hostPort' setting for container '%s': it must be between 0 and 65535.", container)
	case sharesNetwork(mode) && number(m.HostPort) != 0 && *m.HostPort != *m.ContainerPort:
		return apierr.ClientException("When networkMode=%s, the host ports and container ports in port mappings must match.", mode)
	}
	if m.Name != nil && !portName.MatchString(*m.Name) {
		return apierr.ClientException("Invalid port mapping name for container '%s': it should be 1 to 64 lowercase letters, digits, "+
			"hyphens and underscores, and not begin with a hyphen.", container)
	}
	if err := validateEnum("portMappings.protocol", m.Protocol); err != nil {
		return clientException(err)
	}
	return clientException(validateEnum("portMappings.appProtocol", m.AppProtocol))
}

// portName is what a port mapping can be called.
var portName = regexp.MustCompile(`^[a-z0-9_][a-z0-9_-]{0,63}$`)

// rangeFault checks a mapping of a range. Its host ports are never the caller's choice.
func rangeFault(mode types.NetworkMode, container string, m types.PortMapping) error {
	s, ok := portRange(*m.ContainerPortRange)
	switch {
	case !ok || s.first >= s.last:
		return apierr.ClientException("Invalid 'containerPortRange' setting for container '%s': '%s'.", container, *m.ContainerPortRange)
	case number(m.HostPort) != 0:
		return apierr.ClientException("Invalid 'hostPort' setting for container '%s': it cannot be specified with a containerPortRange.", container)
	case mode == types.NetworkModeHost:
		return apierr.ClientException("Invalid 'containerPortRange' setting for container '%s': "+
			"it is supported only when networkMode is bridge or awsvpc.", container)
	}
	return nil
}

// sharesNetwork reports whether a mode gives all containers of a task the same ports, inside and outside.
func sharesNetwork(mode types.NetworkMode) bool {
	return mode == types.NetworkModeAwsvpc || mode == types.NetworkModeHost
}

// heldPorts are the ports that nothing else in the task can have, and which kind of port they are; "" where there are none.
func heldPorts(mode types.NetworkMode, m types.PortMapping) (s portSpan, what string) {
	switch s = containerSpan(m); {
	case sharesNetwork(mode):
		what = "container"
	case number(m.HostPort) != 0:
		s.first, s.last, what = *m.HostPort, *m.HostPort, "host"
	}
	return s, what
}

// containerSpan are a mapping's ports in the container.
func containerSpan(m types.PortMapping) (s portSpan) {
	if m.ContainerPortRange != nil {
		s, _ = portRange(*m.ContainerPortRange)
	} else {
		s.first, s.last = *m.ContainerPort, *m.ContainerPort
	}
	s.protocol = "tcp"
	if m.Protocol != "" {
		s.protocol = string(m.Protocol)
	}
	return s
}

// portRange reads "8000-8010".
func portRange(text string) (portSpan, bool) {
	from, to, ok := strings.Cut(text, "-")
	first, err1 := strconv.ParseUint(from, 10, 16)
	last, err2 := strconv.ParseUint(to, 10, 16)
	return portSpan{first: int32(first), last: int32(last)}, ok && err1 == nil && err2 == nil && first > 0
}

// number is *n, 0 where there is none.
func number(n *int32) int32 {
	if n == nil {
		return 0
	}
	return *n
}
