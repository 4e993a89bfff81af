package agent

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"berth/internal/acsproto"
)

// Ports are the machine's host ports, of which the agent chooses some.
type Ports interface {
	// Ephemeral is the range that the kernel and the engine choose from, both ends included.
	Ephemeral() (low, high int32)
	// Free says whether nobody listens on a port of an address, "" for any.
	Free(address, protocol string, port int32) bool
}

// portSpan is a run of ports, both ends included.
type portSpan struct{ first, last int32 }

func (s portSpan) size() int32 { return s.last - s.first + 1 }

func (s portSpan) String() string { return fmt.Sprintf("%d-%d", s.first, s.last) }

// parseSpan reads "8000-8010".
func parseSpan(text string) (s portSpan, err error) {
	from, to, ok := strings.Cut(text, "-")
	first, err1 := strconv.ParseUint(from, 10, 16)
	last, err2 := strconv.ParseUint(to, 10, 16)
	if !ok || err1 != nil || err2 != nil || first == 0 || first > last {
		return s, fmt.Errorf("port range %q is not valid", text)
	}
	return portSpan{int32(first), int32(last)}, nil
}

// containerPorts are a mapping's ports in the container; accept has read them before.
func containerPorts(m acsproto.PortMapping) portSpan {
	if m.ContainerPortRange == "" {
		return portSpan{m.ContainerPort, m.ContainerPort}
	}
	s, err := parseSpan(m.ContainerPortRange)
	if err != nil {
		return portSpan{0, -1}
	}
	return s
}

// chooses says whether the agent chooses a mapping's host ports, and not the engine: those of a range, which must be in a row, and those of a
// container that is started again, which would get others.
func chooses(c acsproto.Container, m acsproto.PortMapping) bool {
	return m.ContainerPortRange != "" || m.HostPort == 0 && c.RestartPolicy != nil && c.RestartPolicy.Enabled
}

// hostPort is the first host port of a container's nth mapping; 0 leaves it to the engine.
func (r *Record) hostPort(c acsproto.Container, n int) int32 {
	if !chooses(c, c.PortMappings[n]) {
		return c.PortMappings[n].HostPort
	}
	at := 0
	for _, m := range c.PortMappings[:n] {
		if chooses(c, m) {
			at++
		}
	}
	if have := r.container(c.Name); have != nil && at < len(have.HostPorts) {
		return have.HostPorts[at]
	}
	return 0
}

// held are the host ports of the containers that are not over, by protocol.
func (r *Record) held(taken map[string]bool) {
	for i := range r.Containers {
		c := &r.Containers[i]
		if c.Phase == Ended || r.Network != "bridge" {
			continue
		}
		o := r.ordered(c.Name)
		for n, m := range o.PortMappings {
			if first := r.hostPort(o, n); first != 0 {
				for p := range containerPorts(m).size() {
					taken[portKey(m.Protocol, first+p)] = true
				}
			}
		}
		for _, b := range c.Bindings {
			taken[portKey(b.Protocol, b.HostPort)] = true
		}
	}
}

func portKey(protocol string, port int32) string { return protocol + "/" + strconv.Itoa(int(port)) }

// choosePorts chooses the host ports of a container's mappings that need it, once. They are written down before it is created.
func (t *task) choosePorts(_ context.Context, name string) error {
	var o acsproto.Container
	var done bool
	t.view(func(r *Record) {
		o = r.ordered(name)
		done = r.Network != "bridge" || len(r.container(name).HostPorts) > 0
	})
	var wanted []acsproto.PortMapping
	for _, m := range o.PortMappings {
		if chooses(o, m) {
			wanted = append(wanted, m)
		}
	}
	if done || len(wanted) == 0 {
		return nil
	}
	a := t.agent
	if a.Ports == nil {
		return fmt.Errorf("this agent chooses no host ports")
	}
	a.choosing.Lock()
	defer a.choosing.Unlock()
	taken := map[string]bool{}
	for _, other := range a.all() {
		other.view(func(r *Record) { r.held(taken) })
	}
	low, high := a.Ports.Ephemeral()
	var chosen []int32
	for _, m := range wanted {
		n := containerPorts(m).size()
		first := freeBlock(low, high, n, func(p int32) bool {
			return !taken[portKey(m.Protocol, p)] && a.Ports.Free(t.in.HostAddress, m.Protocol, p)
		})
		if first == 0 {
			return fmt.Errorf("%d contiguous host ports are unavailable", n)
		}
		for p := range n {
			taken[portKey(m.Protocol, first+p)] = true
		}
		chosen = append(chosen, first)
	}
	t.change(name, func(_ *Record, c *Container) bool { c.HostPorts = chosen; return true })
	return nil
}

// freeBlock finds n free ports in a row, the highest there are: the engine chooses from below. It returns the first, 0 if there are none.
func freeBlock(low, high, n int32, free func(int32) bool) int32 {
	run := int32(0)
	for p := high; p >= low; p-- {
		if !free(p) {
			run = 0
			continue
		}
		if run++; run == n {
			return p
		}
	}
	return 0
}
