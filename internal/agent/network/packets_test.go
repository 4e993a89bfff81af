package network

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// serveUDP answers each packet with the address that it came from.
func (k task) serveUDP(t testing.TB, port int) {
	t.Helper()
	var c net.PacketConn
	if err := runIn(k.ns, func() (err error) { c, err = net.ListenPacket("udp4", fmt.Sprintf(":%d", port)); return err }); err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		b := make([]byte, 1500)
		for {
			_, from, err := c.ReadFrom(b)
			if errors.Is(err, net.ErrClosed) {
				return
			}
			if err == nil {
				_, _ = c.WriteTo([]byte(from.String()), from)
			}
		}
	}()
	t.Cleanup(func() { c.Close(); <-done })
}

// asks tells whether a UDP packet is answered.
func (k task) asks(t testing.TB, at string, wait time.Duration) bool {
	t.Helper()
	var c net.Conn
	if err := runIn(k.ns, func() (err error) { c, err = net.Dial("udp4", at); return err }); err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(wait))
	if _, err := c.Write([]byte("?")); err != nil {
		return false
	}
	b := make([]byte, 100)
	n, err := c.Read(b)
	return err == nil && n > 0
}

// pings tells whether an ICMP echo is answered.
func (k task) pings(t testing.TB, to string, wait time.Duration) bool {
	t.Helper()
	return k.icmp(t, to, 8, wait)
}

// icmp sends a message of a type, and tells whether an echo reply with its id comes back.
func (k task) icmp(t testing.TB, to string, kind byte, wait time.Duration) bool {
	t.Helper()
	var c net.PacketConn
	if err := runIn(k.ns, func() (err error) { c, err = net.ListenPacket("ip4:icmp", "0.0.0.0"); return err }); err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	id := uint16(os.Getpid()) ^ uint16(time.Now().UnixNano())
	m := []byte{kind, 0, 0, 0, byte(id >> 8), byte(id), 0, 1}
	binary.BigEndian.PutUint16(m[2:], checksum(m))
	_ = c.SetDeadline(time.Now().Add(wait))
	if _, err := c.WriteTo(m, &net.IPAddr{IP: net.ParseIP(to)}); err != nil {
		return false
	}
	b := make([]byte, 1500)
	for {
		n, from, err := c.ReadFrom(b)
		if err != nil {
			return false
		}
		if n >= 8 && b[0] == 0 && binary.BigEndian.Uint16(b[4:]) == id && strings.HasPrefix(from.String(), to) {
			return true
		}
	}
}

func checksum(b []byte) uint16 {
	var sum uint32
	for i := 0; i+1 < len(b); i += 2 {
		sum += uint32(b[i])<<8 | uint32(b[i+1])
	}
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	return ^uint16(sum)
}

// udpPacket is an IPv4 packet with a byte of UDP, from port 4000.
func udpPacket(source, destination string, port uint16) []byte {
	from, to := netip.MustParseAddr(source).As4(), netip.MustParseAddr(destination).As4()
	p := make([]byte, 29)
	p[0], p[8], p[9] = 0x45, 64, unix.IPPROTO_UDP
	binary.BigEndian.PutUint16(p[2:], uint16(len(p)))
	copy(p[12:], from[:])
	copy(p[16:], to[:])
	binary.BigEndian.PutUint16(p[10:], checksum(p[:20]))
	binary.BigEndian.PutUint16(p[20:], 4000)
	binary.BigEndian.PutUint16(p[22:], port)
	binary.BigEndian.PutUint16(p[24:], 9)
	return p
}

// forge sends a UDP packet with any source from a task, as a task with NET_RAW can.
func (k task) forge(t testing.TB, source, destination string, port uint16) {
	t.Helper()
	p, to := udpPacket(source, destination, port), netip.MustParseAddr(destination).As4()
	err := runIn(k.ns, func() error {
		s, err := unix.Socket(unix.AF_INET, unix.SOCK_RAW, unix.IPPROTO_RAW)
		if err != nil {
			return err
		}
		defer unix.Close(s)
		return unix.Sendto(s, p, 0, &unix.SockaddrInet4{Addr: to})
	})
	if err != nil {
		t.Fatal(err)
	}
}

// claim sends ARP messages in which a task says that an address is its own.
func (k task) claim(t testing.TB, address string) {
	t.Helper()
	a := netip.MustParseAddr(address).As4()
	err := runIn(k.ns, func() error {
		i, err := net.InterfaceByName(taskDevice)
		if err != nil {
			return err
		}
		s, err := unix.Socket(unix.AF_PACKET, unix.SOCK_DGRAM, int(htons(unix.ETH_P_ARP)))
		if err != nil {
			return err
		}
		defer unix.Close(s)
		to := &unix.SockaddrLinklayer{Protocol: htons(unix.ETH_P_ARP), Ifindex: i.Index, Halen: 6, Addr: [8]byte{255, 255, 255, 255, 255, 255}}
		for _, operation := range []byte{1, 2} { // a request and a reply
			p := append([]byte{0, 1, 8, 0, 6, 4, 0, operation}, i.HardwareAddr...)
			p = append(append(p, a[:]...), i.HardwareAddr...)
			if err := unix.Sendto(s, append(p, a[:]...), 0, to); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// forgeUntilHeard sends until a packet comes: a wire that has just come up loses some.
func (k task) forgeUntilHeard(t testing.TB, source, destination string, port uint16, heard func(time.Duration) string) {
	t.Helper()
	for until := time.Now().Add(patience); time.Now().Before(until); {
		k.forge(t, source, destination, port)
		if from := heard(silence); from != "" {
			if from != source+":4000" {
				t.Fatalf("a true packet came from %s", from)
			}
			for heard(silence/10) != "" { // those before it that were late
			}
			return
		}
	}
	t.Fatal("no true packet came")
}

func htons(n uint16) uint16 { return n<<8 | n>>8 }

// hears opens a UDP port and returns a function that tells whether a packet came.
func (k task) hears(t testing.TB, port int) func(wait time.Duration) (from string) {
	t.Helper()
	var c net.PacketConn
	if err := runIn(k.ns, func() (err error) { c, err = net.ListenPacket("udp4", fmt.Sprintf(":%d", port)); return err }); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return func(wait time.Duration) string {
		_ = c.SetDeadline(time.Now().Add(wait))
		_, from, err := c.ReadFrom(make([]byte, 100))
		if err != nil {
			return ""
		}
		return from.String()
	}
}
