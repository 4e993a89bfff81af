package network

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/google/nftables"
	"github.com/google/nftables/binaryutil"
	"github.com/google/nftables/expr"
	"github.com/mdlayher/netlink"
	"github.com/vishvananda/netns"
)

// vpcTable is the name of the table in a VPC's namespace.
const vpcTable = "berth"

// A batch has some messages for each interface, and the kernel acks each of them before the first is read.
const (
	bufferBytes  = 64 << 20
	answerTime   = 20 * time.Second
	elementBatch = 200 // an attribute of the kernel's messages holds 64 KiB
)

// ruleset changes the nftables of one namespace. Each batch is a transaction: all of it holds, or none.
type ruleset struct {
	ns   netns.NsHandle
	conn *nftables.Conn // nil after a batch that failed: what of it is still buffered, or not yet answered, goes with it
	raw  *netlink.Conn
	sets uint32 // ids given in this batch
}

// openRuleset opens that of a namespace, which its caller keeps open.
func openRuleset(ns netns.NsHandle) (*ruleset, error) {
	r := &ruleset{ns: ns}
	return r, r.open()
}

// open opens the connection, unless it is.
func (r *ruleset) open() error {
	if r.conn != nil {
		return nil
	}
	err := runIn(r.ns, func() (err error) {
		r.conn, err = nftables.New(nftables.AsLasting(), nftables.WithSockOptions(func(c *netlink.Conn) error {
			r.raw = c
			return errors.Join(c.SetWriteBuffer(bufferBytes), c.SetReadBuffer(bufferBytes))
		}))
		return err
	})
	if err != nil {
		r.conn = nil
		return fmt.Errorf("open nftables: %w", err)
	}
	return nil
}

func (r *ruleset) close() error {
	if r.conn == nil {
		return nil
	}
	conn := r.conn
	r.conn = nil // the library would open another one, in whatever namespace the thread is
	return conn.CloseLasting()
}

// transaction sends what build puts into the batch, or nothing.
func (r *ruleset) transaction(build func() error) error {
	if err := r.open(); err != nil {
		return err
	}
	err := build()
	if err == nil {
		err = r.commit()
	}
	if err != nil {
		return errors.Join(err, r.close())
	}
	return nil
}

// commit sends the batch. It does not wait for ever for a kernel that answers less than it was asked.
func (r *ruleset) commit() error {
	if err := r.raw.SetDeadline(time.Now().Add(answerTime)); err != nil {
		return err
	}
	r.sets = 0
	if err := r.conn.Flush(); err != nil {
		return fmt.Errorf("change nftables: %w", err)
	}
	return r.raw.SetDeadline(time.Time{})
}

// chains are those of all tables.
func (r *ruleset) chains() ([]*nftables.Chain, error) {
	if err := r.open(); err != nil {
		return nil, err
	}
	list, err := r.conn.ListChains()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("list chains: %w", err), r.close())
	}
	return list, nil
}

// rulesOf are those of a chain.
func (r *ruleset) rulesOf(c *nftables.Chain) ([]*nftables.Rule, error) {
	if err := r.open(); err != nil {
		return nil, err
	}
	list, err := r.conn.GetRules(c.Table, c)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("list the rules of %s: %w", c.Name, err), r.close())
	}
	return list, nil
}

// replaceTable begins a table anew in the batch.
func (r *ruleset) replaceTable(name string) *nftables.Table {
	t := &nftables.Table{Family: nftables.TableFamilyIPv4, Name: name}
	r.conn.AddTable(t) // a table that is not there cannot be deleted
	r.conn.DelTable(t)
	return r.conn.AddTable(t)
}

// set describes one by its name: of addresses, or a map.
func (r *ruleset) set(t *nftables.Table, name string) (*nftables.Set, error) {
	s := &nftables.Set{Table: t, Name: name, KeyType: nftables.TypeIPAddr}
	switch name {
	case mapSources:
		key, err := nftables.ConcatSetType(nftables.TypeIFName, nftables.TypeIPAddr)
		if err != nil {
			return nil, err
		}
		s.IsMap, s.KeyType, s.DataType, s.Concatenation = true, key, nftables.TypeMark, true
	case mapEgress, mapIngress:
		s.IsMap, s.KeyType, s.DataType = true, nftables.TypeIFName, nftables.TypeVerdict
		s.KeyByteOrder = binaryutil.NativeEndian // for `nft list`
	}
	return s, nil
}

func (r *ruleset) addSet(t *nftables.Table, name string) error {
	s, err := r.set(t, name)
	if err != nil {
		return err
	}
	r.sets++
	s.ID = r.sets // the library's own counter is shared by all its connections, without a lock
	return r.conn.AddSet(s, nil)
}

// elements adds or deletes some. They are sorted by their sets.
func (r *ruleset) elements(t *nftables.Table, list []element, change func(*nftables.Set, []nftables.SetElement) error) error {
	for len(list) > 0 {
		n := 1
		for n < len(list) && n < elementBatch && list[n].set == list[0].set {
			n++
		}
		s, err := r.set(t, list[0].set)
		if err != nil {
			return err
		}
		batch := make([]nftables.SetElement, n)
		for i, e := range list[:n] {
			batch[i] = e.kernel()
		}
		if err := change(s, batch); err != nil {
			return err
		}
		list = list[n:]
	}
	return nil
}

// apply makes the changes that lead to the table want, in one transaction.
func (r *ruleset) apply(c changes, want table) error {
	return r.transaction(func() error { return r.put(c, want) })
}

// put puts the changes into the batch.
func (r *ruleset) put(c changes, want table) error {
	t := &nftables.Table{Family: nftables.TableFamilyIPv4, Name: vpcTable}
	if c.whole {
		r.replaceTable(vpcTable)
		for _, name := range []string{mapSources, mapEgress, mapIngress} {
			if err := r.addSet(t, name); err != nil {
				return err
			}
		}
	}
	if err := r.elements(t, c.dropElements, r.conn.SetDeleteElements); err != nil {
		return err
	}
	for _, name := range c.addSets {
		if err := r.addSet(t, name); err != nil {
			return err
		}
	}
	for _, name := range c.addChains {
		r.conn.AddChain(&nftables.Chain{Table: t, Name: name})
	}
	for _, name := range c.fill {
		r.fill(t, name, want.chains[name])
	}
	if err := r.elements(t, c.addElements, r.conn.SetAddElements); err != nil {
		return err
	}
	if c.base {
		r.baseChains(t, want.fixed)
	}
	for _, name := range c.dropChains {
		r.conn.FlushChain(&nftables.Chain{Table: t, Name: name})
	}
	for _, name := range c.dropChains {
		r.conn.DelChain(&nftables.Chain{Table: t, Name: name})
	}
	for _, name := range c.dropSets {
		r.conn.DelSet(&nftables.Set{Table: t, Name: name})
	}
	return nil
}

func (r *ruleset) fill(t *nftables.Table, name string, clauses []clause) {
	chain := &nftables.Chain{Table: t, Name: name}
	r.conn.FlushChain(chain)
	direction, _, _ := strings.Cut(name, "-")
	for _, c := range clauses {
		r.rule(chain, c.expressions(direction))
	}
}

func (r *ruleset) rule(chain *nftables.Chain, parts ...words) {
	r.conn.AddRule(&nftables.Rule{Table: chain.Table, Chain: chain, Exprs: rulePart(parts...)})
}

// base makes a base chain, or makes its rules anew.
func (r *ruleset) base(t *nftables.Table, name string, hook *nftables.ChainHook, priority *nftables.ChainPriority, policy nftables.ChainPolicy) *nftables.Chain {
	kind := nftables.ChainTypeFilter
	if hook == nftables.ChainHookPostrouting {
		kind = nftables.ChainTypeNAT
	}
	c := r.conn.AddChain(&nftables.Chain{Table: t, Name: name, Type: kind, Hooknum: hook, Priority: priority, Policy: &policy})
	r.conn.FlushChain(c)
	return c
}

// baseChains makes what each packet in a VPC's namespace goes through.
func (r *ruleset) baseChains(t *nftables.Table, f fixed) {
	r.prerouting(t, f)
	r.forward(t)
	r.input(t, f)
	nat := r.base(t, "nat", nftables.ChainHookPostrouting, nftables.ChainPriorityNATSource, nftables.ChainPolicyAccept)
	r.rule(nat, to(wayOut), masquerade())
}

// prerouting drops forged sources before anything else sees them, connection tracking included.
func (r *ruleset) prerouting(t *nftables.Table, f fixed) {
	c := r.base(t, "prerouting", nftables.ChainHookPrerouting, nftables.ChainPriorityRaw, nftables.ChainPolicyDrop)
	r.rule(c, markSource(mapSources), accept())
	for _, cidr := range strings.Fields(f.cidrs) {
		r.rule(c, from(wayOut), in(offsetSource, netip.MustParsePrefix(cidr)), drop())
	}
	r.rule(c, from(wayOut), accept())
	r.rule(c, from(tunnel), accept()) // the kernel's check of return paths (rp_filter) knows which addresses are behind it
	r.rule(c, from(loopback), accept())
}

// forward lets a packet through when the groups of both ends do. Each chain is asked, because an accept ends only its own.
func (r *ruleset) forward(t *nftables.Table) {
	linkLocal := netip.MustParsePrefix("169.254.0.0/16")
	before := nftables.ChainPriorityRef(*nftables.ChainPriorityFilter - 10)
	e := r.base(t, mapEgress, nftables.ChainHookForward, before, nftables.ChainPolicyDrop)
	r.rule(e, established(), accept())
	r.rule(e, connection(expr.CtStateBitINVALID), drop())
	r.rule(e, byDevice(expr.MetaKeyIIFNAME, mapEgress))
	r.rule(e, from(wayOut), accept())
	r.rule(e, from(tunnel), accept()) // the machine that it comes from has asked its groups
	i := r.base(t, mapIngress, nftables.ChainHookForward, nftables.ChainPriorityFilter, nftables.ChainPolicyDrop)
	r.rule(i, established(), accept())
	r.rule(i, byDevice(expr.MetaKeyOIFNAME, mapIngress))
	r.rule(i, fromTask(), to(wayOut), notIn(offsetDestination, linkLocal), accept())
	r.rule(i, fromTask(), to(tunnel), accept())
}

// input lets tasks reach what the namespace itself answers, without a rule of theirs.
func (r *ruleset) input(t *nftables.Table, f fixed) {
	c := r.base(t, "input", nftables.ChainHookInput, nftables.ChainPriorityFilter, nftables.ChainPolicyDrop)
	r.rule(c, established(), accept())
	r.rule(c, from(loopback), accept())
	const echoRequest = 8
	r.rule(c, fromTask(), inSet(offsetDestination, setOwn), protocol(protocolICMP), icmp(0, echoRequest), accept())
	if f.dns.IsValid() {
		for _, p := range []int{protocolUDP, protocolTCP} {
			r.rule(c, fromTask(), is(offsetDestination, f.dns), protocol(p), port(53, 53), accept())
		}
	}
	for _, a := range []string{endpointAddress, metadataAddress} {
		r.rule(c, fromTask(), is(offsetDestination, netip.MustParseAddr(a)), protocol(protocolTCP), port(80, 80), accept())
	}
}
