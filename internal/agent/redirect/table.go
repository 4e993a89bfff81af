// Package redirect brings what containers send to 169.254.170.2, port 80, to the agent: by a table of the kernel's packet filter, one for each
// installation, so that nothing listens on port 80 of the machine. So it does with 169.254.169.254, the address of instance metadata, for containers on the
// engine's bridge only: the machine itself may have a cloud's at that address.
//
// All installations of a machine want the same address, and a packet does not say whose container has sent it. So one whose agent is alive gets it (the
// one whose table was made last), and asks the others for the containers that it does not know: the id in the path tells them. A table counts only
// as long as its agent renews it, and the others remove it when they see that its agent is gone: an agent that is killed gives way to the next one.
package redirect

import (
	"context"
	"crypto/rand"
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
	"github.com/google/nftables/userdata"
	"golang.org/x/sys/unix"
)

// Table is the table of one installation.
type Table struct {
	name           string
	log            *slog.Logger
	lease, renewal time.Duration // how long it counts without being renewed, and how often it is

	key string // by which another agent that asks on behalf of its containers is told from these

	mu      sync.Mutex
	to      targets
	peers   []Peer
	peersAt time.Time
}

// targets are where the agent listens: for containers in host mode, for those on the engine's bridge, and for what these ask of instance metadata. The last two
// are not valid where there is no bridge.
type targets struct{ host, bridge, metadata netip.AddrPort }

// Peer is another agent of the machine, of another installation. Metadata is not valid where it has none. Key is what it knows those by who may ask for a container of its own: whoever can
// read the packet filter, so root.
type Peer struct {
	Installation   string
	Host, Metadata netip.AddrPort
	Key            string
}

// New is the table of an installation, which is not made yet.
func New(installation string, log *slog.Logger) *Table {
	return &Table{name: prefix + installation, log: log, lease: 10 * time.Second, renewal: 3 * time.Second, key: rand.Text()}
}

// Key is what other agents show that ask for their containers. It is in the table.
func (t *Table) Key() string { return t.key }

// The names in the kernel. The set has the address of task endpoints for as long as the agent is alive.
const (
	prefix  = "berth-endpoints-"
	alive   = "alive"
	bridged = "bridge" // chain for packets of containers on the engine's bridge
	local   = "host"   // chain for packets of the machine's own network
	imds    = "imds"   // set that has the address of instance metadata for as long
)

// fresh is how long the list of other agents is good for.
const fresh = time.Second

// Open makes the table, instead of what an earlier process has left of it, and has it lead to host for what the machine's own network sends and to bridge and
// metadata, if they are valid, for what comes in on the interface that has bridge's address.
func (t *Table) Open(host, bridge, metadata netip.AddrPort) error {
	t.mu.Lock()
	t.to = targets{host, bridge, metadata}
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
	to := t.to
	t.mu.Unlock()
	c, err := nftables.New()
	if err != nil {
		return fmt.Errorf("open the packet filter: %w", err)
	}
	table := t.table()
	c.AddTable(table)
	c.DelTable(table)
	c.AddTable(table)
	endpoints, metadata := leaseSet(table, alive, 1), leaseSet(table, imds, 2)
	for _, set := range []*nftables.Set{endpoints, metadata} {
		if err := c.AddSet(set, t.renewed(set.Name)); err != nil {
			return fmt.Errorf("add the set %s: %w", set.Name, err)
		}
	}
	if to.bridge.IsValid() {
		name, err := interfaceOf(to.bridge.Addr())
		if err != nil {
			return err
		}
		chain := natChain(c, table, bridged, nftables.ChainHookPrerouting)
		c.AddRule(&nftables.Rule{Table: table, Chain: chain, Exprs: append(comesFrom(name), leadTo(endpoints, to.bridge)...)})
		if to.metadata.IsValid() {
			c.AddRule(&nftables.Rule{
				Table: table, Chain: chain, Exprs: append(comesFrom(name), leadTo(metadata, to.metadata)...),
				UserData: userdata.AppendString(nil, userdata.TypeComment, t.key),
			})
		}
	}
	chain := natChain(c, table, local, nftables.ChainHookOutput)
	c.AddRule(&nftables.Rule{Table: table, Chain: chain, Exprs: leadTo(endpoints, to.host)})
	if err := c.Flush(); err != nil {
		return fmt.Errorf("make the packet filter's table %s: %w", t.name, err)
	}
	return nil
}

// Keep renews the table until ctx ends, makes it again where somebody has removed it, and removes it in the end. Meanwhile it removes those of agents that are killed.
func (t *Table) Keep(ctx context.Context) {
	others := &neighbours{table: t, watched: map[Peer]bool{}}
	defer others.wg.Wait()
	tick := time.NewTicker(t.renewal)
	defer tick.Stop()
	for failed := false; ; {
		if err := others.look(ctx); err != nil {
			t.log.Debug("the other agents of the machine are not known", "err", err)
		}
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
	for n, name := range []string{alive, imds} {
		set := leaseSet(t.table(), name, uint32(n+1))
		c.FlushSet(set)
		if err := c.SetAddElements(set, t.renewed(name)); err != nil {
			return fmt.Errorf("renew the set %s: %w", name, err)
		}
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

// Peers are where the agents of the machine's other installations listen that are alive, for the task endpoints.
func (t *Table) Peers(context.Context) (list []netip.AddrPort) {
	for _, p := range t.MetadataPeers() {
		list = append(list, p.Host)
	}
	return list
}

// MetadataPeers are the agents of the machine's other installations that are alive.
func (t *Table) MetadataPeers() []Peer {
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
func (t *Table) others(dead func(installation string)) (list []Peer, err error) {
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
		p, ok := leads(c, table)
		p.Installation = strings.TrimPrefix(table.Name, prefix)
		if ok {
			list = append(list, p)
		} else if dead != nil {
			dead(p.Installation)
		}
	}
	slices.SortFunc(list, func(a, b Peer) int { return a.Host.Compare(b.Host) })
	return list, nil
}

// leads says where a table's agent listens, false where it is not alive. A table may go while it is read.
func leads(c *nftables.Conn, table *nftables.Table) (p Peer, ok bool) {
	elements, err := c.GetSetElements(leaseSet(table, alive, 0))
	if err != nil || len(elements) == 0 {
		return p, false
	}
	rules, err := c.GetRules(table, &nftables.Chain{Name: local, Table: table})
	if err != nil || len(rules) != 1 {
		return p, false
	}
	p.Host = target(rules[0])
	bridge, err := c.GetRules(table, &nftables.Chain{Name: bridged, Table: table})
	if err == nil && len(bridge) == 2 {
		p.Metadata = target(bridge[1])
		p.Key, _ = userdata.GetString(bridge[1].UserData, userdata.TypeComment)
	}
	return p, p.Host.Addr().IsLoopback() && p.Host.Port() != 0
}

// target is where a rule of leadTo leads.
func target(r *nftables.Rule) netip.AddrPort {
	var address netip.Addr
	var port uint16
	for _, e := range r.Exprs {
		i, is := e.(*expr.Immediate)
		switch {
		case is && len(i.Data) == 4:
			address = netip.AddrFrom4([4]byte(i.Data))
		case is && len(i.Data) == 2:
			port = binary.BigEndian.Uint16(i.Data)
		}
	}
	return netip.AddrPortFrom(address, port)
}

// leaseSet is a set of the table. id tells the sets of one transaction apart.
func leaseSet(table *nftables.Table, name string, id uint32) *nftables.Set {
	return &nftables.Set{Table: table, Name: name, ID: id, KeyType: nftables.TypeIPAddr, HasTimeout: true}
}

// renewed is the address of task endpoints or of instance metadata, for as long as a lease.
func (t *Table) renewed(set string) []nftables.SetElement {
	address := []byte{169, 254, 170, 2}
	if set == imds {
		address = []byte{169, 254, 169, 254}
	}
	return []nftables.SetElement{{Key: address, Timeout: t.lease}}
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
