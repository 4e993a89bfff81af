package network

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"sync"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// vpc is a VPC's namespace on this machine.
type vpc struct {
	id      string
	space   *space
	machine *machine

	mu      sync.Mutex // held while the namespace is changed, and for what is below
	plan    plan       // the last one that was applied
	have    *found     // nil: not known, the namespace must be read
	answers *answers   // DNS; nil is off
	ports   map[*listener]bool
	gone    []netip.Addr // of devices that were removed, until their connections are forgotten
}

// Sizes of packets, in bytes.
const (
	mtuPlain  = 1500
	mtuTunnel = 1450 // VXLAN takes 50
)

// mtu is that of tasks' interfaces.
func (p plan) mtu() int {
	if p.underlay.IsValid() {
		return mtuTunnel
	}
	return mtuPlain
}

// apply makes the namespace as planned. What is wrong halfway is read again at the next attempt.
func (v *vpc) apply(ctx context.Context, p plan) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.have == nil {
		if err := v.begin(p); err != nil {
			return err
		}
	}
	have := v.have
	v.have = nil
	if err := v.change(ctx, p, have); err != nil {
		return err
	}
	before := v.plan
	v.plan, v.have = p, have
	if err := v.serve(p); err != nil {
		v.have = nil
		return err
	}
	return v.forget(before, p)
}

// begin puts the rules in place before anything can pass, and then reads what is there. What was there before, of an earlier process, gets the new table
// in one transaction.
func (v *vpc) begin(p plan) error {
	if err := v.space.settings(
		setting{"ipv6/conf/all/disable_ipv6", "1"}, setting{"ipv6/conf/default/disable_ipv6", "1"},
		setting{"ipv4/conf/all/rp_filter", "0"}, setting{"ipv4/conf/default/rp_filter", "1"},
		setting{"ipv4/conf/all/send_redirects", "0"}, setting{"ipv4/conf/default/send_redirects", "0"},
		setting{"ipv4/conf/all/accept_redirects", "0"}, setting{"ipv4/conf/default/accept_redirects", "0"},
		setting{"ipv4/conf/all/proxy_arp", "0"}, setting{"ipv4/conf/default/proxy_arp", "0"},
	); err != nil {
		return err
	}
	if err := v.space.do("make the table anew", func() error { return v.space.rules.apply(all(p.table), p.table) }); err != nil {
		return err
	}
	if err := v.space.settings(
		setting{"netfilter/nf_conntrack_tcp_loose", "0"}, // a connection that is forgotten does not come back by its next packet
		setting{"netfilter/nf_conntrack_tcp_be_liberal", "1"},
		setting{"ipv4/ip_forward", "1"},
	); err != nil {
		return err
	}
	if err := v.space.up(loopback); err != nil {
		return err
	}
	have, err := v.space.read()
	if err != nil {
		return err
	}
	have.table = p.table
	v.have = &have
	return nil
}

// change brings the namespace from what it has to what is planned, and notes it in have.
func (v *vpc) change(ctx context.Context, p plan, have *found) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if c := diff(have.table, p.table); !c.empty() {
		if err := v.space.do("change the table", func() error { return v.space.rules.apply(c, p.table) }); err != nil {
			return err
		}
	}
	have.table = p.table
	if err := v.dropDevices(p, have); err != nil {
		return err
	}
	own := map[netip.Addr]bool{}
	for _, a := range p.own {
		own[a] = true
	}
	if err := v.space.setAddresses(loopback, have.addresses, own); err != nil {
		return err
	}
	have.addresses = own
	if err := v.links(p, have); err != nil {
		return err
	}
	if err := v.setHosts(p, have.hosts); err != nil {
		return err
	}
	have.hosts = p.hosts
	if err := v.space.setRoutes(have.routes, p.routes); err != nil {
		return err
	}
	have.routes = p.routes
	if err := v.space.setRules(have.rules, p.rules); err != nil {
		return err
	}
	have.rules = p.rules
	if !p.out {
		return v.space.deleteLink(wayOut)
	}
	return nil
}

// dropDevices removes the devices of interfaces that are not planned, or are others now.
func (v *vpc) dropDevices(p plan, have *found) error {
	wanted := map[string]bool{}
	for id, n := range p.interfaces {
		if before, ok := v.plan.interfaces[id]; !ok || before.same(n) {
			wanted[device(id)] = true
		}
	}
	for _, name := range sortedKeys(have.devices) {
		if wanted[name] {
			continue
		}
		if err := v.space.deleteLink(name); err != nil {
			return err
		}
		if a := have.devices[name]; a.IsValid() {
			v.gone = append(v.gone, a)
		}
		delete(have.devices, name)
	}
	return nil
}

// links makes the devices that are no task's. One that was there before this plan is left as it is.
func (v *vpc) links(p plan, have *found) error {
	if p.out {
		if err := v.machine.makeWay(v, p, have); err != nil {
			return err
		}
	}
	if p.underlay.IsValid() {
		return v.makeTunnel(p, have)
	}
	return v.space.deleteLink(tunnel)
}

// makeTunnel makes the VXLAN device. Its outer packets are the machine's, so it is made there.
func (v *vpc) makeTunnel(p plan, have *found) error {
	want := &netlink.Vxlan{
		LinkAttrs: netlink.LinkAttrs{
			Name: tunnel, MTU: mtuTunnel, HardwareAddr: tunnelMAC(p.underlay, v.id), Namespace: netlink.NsFd(v.space.ns), TxQLen: -1,
		},
		VxlanId: int(p.vni), SrcAddr: p.underlay.AsSlice(), Port: v.machine.port, Learning: false,
	}
	l, err := v.space.link(tunnel)
	if err != nil {
		return err
	}
	if old, ok := l.(*netlink.Vxlan); ok {
		if old.VxlanId == want.VxlanId && old.SrcAddr.Equal(want.SrcAddr) && old.Port == want.Port {
			return v.space.up(tunnel)
		}
		if err := v.space.deleteLink(tunnel); err != nil {
			return err
		}
	}
	have.lose(tunnel)
	err = v.space.do("make the VXLAN device", func() error { return v.machine.space.links.LinkAdd(want) })
	if errors.Is(err, unix.EEXIST) {
		return fmt.Errorf("VNI %d is in use on UDP port %d of this machine: %w", p.vni, v.machine.port, err)
	}
	if err != nil {
		return err
	}
	return v.space.up(tunnel)
}

// setHosts tells the tunnel which machines there are, so that it never has to ask. They are neighbours by their own addresses, gateways of all
// interfaces that they have.
func (v *vpc) setHosts(p plan, have map[netip.Addr]bool) error {
	if !p.underlay.IsValid() {
		return nil
	}
	gone, new := differencesFunc(have, p.hosts, netip.Addr.Compare)
	if len(gone)+len(new) == 0 {
		return nil
	}
	l, err := v.space.links.LinkByName(tunnel)
	if err != nil {
		return fmt.Errorf("look for the VXLAN device: %w", err)
	}
	entries := func(host netip.Addr) (neighbour, forward *netlink.Neigh) {
		n := netlink.Neigh{LinkIndex: l.Attrs().Index, IP: host.AsSlice(), HardwareAddr: tunnelMAC(host, v.id), State: netlink.NUD_PERMANENT}
		f := n
		n.Family = unix.AF_INET
		f.Family, f.Flags = unix.AF_BRIDGE, netlink.NTF_SELF
		return &n, &f
	}
	for _, h := range new {
		n, f := entries(h)
		if err := v.space.do("add machine "+h.String(), func() error { return errors.Join(v.space.links.NeighSet(f), v.space.links.NeighSet(n)) }); err != nil {
			return err
		}
	}
	for _, h := range gone {
		n, f := entries(h)
		err := v.space.do("forget machine "+h.String(), func() error {
			return errors.Join(ignore(v.space.links.NeighDel(f), unix.ENOENT), ignore(v.space.links.NeighDel(n), unix.ENOENT))
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// hosts are the other machines of the VPC, as of the last plan.
func (v *vpc) hosts() map[netip.Addr]bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.plan.hosts
}

// up brings a device up.
func (s *space) up(name string) error {
	l, err := s.links.LinkByName(name)
	if err != nil {
		return fmt.Errorf("look for device %s: %w", name, err)
	}
	if l.Attrs().Flags&unix.IFF_UP != 0 {
		return nil
	}
	return s.do("bring up "+name, func() error { return s.links.LinkSetUp(l) })
}

// close ends what this process serves in the namespace, and leaves all else.
func (v *vpc) close() error {
	v.mu.Lock()
	defer v.mu.Unlock()
	var failed []error
	for p := range v.ports {
		failed = append(failed, p.Listener.Close())
	}
	v.ports, v.plan, v.have = nil, plan{}, nil
	if v.answers != nil {
		failed = append(failed, v.answers.close())
		v.answers = nil
	}
	return errors.Join(append(failed, v.space.close())...)
}
