package agent

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"berth/internal/acsproto"
)

func TestFreeBlock(t *testing.T) {
	busy := map[int32]bool{17: true, 14: true}
	free := func(p int32) bool { return !busy[p] }
	for _, c := range []struct{ low, high, n, want int32 }{
		{10, 20, 1, 20}, {10, 20, 3, 18}, {10, 20, 4, 10}, {10, 20, 5, 0}, {10, 16, 2, 15}, {10, 9, 1, 0},
	} {
		if got := freeBlock(c.low, c.high, c.n, free); got != c.want {
			t.Errorf("%d free of %d-%d: got %d, want %d", c.n, c.low, c.high, got, c.want)
		}
	}
}

func TestNetworkBindings(t *testing.T) {
	o := acsproto.Container{PortMappings: []acsproto.PortMapping{{ContainerPort: 80, Protocol: "tcp"}, {ContainerPortRange: "81-84", Protocol: "tcp"},
		{ContainerPortRange: "81-82", Protocol: "udp"}}}
	b := func(inside, outside int32, protocol string) Binding {
		return Binding{HostIP: "127.0.1.1", ContainerPort: inside, HostPort: outside, Protocol: protocol}
	}
	list := []Binding{b(80, 8080, "tcp"), b(81, 9001, "tcp"), b(81, 7001, "udp"), b(82, 9002, "tcp"), b(82, 7002, "udp"), b(83, 9005, "tcp"), b(84, 9006, "tcp")}
	var got []string
	for _, n := range networkBindings(o, list) {
		if n.ContainerPortRange != nil {
			got = append(got, string(n.Protocol)+" "+*n.ContainerPortRange+" "+*n.HostPortRange)
			continue
		}
		got = append(got, string(n.Protocol)+" "+portSpan{*n.ContainerPort, *n.HostPort}.String())
	}
	want := []string{"tcp 80-8080", "tcp 81-82 9001-9002", "tcp 83-84 9005-9006", "udp 81-82 7001-7002"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
