package network

import (
	"errors"
	"os"
	"slices"
	"strings"

	"github.com/google/nftables"
	"github.com/google/nftables/userdata"
	"golang.org/x/sys/unix"
)

// dockerChain is where Docker leaves room for rules of others, before its own.
const dockerChain = "DOCKER-USER"

// firewall is what others' chains have of our rules.
type firewall int

const (
	unknown firewall = iota // an earlier process may have opened it
	opened
	shut
)

// openFirewall lets what comes from and goes to the ways pass other tables' forward chains that drop by default, as Docker's does: a drop in any table is
// final, and an accept holds for its own table only. The rules say what iptables could say too, so that it can still list its table. What really
// passes is decided in our own.
func (m *machine) openFirewall() error {
	m.warnOfLegacy()
	chains, err := m.dropping()
	if err != nil {
		return err
	}
	for _, c := range chains {
		ours, err := m.ours(c)
		if err != nil {
			return err
		}
		if len(ours) == 2 {
			continue
		}
		both := []words{fromPrefix(m.prefixOfWays()), toPrefix(m.prefixOfWays())}
		if err := m.space.do("let VPCs pass "+c.Name, func() error { return m.exchange(c, ours, both) }); err != nil {
			return err
		}
	}
	m.firewall = opened
	return nil
}

// closeFirewall takes our rules out of others' chains.
func (m *machine) closeFirewall() error {
	if m.firewall == shut {
		return nil
	}
	chains, err := m.space.rules.chains()
	if err != nil {
		return err
	}
	for _, c := range chains {
		if c.Name != dockerChain && !forwards(c) {
			continue
		}
		ours, err := m.ours(c)
		if err != nil {
			return err
		}
		if len(ours) == 0 {
			continue
		}
		if err := m.space.do("leave "+c.Name, func() error { return m.exchange(c, ours, nil) }); err != nil {
			return err
		}
	}
	m.firewall = shut
	return nil
}

// repair makes the machine's table again where somebody has taken it away, looks for new uplinks, and opens the firewall again where it was closed.
func (m *machine) repair() error {
	if m.made == "" && m.firewall != opened { // nothing was applied yet
		return nil
	}
	err := errors.Join(m.checkTable(), m.keepTable())
	if m.firewall != opened {
		return err
	}
	return errors.Join(err, m.openFirewall())
}

// exchange puts rules that accept what matches in the place of old ones, at the begin of a chain.
func (m *machine) exchange(c *nftables.Chain, old []*nftables.Rule, matches []words) error {
	return m.space.rules.transaction(func() error {
		conn := m.space.rules.conn
		for _, r := range old {
			if err := conn.DelRule(r); err != nil {
				return err
			}
		}
		for _, match := range matches {
			conn.InsertRule(&nftables.Rule{Table: c.Table, Chain: c, Exprs: rulePart(match, accept()), UserData: m.comment()})
		}
		return nil
	})
}

// dropping are the chains that need our rules.
func (m *machine) dropping() ([]*nftables.Chain, error) {
	chains, err := m.space.rules.chains()
	if err != nil {
		return nil, err
	}
	var list []*nftables.Chain
	for _, c := range chains {
		if !forwards(c) || c.Policy == nil || *c.Policy != nftables.ChainPolicyDrop {
			continue
		}
		docker := slices.IndexFunc(chains, func(d *nftables.Chain) bool {
			return d.Name == dockerChain && d.Table.Name == c.Table.Name && d.Table.Family == c.Table.Family
		})
		if docker >= 0 {
			c = chains[docker]
		}
		list = append(list, c)
	}
	return list, nil
}

// forwards tells whether forwarded IPv4 packets go through a base chain.
func forwards(c *nftables.Chain) bool {
	return c.Hooknum != nil && *c.Hooknum == *nftables.ChainHookForward && c.Type == nftables.ChainTypeFilter &&
		(c.Table.Family == nftables.TableFamilyIPv4 || c.Table.Family == nftables.TableFamilyINet)
}

// ours are the installation's rules in a chain of others.
func (m *machine) ours(c *nftables.Chain) ([]*nftables.Rule, error) {
	rules, err := m.space.rules.rulesOf(c)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(rules, func(r *nftables.Rule) bool { return string(r.UserData) != string(m.comment()) }), nil
}

// comment marks our rules in chains of others.
func (m *machine) comment() []byte {
	return userdata.AppendString(nil, userdata.TypeComment, m.table())
}

// warnOfLegacy tells, once, of rules that only the old iptables can change.
func (m *machine) warnOfLegacy() {
	if m.firewall == opened {
		return
	}
	legacy := false
	err := m.space.run(func() error {
		text, err := os.ReadFile("/proc/thread-self/net/ip_tables_names")
		legacy = slices.Contains(strings.Fields(string(text)), "filter")
		return ignore(err, os.ErrNotExist, unix.ENOENT)
	})
	if err != nil || legacy {
		m.log.Warn("iptables-legacy has a filter table; if its FORWARD chain drops, it must accept what comes from and goes to the VPCs' ways out",
			"devices", m.prefixOfWays()+"+", "err", err)
	}
}
