package network

import (
	"fmt"
	"io"
	"net"
	"net/netip"
	"testing"

	"github.com/vishvananda/netlink"

	"berth/internal/acsproto"
)

// thousand is a VPC with 1,000 local interfaces in two groups of 20 rules each.
func thousand() world {
	w := newWorld()
	v := w.VPCs["vpc-1"]
	v.Subnets = []acsproto.Subnet{{ID: "subnet-a", CIDR: "10.0.0.0/20"}}
	w.VPCs["vpc-1"] = v
	var rules []acsproto.SecurityRule
	for i := range int32(20) {
		rules = append(rules, tcp(8000+i, "10.0.0.0/16")...)
	}
	w.group("sg-web", rules, everything)
	w.group("sg-db", append(fromGroup(5432, "sg-web"), rules...), everything)
	for i := range 1000 {
		id, a := fmt.Sprintf("eni-%d", i), netip.AddrFrom4([4]byte{10, 0, byte(1 + i/250), byte(4 + i%250)})
		w.Interfaces[id] = acsproto.NetworkInterface{ID: id, VPC: "vpc-1", Subnet: "subnet-a", Address: a.String(), Groups: []string{"sg-web", "sg-db"}, Local: true,
			MAC: fmt.Sprintf("02:00:00:00:%02x:%02x", i/250, i%250)}
	}
	return w
}

// BenchmarkApplyOneRule changes a rule of a group that 1,000 interfaces of the machine are in.
func BenchmarkApplyOneRule(b *testing.B) {
	k, w := newKeeper(b, Config{}), thousand()
	apply(b, k, w)
	port := int32(0)
	for b.Loop() {
		port = (port + 1) % 1000
		w.group("sg-web", tcp(port, "10.0.0.0/16"), everything)
		apply(b, k, w)
	}
}

// BenchmarkApplyOneMember lets an interface of another machine join a group that 1,000 interfaces of this one let in.
func BenchmarkApplyOneMember(b *testing.B) {
	k, w := newKeeper(b, Config{}), thousand()
	apply(b, k, w)
	for n := 0; b.Loop(); n++ {
		id := "eni-far"
		w.Interfaces[id] = acsproto.NetworkInterface{ID: id, VPC: "vpc-1", Subnet: "subnet-a", Address: "10.0.14.9", MAC: "02:00:00:00:ff:01",
			Groups: [][]string{{"sg-web"}, {"sg-db"}}[n%2]}
		apply(b, k, w)
	}
}

// BenchmarkRestart is a new process's first Apply, which makes the table of 1,000 interfaces anew.
func BenchmarkRestart(b *testing.B) {
	c := Config{Installation: installation(b)}
	k, w := newKeeper(b, c), thousand()
	apply(b, k, w)
	must(b, k.Close())
	for b.Loop() {
		k, err := New(c)
		must(b, err)
		apply(b, k, w)
		must(b, k.Close())
	}
}

// BenchmarkAttach attaches an interface of a VPC with 1,000 and detaches it again.
func BenchmarkAttach(b *testing.B) {
	k, w := newKeeper(b, Config{}), thousand()
	apply(b, k, w)
	x := newTask(b)
	for b.Loop() {
		must(b, k.Attach(b.Context(), "eni-7", x.pid))
		b.StopTimer()
		must(b, k.Detach(b.Context(), "eni-7"))
		b.StartTimer()
	}
}

// BenchmarkThroughput sends TCP between two tasks of a VPC, and between two namespaces on a plain bridge.
func BenchmarkThroughput(b *testing.B) {
	b.Run("vpc", func(b *testing.B) {
		k, w := newKeeper(b, Config{}), newWorld()
		w.group("sg-web", fromGroup(5201, "sg-open"), everything)
		w.nic("eni-a", "10.0.1.10", "sg-open")
		w.nic("eni-b", "10.0.1.11", "sg-web")
		apply(b, k, w)
		send(b, attach(b, k, "eni-a"), attach(b, k, "eni-b"), "10.0.1.11:5201")
	})
	b.Run("bridge", func(b *testing.B) {
		needRoot(b)
		s, x, y := newTask(b).space(b), newTask(b), newTask(b)
		must(b, s.links.LinkAdd(&netlink.Bridge{LinkAttrs: netlink.LinkAttrs{Name: "br"}}))
		bridge, err := s.links.LinkByName("br")
		must(b, err)
		for i, t := range []task{x, y} {
			name := fmt.Sprintf("port%d", i)
			must(b, s.links.LinkAdd(&netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: name, MTU: 1500}, PeerName: taskDevice, PeerNamespace: netlink.NsFd(t.ns)}))
			l, err := s.links.LinkByName(name)
			must(b, err)
			must(b, s.links.LinkSetMaster(l, bridge))
			must(b, s.up(name))
			inside := t.space(b)
			l, err = inside.links.LinkByName(taskDevice)
			must(b, err)
			must(b, inside.links.AddrAdd(l, &netlink.Addr{IPNet: ipNet(netip.MustParsePrefix(fmt.Sprintf("10.0.1.1%d/24", i)))}))
			must(b, inside.up(taskDevice))
		}
		must(b, s.up("br"))
		send(b, x, y, "10.0.1.11:5201")
	})
}

// send sends in pieces of 1 MiB.
func send(b *testing.B, from, to task, at string) {
	b.Helper()
	var l net.Listener
	must(b, runIn(to.ns, func() (err error) { l, err = net.Listen("tcp4", at); return err }))
	defer l.Close()
	done := make(chan error, 1)
	go func() {
		c, err := l.Accept()
		if err == nil {
			_, err = io.CopyBuffer(struct{ io.Writer }{io.Discard}, struct{ io.Reader }{c}, make([]byte, 1<<20))
			c.Close()
		}
		done <- err
	}()
	var c net.Conn
	must(b, runIn(from.ns, func() (err error) { c, err = net.Dial("tcp4", at); return err }))
	piece := make([]byte, 1<<20)
	b.SetBytes(int64(len(piece)))
	for b.Loop() {
		_, err := c.Write(piece)
		must(b, err)
	}
	must(b, c.Close())
	must(b, <-done)
}
