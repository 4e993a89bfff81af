package network

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// attach gives a process's namespace the interface. ok tells whether the VPC has it.
func (v *vpc) attach(ctx context.Context, id string, pid int) (ok bool, err error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	n, ok := v.plan.interfaces[id]
	if !ok || v.have == nil { // nothing runs without its rules
		return false, ctx.Err()
	}
	task, err := v.openTask(pid)
	if err != nil {
		return true, err
	}
	defer task.Close()
	var inside *netlink.Handle
	err = runIn(task, func() (err error) { inside, err = netlink.NewHandle(unix.NETLINK_ROUTE); return err })
	if err != nil {
		return true, fmt.Errorf("open netlink of process %d: %w", pid, err)
	}
	defer inside.Close()
	if err := v.makePair(n, task, inside); err != nil {
		return true, err
	}
	v.have.devices[device(id)] = n.address
	if err := v.setOuter(n); err != nil {
		return true, err
	}
	return true, v.setInner(n, inside)
}

// settleTime is how long the kernel may take to let a new device send.
const settleTime = time.Second

// settle waits until the VPC's end sends. The kernel begins with that a moment after the other end has come up, and drops packets until then: a task's first
// connection would wait a second for its next attempt.
func (v *vpc) settle(ctx context.Context, name string) error {
	for end := time.Now().Add(settleTime); time.Now().Before(end); {
		l, err := v.space.links.LinkByName(name)
		if err != nil {
			return fmt.Errorf("look for device %s: %w", name, err)
		}
		if l.Attrs().OperState == netlink.OperUp {
			return nil
		}
		select {
		case <-time.After(time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// openTask opens a process's network namespace, which must be its own.
func (v *vpc) openTask(pid int) (netns.NsHandle, error) {
	task, err := netns.GetFromPid(pid)
	if err != nil {
		return 0, fmt.Errorf("open the network namespace of process %d: %w", pid, err)
	}
	if task.Equal(v.machine.space.ns) || task.Equal(v.space.ns) {
		return 0, errors.Join(fmt.Errorf("process %d has no network namespace of its own", pid), task.Close())
	}
	return task, nil
}

// makePair makes both ends at once, each in its place with its name and address. One whose other end is elsewhere goes first.
func (v *vpc) makePair(n nic, task netns.NsHandle, inside *netlink.Handle) error {
	outer, err := v.space.link(device(n.id))
	if err != nil {
		return err
	}
	inner, err := inside.LinkByName(taskDevice)
	if err != nil && !errors.As(err, &netlink.LinkNotFoundError{}) {
		return fmt.Errorf("look for %s: %w", taskDevice, err)
	}
	if err == nil {
		if outer != nil && isPair(outer, inner, n) {
			return nil
		}
		return fmt.Errorf("the process has another %s already", taskDevice)
	}
	if outer != nil {
		if err := v.space.deleteLink(device(n.id)); err != nil {
			return err
		}
	}
	pair := &netlink.Veth{
		LinkAttrs: netlink.LinkAttrs{Name: device(n.id), MTU: v.plan.mtu(), HardwareAddr: gatewayMAC(), TxQLen: 1000},
		PeerName:  taskDevice, PeerHardwareAddr: n.mac, PeerNamespace: netlink.NsFd(task), PeerMTU: uint32(v.plan.mtu()),
	}
	return v.space.do("make interface "+n.id, func() error { return v.space.links.LinkAdd(pair) })
}

// isPair tells whether both are the ends of the interface.
func isPair(outer, inner netlink.Link, n nic) bool {
	o, i := outer.Attrs(), inner.Attrs()
	return o.ParentIndex == i.Index && i.ParentIndex == o.Index && i.HardwareAddr.String() == n.mac.String()
}

// setOuter makes the VPC's end a router's: it answers for all other addresses, knows its one neighbour, and hears no other claim.
func (v *vpc) setOuter(n nic) error {
	name := device(n.id)
	l, err := v.space.links.LinkByName(name)
	if err != nil {
		return fmt.Errorf("look for device %s: %w", name, err)
	}
	if err := v.space.settings(setting{"ipv4/conf/" + name + "/proxy_arp", "1"}, setting{"ipv4/neigh/" + name + "/proxy_delay", "0"},
		setting{"ipv4/conf/" + name + "/rp_filter", "1"}); err != nil {
		return err
	}
	neighbour := &netlink.Neigh{LinkIndex: l.Attrs().Index, Family: unix.AF_INET, IP: n.address.AsSlice(), HardwareAddr: n.mac, State: netlink.NUD_PERMANENT}
	if err := v.space.do("set the neighbour of "+name, func() error { return v.space.links.NeighSet(neighbour) }); err != nil {
		return err
	}
	if err := v.space.up(name); err != nil {
		return err
	}
	to := route{table: mainTable, to: netip.PrefixFrom(n.address, 32), device: name}
	return v.space.do("set route "+to.String(), func() error { return v.space.links.RouteReplace(to.kernel(l.Attrs().Index)) })
}

// setInner sets up the task's end.
func (v *vpc) setInner(n nic, inside *netlink.Handle) error {
	s := &space{links: inside, step: v.space.step}
	if err := s.up(loopback); err != nil {
		return err
	}
	l, err := inside.LinkByName(taskDevice)
	if err != nil {
		return fmt.Errorf("look for %s: %w", taskDevice, err)
	}
	address := &netlink.Addr{IPNet: ipNet(netip.PrefixFrom(n.address, n.subnet.Bits()))}
	if err := s.do("set the address of "+taskDevice, func() error { return inside.AddrReplace(l, address) }); err != nil {
		return err
	}
	if err := s.up(taskDevice); err != nil {
		return err
	}
	way := route{table: mainTable, to: netip.PrefixFrom(netip.IPv4Unspecified(), 0), device: taskDevice}
	k := way.kernel(l.Attrs().Index)
	k.Gw, k.Scope = n.gateway().AsSlice(), unix.RT_SCOPE_UNIVERSE
	return s.do("set the default route", func() error { return inside.RouteReplace(k) })
}
