package machine

import (
	"net"
	"testing"

	"berth/internal/agent"
)

var _ agent.Ports = HostPorts{}

func TestHostPorts(t *testing.T) {
	low, high := HostPorts{}.Ephemeral()
	if low < 1 || high > 65535 || low >= high {
		t.Errorf("ephemeral ports %d-%d", low, high)
	}
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	taken := int32(l.Addr().(*net.TCPAddr).Port)
	if (HostPorts{}).Free("127.0.0.1", "tcp", taken) {
		t.Errorf("port %d is free, and listened on", taken)
	}
	l.Close()
	if !(HostPorts{}).Free("127.0.0.1", "tcp", taken) {
		t.Errorf("port %d is not free", taken)
	}
	u, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer u.Close()
	if (HostPorts{}).Free("127.0.0.1", "udp", int32(u.LocalAddr().(*net.UDPAddr).Port)) {
		t.Error("a port that is listened on is free")
	}
}
