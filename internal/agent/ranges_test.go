package agent_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"berth/internal/acsproto"
)

// fakePorts are the ports 40000 to 40009, of which some are busy.
type fakePorts map[int32]bool

func (fakePorts) Ephemeral() (low, high int32)        { return 40000, 40009 }
func (p fakePorts) Free(_, _ string, port int32) bool { return !p[port] }

// bindings are those of a task's last report.
func (w *world) bindings(arn string) string {
	reports := w.control.Reports(arn)
	if len(reports) == 0 {
		return "nothing"
	}
	var words []string
	for _, c := range reports[len(reports)-1].Containers {
		for _, b := range c.NetworkBindings {
			if b.HostPortRange != nil {
				words = append(words, fmt.Sprintf("%s->%s/%s", *b.ContainerPortRange, *b.HostPortRange, b.Protocol))
			} else {
				words = append(words, fmt.Sprintf("%d->%d/%s", *b.ContainerPort, *b.HostPort, b.Protocol))
			}
		}
	}
	return strings.Join(words, " ")
}

func ranged(name string, mappings ...acsproto.PortMapping) acsproto.Container {
	c := essential(name, "app")
	c.PortMappings = mappings
	return c
}

func TestPortRanges(t *testing.T) {
	tcp := func(span string) acsproto.PortMapping {
		return acsproto.PortMapping{ContainerPortRange: span, Protocol: "tcp"}
	}
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.config.Ports = fakePorts{40008: true}
		w.start()
		defer func() { w.kill() }()
		one, two, three := task(1, ranged("a", tcp("80-82"))), task(2, ranged("b", tcp("80-81"), acsproto.PortMapping{ContainerPortRange: "90-92", Protocol: "udp"})),
			task(3, ranged("c", tcp("1-4")))
		for _, x := range []acsproto.Task{one, two, three} {
			w.control.Run(x)
			synctest.Wait()
		}
		got := []string{w.bindings(one.ARN), w.bindings(two.ARN)}
		if diff := cmp.Diff([]string{"80-82->40005-40007/tcp", "80-81->40003-40004/tcp 90-92->40005-40007/udp"}, got); diff != "" {
			t.Errorf("bindings (-want +got):\n%s", diff)
		}
		w.expect(three.ARN, "STOPPED c:STOPPED CannotCreateContainerError: 4 contiguous host ports are unavailable")
		w.kill()
		w.start() // what was chosen is known again
		w.control.Stop(one.ARN)
		time.Sleep(time.Second)
		four := task(4, ranged("d", tcp("5-6")))
		w.control.Run(four)
		synctest.Wait()
		if got := w.bindings(four.ARN); got != "5-6->40006-40007/tcp" {
			t.Errorf("bindings %s", got)
		}
	})
}

// A container that is started again keeps its host port, so the agent chooses it.
func TestPortOfRestarts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.config.Ports = fakePorts{}
		w.start()
		defer func() { w.kill() }()
		c := restarting("a", "job", 60)
		c.PortMappings = []acsproto.PortMapping{{ContainerPort: 80, Protocol: "tcp"}}
		w.control.Run(task(1, c))
		time.Sleep(3 * time.Minute)
		synctest.Wait()
		if got := w.bindings(task(1).ARN); got != "80->40009/tcp" || len(w.control.Statuses(task(1).ARN)) != 1 {
			t.Errorf("bindings %s, statuses %v", got, w.control.Statuses(task(1).ARN))
		}
	})
}

func TestNoPorts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.start()
		defer func() { w.kill() }()
		w.control.Run(task(1, ranged("a", acsproto.PortMapping{ContainerPortRange: "80-81", Protocol: "tcp"})))
		w.expect(task(1).ARN, "STOPPED a:STOPPED CannotCreateContainerError: this agent chooses no host ports")
	})
}
