// Package network keeps the machine's part of the VPCs in the kernel: network namespaces, nftables, routes, VXLAN and DNS (docs/vpc.md).
package network

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/netip"
	"os"
	"sync"
	"time"

	"github.com/vishvananda/netns"

	"berth/internal/agent"
)

// Config says whose VPCs a Keeper keeps.
type Config struct {
	// Installation is in every name in the kernel, so that two installations on one machine do not touch each other: letters and digits.
	Installation string
	// Underlay is this machine's address, at which others reach it by VXLAN. Not valid: there is this machine only.
	Underlay netip.Addr
	// Port is the UDP port of VXLAN, the same on all machines; zero is 4789. Two installations of several machines that share a machine need two.
	Port int
	// Resolvers answer what a VPC's DNS does not know. None: those of the machine's resolv.conf, as it is at the time.
	Resolvers []netip.AddrPort
	Log       *slog.Logger

	step func(what string) // called before each change in the kernel
}

// Keeper keeps the machine's part of the VPCs. It implements agent.Network. Its machine is the network namespace that New is called in.
type Keeper struct {
	machine  *machine
	underlay netip.Addr
	step     func(string)
	log      *slog.Logger

	work sync.Mutex // held by whoever changes which namespaces there are

	mu       sync.Mutex // for what is below, never held while the kernel works
	vpcs     map[string]*vpc
	state    agent.NetworkState
	detached map[string]bool // interfaces of the state that Detach has removed
	changed  chan struct{}   // closed after the next Apply or Detach
	closed   bool

	stop context.CancelFunc
	own  owned
}

var _ agent.Network = (*Keeper)(nil)

// repairTime is how often the machine's firewall is looked at: what starts later, as an engine does, may drop what passed before.
const repairTime = 5 * time.Second

// New begins, with the calling thread's network namespace as the machine. It changes nothing before the first Apply. It needs root.
func New(c Config) (*Keeper, error) {
	n, err := newNames(c.Installation)
	if err != nil {
		return nil, err
	}
	if c.Underlay.IsValid() && !c.Underlay.Unmap().Is4() {
		return nil, fmt.Errorf("the underlay's address %s is not IPv4", c.Underlay)
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Port == 0 {
		c.Port = 4789
	}
	home, err := netns.Get()
	if err != nil {
		return nil, fmt.Errorf("open the machine's network namespace: %w", err)
	}
	s, err := openSpace(home, c.step)
	if err != nil {
		return nil, fmt.Errorf("open the machine's network: %w", err)
	}
	ctx, stop := context.WithCancel(context.Background())
	k := &Keeper{
		machine:  &machine{names: n, space: s, port: c.Port, log: c.Log, configured: c.Resolvers, refused: map[string]bool{}},
		underlay: c.Underlay.Unmap(), step: c.step, log: c.Log, vpcs: map[string]*vpc{}, detached: map[string]bool{}, changed: make(chan struct{}), stop: stop,
	}
	k.own.run(func() error { return k.repair(ctx) })
	return k, nil
}

// Apply implements agent.Network.
func (k *Keeper) Apply(ctx context.Context, w agent.NetworkState) error {
	k.work.Lock()
	defer k.work.Unlock()
	if k.isClosed() {
		return net.ErrClosed
	}
	k.mu.Lock()
	k.state = w
	for id := range k.detached {
		if !w.Interfaces[id].Local {
			delete(k.detached, id)
		}
	}
	k.mu.Unlock()
	defer k.tell()
	return k.apply(ctx)
}

// apply brings the kernel to the state that is noted. k.work is held.
func (k *Keeper) apply(ctx context.Context) error {
	plans, failed := makePlans(k.state, k.underlay, k.detached)
	keep := map[string]bool{} // a VPC that cannot be understood stays as it is
	for id := range plans {
		keep[id] = true
	}
	for id := range failed {
		keep[id] = true
	}
	errs := []error{k.sweep(keep)}
	wayErr := errors.Join(k.machine.choose(plans, failed), k.machine.prepare(plans, k.hostsOf(failed)))
	for _, id := range sortedKeys(plans) {
		if (plans[id].out || k.underlay.IsValid()) && wayErr != nil { // nothing of it may pass before the machine's rules are there
			failed[id] = errors.New("the machine's rules are not in place")
			delete(plans, id)
			continue
		}
		if err := k.applyVPC(ctx, plans[id]); err != nil {
			failed[id] = err
			delete(plans, id)
		}
	}
	errs = append(errs, wayErr)
	for _, id := range sortedKeys(failed) {
		errs = append(errs, fmt.Errorf("apply %s: %w", id, failed[id]))
	}
	errs = append(errs, k.machine.reach(plans, failed))
	return errors.Join(errs...)
}

// hostsOf are the other machines of VPCs as they were before they failed.
func (k *Keeper) hostsOf(failed map[string]error) map[netip.Addr]bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	hosts := map[netip.Addr]bool{}
	for id := range failed {
		if v := k.vpcs[id]; v != nil {
			maps.Copy(hosts, v.hosts())
		}
	}
	return hosts
}

func (k *Keeper) applyVPC(ctx context.Context, p plan) error {
	k.mu.Lock()
	v := k.vpcs[p.vpc]
	k.mu.Unlock()
	if v == nil {
		name := k.machine.namespace(p.vpc)
		if err := k.machine.space.do("make namespace "+name, func() error { return makeNamespace(name) }); err != nil {
			return err
		}
		s, err := openNamespace(name, k.step)
		if err != nil {
			return err
		}
		v = &vpc{id: p.vpc, space: s, machine: k.machine, ports: map[*listener]bool{}}
		k.mu.Lock()
		k.vpcs[p.vpc] = v
		k.mu.Unlock()
	}
	return v.apply(ctx, p)
}

// sweep removes all namespaces of the installation that are not kept, and the ways to them.
func (k *Keeper) sweep(keep map[string]bool) error {
	entries, err := os.ReadDir(namespaces)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("list namespaces: %w", err)
	}
	var errs []error
	for _, e := range entries {
		if id := k.machine.vpcOf(e.Name()); id != "" && !keep[id] {
			if err := k.remove(id); err != nil {
				errs = append(errs, fmt.Errorf("remove %s: %w", id, err))
			}
		}
	}
	return errors.Join(append(errs, k.machine.sweep(keep))...)
}

// remove ends a VPC's namespace.
func (k *Keeper) remove(id string) error {
	k.mu.Lock()
	v := k.vpcs[id]
	delete(k.vpcs, id)
	k.mu.Unlock()
	if v != nil {
		if err := v.close(); err != nil {
			k.log.Warn("closed a VPC's namespace", "vpc", id, "err", err)
		}
	}
	name := k.machine.namespace(id)
	if isNamespace(name) {
		s, err := openNamespace(name, k.step)
		if err != nil {
			return err
		}
		if err := errors.Join(s.clear(), s.close()); err != nil {
			return err
		}
	}
	return k.machine.space.do("remove namespace "+name, func() error { return dropNamespace(name) })
}

// clear removes all devices of a namespace. They would go with it, but later.
func (s *space) clear() error {
	links, err := complete(s.links.LinkList)
	if err != nil {
		return fmt.Errorf("list devices: %w", err)
	}
	for _, l := range links {
		if kind := l.Type(); kind == "veth" || kind == "vxlan" {
			if err := s.deleteLink(l.Attrs().Name); err != nil {
				return err
			}
		}
	}
	return nil
}

// Attach implements agent.Network.
func (k *Keeper) Attach(ctx context.Context, id string, pid int) error {
	for {
		changed, v, err := k.find(ctx, id)
		if err != nil {
			return err
		}
		if v != nil {
			ok, err := v.attach(ctx, id, pid)
			if ok && err == nil {
				err = v.settle(ctx, device(id))
			}
			if ok || err != nil {
				return wrap("attach "+id, err)
			}
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("attach %s: it is not in the applied state: %w", id, ctx.Err())
		}
	}
}

// find finds an interface's VPC, and what is closed when that may have changed. One that was detached is wanted again.
func (k *Keeper) find(ctx context.Context, id string) (<-chan struct{}, *vpc, error) {
	k.mu.Lock()
	changed, closed, detached := k.changed, k.closed, k.detached[id]
	v := k.vpcs[k.state.Interfaces[id].VPC]
	k.mu.Unlock()
	if closed {
		return nil, nil, net.ErrClosed
	}
	if detached {
		return changed, v, k.setDetached(ctx, id, false)
	}
	return changed, v, nil
}

// Listen implements agent.Network.
func (k *Keeper) Listen(vpc string, at netip.AddrPort) (net.Listener, error) {
	k.mu.Lock()
	v := k.vpcs[vpc]
	k.mu.Unlock()
	if v == nil {
		return nil, fmt.Errorf("listen in %s: the machine has no interface of it", vpc)
	}
	return v.listen(at)
}

// Close ends what this process serves: DNS and listeners. All in the kernel stays as it is.
func (k *Keeper) Close() error {
	k.stop()
	k.work.Lock()
	defer k.work.Unlock()
	k.mu.Lock()
	if k.closed {
		k.mu.Unlock()
		return nil
	}
	k.closed = true
	close(k.changed)
	vpcs := k.vpcs
	k.vpcs = map[string]*vpc{}
	k.mu.Unlock()
	errs := []error{k.own.wait()}
	for _, id := range sortedKeys(vpcs) {
		errs = append(errs, vpcs[id].close())
	}
	return errors.Join(append(errs, k.machine.space.close())...)
}

// Purge removes all that the installation has in the kernel.
func (k *Keeper) Purge(ctx context.Context) error { return k.Apply(ctx, agent.NetworkState{}) }

// repair looks at the firewall from time to time.
func (k *Keeper) repair(ctx context.Context) error {
	tick := time.NewTicker(repairTime)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		if !k.work.TryLock() { // whoever works looks at it too; waiting here would keep Close from its end
			continue
		}
		err := k.machine.repair()
		k.work.Unlock()
		if err != nil {
			k.log.Warn("look at the machine's firewall", "err", err)
		}
	}
}

// tell wakes those who wait for the state.
func (k *Keeper) tell() {
	k.mu.Lock()
	defer k.mu.Unlock()
	close(k.changed)
	k.changed = make(chan struct{})
}

func (k *Keeper) isClosed() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.closed
}

// wrap says what an error is of.
func wrap(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", what, err)
}
