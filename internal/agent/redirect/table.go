// Package redirect brings what containers send to 169.254.170.2, port 80, to the agent: by a table of the kernel's packet filter, one for each
// installation, so that nothing listens on port 80 of the machine.
//
// All installations of a machine want the same address, and a packet does not say whose container has sent it. So one whose agent is alive gets it (the
// one whose table was made last), and asks the others for the containers that it does not know: the id in the path tells them. A table counts only
// as long as its agent renews it, so an agent that is killed gives way to the next one.
package redirect

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"
)

// Table is the table of one installation.
type Table struct {
	name           string
	log            *slog.Logger
	lease, renewal time.Duration // how long it counts without being renewed, and how often it is

	mu           sync.Mutex
	host, bridge netip.AddrPort
	peers        []netip.AddrPort
	peersAt      time.Time
}

// New is the table of an installation, which is not made yet.
func New(installation string, log *slog.Logger) *Table {
	return &Table{name: prefix + installation, log: log, lease: 10 * time.Second, renewal: 3 * time.Second}
}

// The names in the kernel. The set has the address of task endpoints for as long as the agent is alive.
const (
	prefix  = "berth-endpoints-"
	alive   = "alive"
	bridged = "bridge" // chain for packets of containers on the engine's bridge
	local   = "host"   // chain for packets of the machine's own network
)

// fresh is how long the list of other agents is good for.
const fresh = time.Second

// Open makes the table, instead of what an earlier process has left of it, and has it lead to host for what the machine's own network sends and to
// bridge, if that is valid, for what comes in on the interface that has its address.
func (t *Table) Open(host, bridge netip.AddrPort) error {
	t.mu.Lock()
	t.host, t.bridge = host, bridge
	t.mu.Unlock()
	if err := t.make(); err != nil {
		return err
	}
	return t.sweep()
}

// sweep removes what agents that were killed have left. One that comes back makes its table again.
func (t *Table) sweep() error {
	var all []error
	_, err := t.others(func(installation string) { all = append(all, New(installation, t.log).remove()) })
	return errors.Join(append(all, err)...)
}

// make makes the table in one transaction: packets find the one before or this one.
func (t *Table) make() error {
	t.mu.Lock()
	host, bridge := t.host, t.bridge
	t.mu.Unlock()
	c, err := nftables.New()
	if err != nil {
		return fmt.Errorf("open the packet filter: %w", err)
	}
	table := t.table()
	c.AddTable(table)
	c.DelTable(table)
	c.AddTable(table)
	set := aliveSet(table)
	if err := c.AddSet(set, t.renewed()); err != nil {
		return fmt.Errorf("add the set: %w", err)
	}
	if bridge.IsValid() {
		name, err := interfaceOf(bridge.Addr())
		if err != nil {
			return err
		}
		chain := natChain(c, table, bridged, nftables.ChainHookPrerouting)
		c.AddRule(&nftables.Rule{Table: table, Chain: chain, Exprs: append(comesFrom(name), leadTo(set, bridge)...)})
	}
	chain := natChain(c, table, local, nftables.ChainHookOutput)
	c.AddRule(&nftables.Rule{Table: table, Chain: chain, Exprs: leadTo(set, host)})
	if err := c.Flush(); err != nil {
		return fmt.Errorf("make the packet filter's table %s: %w", t.name, err)
	}
	return nil
}

// Keep renews the table until ctx ends, makes it again where somebody has removed it, and removes it in the end.
func (t *Table) Keep(ctx context.Context) {
	tick := time.NewTicker(t.renewal)
	defer tick.Stop()
	for failed := false; ; {
		select {
		case <-ctx.Done():
			if err := t.remove(); err != nil {
				t.log.Debug("the redirection of 169.254.170.2 is not removed, and ends by itself", "err", err)
			}
			return
		case <-tick.C:
		}
		err := t.renew()
		if errors.Is(err, unix.ENOENT) {
			err = t.make()
		}
		if err != nil && !failed {
			t.log.Warn("the redirection of 169.254.170.2 is not renewed", "err", err)
		}
		failed = err != nil
	}
}

// renew has the table count for another lease.
func (t *Table) renew() error {
	c, err := nftables.New()
	if err != nil {
		return fmt.Errorf("open the packet filter: %w", err)
	}
	set := aliveSet(t.table())
	c.FlushSet(set)
	if err := c.SetAddElements(set, t.renewed()); err != nil {
		return fmt.Errorf("renew the set: %w", err)
	}
	if err := c.Flush(); err != nil {
		return fmt.Errorf("renew the packet filter's table %s: %w", t.name, err)
	}
	return nil
}

func (t *Table) table() *nftables.Table {
	return &nftables.Table{Name: t.name, Family: nftables.TableFamilyIPv4}
}

// Remove removes the table of an installation. One that is not there is no error, and so is one that this user may not remove: it has not made it.
func Remove(installation string) error {
	err := New(installation, nil).remove()
	if errors.Is(err, unix.EPERM) {
		return nil
	}
	return err
}

func (t *Table) remove() error {
	c, err := nftables.New()
	if err != nil {
		return fmt.Errorf("open the packet filter: %w", err)
	}
	c.DelTable(t.table())
	if err := c.Flush(); err != nil && !errors.Is(err, unix.ENOENT) {
		return fmt.Errorf("remove the packet filter's table %s: %w", t.name, err)
	}
	return nil
}

// Peers are where the agents of the machine's other installations listen that are alive.
func (t *Table) Peers(context.Context) []netip.AddrPort {
	t.mu.Lock()
	defer t.mu.Unlock()
	if time.Since(t.peersAt) < fresh {
		return t.peers
	}
	list, err := t.others(nil)
	if err != nil {
		t.log.Debug("the other agents of the machine are not known", "err", err)
	}
	t.peers, t.peersAt = list, time.Now()
	return list
}

// others reads the tables of the other installations. dead, where it is not nil, is told those whose agent is not alive.
func (t *Table) others(dead func(installation string)) (list []netip.AddrPort, err error) {
	c, err := nftables.New(nftables.AsLasting())
	if err != nil {
		return nil, fmt.Errorf("open the packet filter: %w", err)
	}
	defer c.CloseLasting() //nolint:errcheck // only read
	tables, err := c.ListTablesOfFamily(nftables.TableFamilyIPv4)
	if err != nil {
		return nil, fmt.Errorf("list the packet filter's tables: %w", err)
	}
	for _, table := range tables {
		if !strings.HasPrefix(table.Name, prefix) || table.Name == t.name {
			continue
		}
		if to, ok := leads(c, table); ok {
			list = append(list, to)
		} else if dead != nil {
			dead(strings.TrimPrefix(table.Name, prefix))
		}
	}
	slices.SortFunc(list, netip.AddrPort.Compare)
	return list, nil
}

// leads says where a table's agent listens, false where it is not alive. A table may go while it is read.
func leads(c *nftables.Conn, table *nftables.Table) (to netip.AddrPort, ok bool) {
	elements, err := c.GetSetElements(aliveSet(table))
	if err != nil || len(elements) == 0 {
		return to, false
	}
	rules, err := c.GetRules(table, &nftables.Chain{Name: local, Table: table})
	if err != nil || len(rules) != 1 {
		return to, false
	}
	var address netip.Addr
	var port uint16
	for _, e := range rules[0].Exprs {
		i, is := e.(*expr.Immediate)
		switch {
		case is && len(i.Data) == 4:
			address = netip.AddrFrom4([4]byte(i.Data))
		case is && len(i.Data) == 2:
			port = binary.BigEndian.Uint16(i.Data)
		}
	}
	return netip.AddrPortFrom(address, port), address.IsLoopback() && port != 0
}

func aliveSet(table *nftables.Table) *nftables.Set {
	return &nftables.Set{Table: table, Name: alive, KeyType: nftables.TypeIPAddr, HasTimeout: true}
}

// renewed is the address of task endpoints, for as long as a lease.
func (t *Table) renewed() []nftables.SetElement {
	return []nftables.SetElement{{Key: []byte{169, 254, 170, 2}, Timeout: t.lease}}
}

func natChain(c *nftables.Conn, table *nftables.Table, name string, hook *nftables.ChainHook) *nftables.Chain {
	return c.AddChain(&nftables.Chain{Name: name, Table: table, Type: nftables.ChainTypeNAT, Hooknum: hook, Priority: nftables.ChainPriorityNATDest})
}

// comesFrom matches packets that come in on an interface.
func comesFrom(name string) []expr.Any {
	padded := make([]byte, unix.IFNAMSIZ)
	copy(padded, name)
	return []expr.Any{&expr.Meta{Key: expr.MetaKeyIIFNAME, Register: 1}, &expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: padded}}
}

// leadTo sends connections to port 80 of the address in the set, by TCP, elsewhere: ip daddr @alive tcp dport 80 dnat to ADDRESS:PORT.
func leadTo(set *nftables.Set, to netip.AddrPort) []expr.Any {
	address := to.Addr().As4()
	return []expr.Any{
		&expr.Payload{DestRegister: 1, Base: expr.PayloadBaseNetworkHeader, Offset: 16, Len: 4},
		&expr.Lookup{SourceRegister: 1, SetName: set.Name, SetID: set.ID},
		&expr.Meta{Key: expr.MetaKeyL4PROTO, Register: 1},
		&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: []byte{unix.IPPROTO_TCP}},
		&expr.Payload{DestRegister: 1, Base: expr.PayloadBaseTransportHeader, Offset: 2, Len: 2},
		&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: binary.BigEndian.AppendUint16(nil, 80)},
		&expr.Immediate{Register: 1, Data: address[:]},
		&expr.Immediate{Register: 2, Data: binary.BigEndian.AppendUint16(nil, to.Port())},
		&expr.NAT{Type: expr.NATTypeDestNAT, Family: unix.NFPROTO_IPV4, RegAddrMin: 1, RegProtoMin: 2},
	}
}

// interfaceOf is the name of the machine's interface that has an address.
func interfaceOf(a netip.Addr) (string, error) {
	all, err := net.Interfaces()
	if err != nil {
		return "", fmt.Errorf("list the machine's interfaces: %w", err)
	}
	for _, i := range all {
		have, err := i.Addrs()
		if err != nil {
			continue // it has just gone
		}
		if slices.ContainsFunc(have, func(h net.Addr) bool { return strings.HasPrefix(h.String(), a.String()+"/") }) {
			return i.Name, nil
		}
	}
	return "", fmt.Errorf("no interface has the address %s", a)
}
