package ecs

import (
	"cmp"
	"slices"
)

// Resources are an amount of what a container instance has: registered, used, reserved by a task.
type Resources struct {
	CPUUnits  int     // 1024 are one core
	MemoryMiB int     `json:"memory,omitempty"`
	PortsTCP  []int32 `json:"ports,omitempty"` // host ports held, sorted
	PortsUDP  []int32 `json:"portsUdp,omitempty"`

	ENIs int `json:"enis,omitempty"` // network interfaces of tasks in awsvpc mode

	GPUs []string `json:"gpus,omitempty"` // their ids, sorted; of a task that is not placed yet as many empty ones as it needs
}

// Clone copies r with its ports.
func (r Resources) Clone() Resources {
	r.PortsTCP, r.PortsUDP, r.GPUs = slices.Clone(r.PortsTCP), slices.Clone(r.PortsUDP), slices.Clone(r.GPUs)
	return r
}

// Add returns r with o on top.
func (r Resources) Add(o Resources) Resources {
	return Resources{r.CPUUnits + o.CPUUnits, r.MemoryMiB + o.MemoryMiB, union(r.PortsTCP, o.PortsTCP), union(r.PortsUDP, o.PortsUDP), r.ENIs + o.ENIs, union(r.GPUs, o.GPUs)}
}

// Sub returns r without o.
func (r Resources) Sub(o Resources) Resources {
	return Resources{r.CPUUnits - o.CPUUnits, r.MemoryMiB - o.MemoryMiB, minus(r.PortsTCP, o.PortsTCP), minus(r.PortsUDP, o.PortsUDP), r.ENIs - o.ENIs, minus(r.GPUs, o.GPUs)}
}

// Less is what is left of r, an instance's own, when tasks hold reserved: less CPU and memory, fewer GPUs, and more ports in use.
func (r Resources) Less(reserved Resources) Resources {
	all := r.Add(reserved)
	left := minus(r.GPUs, reserved.GPUs)
	if r.GPUs != nil && left == nil {
		left = []string{}
	}
	return Resources{
		r.CPUUnits - reserved.CPUUnits, r.MemoryMiB - reserved.MemoryMiB,
		slices.Compact(slices.Clone(all.PortsTCP)), slices.Compact(slices.Clone(all.PortsUDP)), r.ENIs - reserved.ENIs, left,
	}
}

// Collide reports whether two sorted lists have a port in common.
func Collide(a, b []int32) bool {
	for len(a) > 0 && len(b) > 0 {
		switch {
		case a[0] == b[0]:
			return true
		case a[0] < b[0]:
			a = a[1:]
		default:
			b = b[1:]
		}
	}
	return false
}

// union merges two sorted lists into a new one; one of them may be returned as it is when the other is empty.
func union[T cmp.Ordered](a, b []T) []T {
	if len(b) == 0 {
		return a
	}
	if len(a) == 0 {
		return b
	}
	out := append(slices.Clone(a), b...)
	slices.Sort(out)
	return out
}

// minus takes each item of b out of a once.
func minus[T cmp.Ordered](a, b []T) []T {
	if len(b) == 0 {
		return a
	}
	out := make([]T, 0, len(a))
	for _, p := range a {
		if len(b) > 0 && slices.Contains(b, p) {
			i := slices.Index(b, p)
			b = slices.Concat(b[:i], b[i+1:])
			continue
		}
		out = append(out, p)
	}
	if len(out) == 0 {
		return nil
	}
	return out
}
