package network

import (
	"fmt"
	"io"
	"net"
	"net/netip"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"

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

// throughputTime is how long TCP is sent between one pair of ends at a time.
const throughputTime = 2 * time.Second

// BenchmarkThroughput sends TCP between two tasks of a VPC, between two containers on Docker's own bridge, and between two namespaces on a bridge without any
// rules, one after the other: what else the machine does changes from second to second. Use -benchtime 9x.
func BenchmarkThroughput(b *testing.B) {
	k, w := newKeeper(b, Config{}), newWorld()
	w.group("sg-web", fromGroup(5201, "sg-open"), everything)
	w.nic("eni-a", "10.0.1.10", "sg-open")
	w.nic("eni-b", "10.0.1.11", "sg-web")
	apply(b, k, w)
	vpc := connect(b, attach(b, k, "eni-a").ns, attach(b, k, "eni-b").ns, "10.0.1.11:5201")
	from, to, at := contained(b)
	docker := connect(b, from, to, at)
	x, y := bridged(b)
	bare := connect(b, x.ns, y.ns, "10.0.1.11:5201")
	var ours, dockers, bares []float64
	for b.Loop() {
		ours, dockers, bares = append(ours, rate(b, vpc)), append(dockers, rate(b, docker)), append(bares, rate(b, bare))
	}
	b.ReportMetric(median(ours)/1e6, "MB/s")
	b.ReportMetric(median(dockers)/1e6, "MB/s-docker")
	b.ReportMetric(median(bares)/1e6, "MB/s-bare")
	b.ReportMetric(median(ratios(dockers, ours)), "ratio-docker")
	b.ReportMetric(median(ratios(bares, ours)), "ratio-bare")
}

// contained are the namespaces of two containers on Docker's bridge, and an address of the second one.
func contained(b *testing.B) (from, to netns.NsHandle, at string) {
	const image = "berth-test/busybox:1" // the tests of the engine import it
	spaces := []*netns.NsHandle{&from, &to}
	for _, space := range spaces {
		out, err := exec.Command("docker", "run", "-d", "--network", "bridge", "--entrypoint", "/bin/sleep", image, "600").Output()
		if err != nil {
			b.Skip("no Docker Engine with the tests' image:", err)
		}
		id := strings.TrimSpace(string(out))
		b.Cleanup(func() {
			if err := exec.Command("docker", "rm", "-f", id).Run(); err != nil {
				b.Error(err)
			}
		})
		out, err = exec.Command("docker", "inspect", "--format", "{{.State.Pid}} {{.NetworkSettings.IPAddress}}", id).Output()
		must(b, err)
		var pid int
		var address string
		_, err = fmt.Sscan(string(out), &pid, &address)
		must(b, err)
		*space, err = netns.GetFromPid(pid)
		must(b, err)
		b.Cleanup(func() { space.Close() })
		at = address + ":5201"
	}
	return from, to, at
}

// ratios are those of numbers that were measured together.
func ratios(of, to []float64) (list []float64) {
	for i := range of {
		list = append(list, of[i]/to[i])
	}
	return list
}

// bridged are two namespaces on a bridge in a third one, with the addresses 10.0.1.10 and 10.0.1.11.
func bridged(b *testing.B) (x, y task) {
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
	return x, y
}

// connect opens a connection to an address of another namespace, where all that is sent is read. It ends with the benchmark.
func connect(b *testing.B, from, to netns.NsHandle, at string) net.Conn {
	b.Helper()
	var l net.Listener
	must(b, runIn(to, func() (err error) { l, err = net.Listen("tcp4", at); return err }))
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
	err := runIn(from, func() (err error) { c, err = net.Dial("tcp4", at); return err })
	b.Cleanup(func() {
		if c != nil {
			c.Close()
		}
		l.Close()
		if err := <-done; err != nil && c != nil {
			b.Error(err)
		}
	})
	must(b, err)
	return c
}

// rate sends for a while in pieces of 1 MiB, and returns bytes a second.
func rate(b *testing.B, c net.Conn) float64 {
	b.Helper()
	piece, sent, began := make([]byte, 1<<20), 0, time.Now()
	for time.Since(began) < throughputTime {
		n, err := c.Write(piece)
		must(b, err)
		sent += n
	}
	return float64(sent) / time.Since(began).Seconds()
}

func median(list []float64) float64 {
	list = slices.Sorted(slices.Values(list))
	return list[len(list)/2]
}
