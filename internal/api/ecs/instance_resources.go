package ecs

import (
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/apierr"
	"berth/internal/ecs"
)

// registeredResources reads what an agent says that its machine has: CPU and MEMORY, and the ports that are taken. GPUs it says as devices
// (registeredGPUs); other devices are no resources, so that nothing is placed for them.
func registeredResources(list []types.Resource) (out ecs.Resources, err error) {
	for _, r := range list {
		switch name := text(r.Name); name {
		case "CPU":
			out.CPUUnits, err = amount(r)
		case "MEMORY":
			out.MemoryMiB, err = amount(r)
		case "PORTS":
			out.PortsTCP, err = takenPorts(r)
		case "PORTS_UDP":
			out.PortsUDP, err = takenPorts(r)
		case "GPU", "NEURON_CORES":
		default:
			err = apierr.InvalidParameter("totalResources: unknown resource '%s'", name)
		}
		if err != nil {
			return out, err
		}
	}
	if out.CPUUnits == 0 || out.MemoryMiB == 0 {
		return out, apierr.InvalidParameter("totalResources must have CPU and MEMORY.")
	}
	return out, nil
}

// registeredGPUs reads the ids of the GPUs that an agent says its machine has. nil where it has none.
func registeredGPUs(list []types.PlatformDevice) (out []string, err error) {
	for _, d := range list {
		if text(d.Id) == "" || d.Type != types.PlatformDeviceTypeGpu {
			return nil, apierr.InvalidParameter("platformDevices: a device should have an id and the type GPU")
		}
		out = append(out, *d.Id)
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}

// amount reads a resource that is a number, and at least 1.
func amount(r types.Resource) (int, error) {
	if t := text(r.Type); t != "INTEGER" {
		return 0, apierr.InvalidParameter("totalResources: the type of %s should be INTEGER, but was '%s'", *r.Name, t)
	}
	if r.IntegerValue < 1 {
		return 0, apierr.InvalidParameter("totalResources: the integerValue of %s must be at least 1, but was %d", *r.Name, r.IntegerValue)
	}
	return int(r.IntegerValue), nil
}

// takenPorts reads a set of ports, sorted and each once.
func takenPorts(r types.Resource) ([]int32, error) {
	if t := text(r.Type); t != "STRINGSET" {
		return nil, apierr.InvalidParameter("totalResources: the type of %s should be STRINGSET, but was '%s'", *r.Name, t)
	}
	var out []int32
	for _, s := range r.StringSetValue {
		n, err := strconv.ParseUint(s, 10, 16)
		if err != nil || n == 0 {
			return nil, apierr.InvalidParameter("totalResources: '%s' of %s is no port.", s, *r.Name)
		}
		out = append(out, int32(n))
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}

// resourcesView lists resources in AWS's order. Ports are those in use. Only an instance that has GPUs shows them.
func resourcesView(r ecs.Resources) []types.Resource {
	out := []types.Resource{
		{Name: new("CPU"), Type: new("INTEGER"), IntegerValue: int32(r.CPUUnits)},
		{Name: new("MEMORY"), Type: new("INTEGER"), IntegerValue: int32(r.MemoryMiB)},
		{Name: new("PORTS"), Type: new("STRINGSET"), StringSetValue: portsView(r.PortsTCP)},
		{Name: new("PORTS_UDP"), Type: new("STRINGSET"), StringSetValue: portsView(r.PortsUDP)},
	}
	if r.GPUs != nil {
		out = append(out, types.Resource{Name: new("GPU"), Type: new("STRINGSET"), StringSetValue: r.GPUs})
	}
	return out
}

func portsView(ports []int32) []string {
	return texts(ports, func(p int32) string { return strconv.Itoa(int(p)) })
}

// registeredInterfaces is how many network interfaces an agent says that its instance's tasks can have: none where it does not run tasks in awsvpc mode.
func registeredInterfaces(attributes []types.Attribute) (n int, err error) {
	for _, a := range attributes {
		switch text(a.Name) {
		case ecs.AttributeTaskENI:
			n = max(n, ecs.DefaultInterfaces)
		case ecs.AttributeInterfaces:
			if n, err = strconv.Atoi(text(a.Value)); err != nil || n < 0 {
				return 0, apierr.InvalidParameter("The attribute %s is a number, and not '%s'.", ecs.AttributeInterfaces, text(a.Value))
			}
			return n, nil
		}
	}
	return n, nil
}
