package network

import (
	"cmp"
	"slices"
	"strings"
)

// changes turn one table into another. Their order is that in which the kernel takes them: what is used comes before its users, and goes after them.
type changes struct {
	whole        bool // the table is made anew, whatever is there
	base         bool // the base chains are made anew
	dropElements []element
	addSets      []string
	addElements  []element // of sets of addresses, and afterwards of maps
	addChains    []string
	fill         []string // chains that get all their clauses anew
	dropChains   []string
	dropSets     []string
}

// diff tells what makes the table want of the table have.
func diff(have, want table) changes {
	c := changes{base: have.fixed != want.fixed}
	c.dropSets, c.addSets = differences(have.sets, want.sets)
	drop, add := differencesFunc(have.elements, want.elements, compareElements)
	c.addElements = add
	for _, e := range drop {
		if _, fixed := slices.BinarySearch(c.dropSets, e.set); !fixed { // they go with their set
			c.dropElements = append(c.dropElements, e)
		}
	}
	for _, name := range sortedKeys(have.chains) {
		if _, stays := want.chains[name]; !stays {
			c.dropChains = append(c.dropChains, name)
		}
	}
	for _, name := range sortedKeys(want.chains) {
		old, there := have.chains[name]
		if !there {
			c.addChains = append(c.addChains, name)
		}
		if !there || !slices.Equal(old, want.chains[name]) {
			c.fill = append(c.fill, name)
		}
	}
	return c
}

// all is what makes the table of nothing, in place of one that may be there.
func all(want table) changes {
	c := diff(table{}, want)
	c.whole, c.base = true, true
	return c
}

func (c changes) empty() bool {
	return !c.whole && !c.base && len(c.dropElements)+len(c.addSets)+len(c.addElements)+len(c.addChains)+len(c.fill)+len(c.dropChains)+len(c.dropSets) == 0
}

// text is the changes in words, one a line. want is the table that they make.
func (c changes) text(want table) string {
	var b strings.Builder
	say := func(words ...string) { b.WriteString(strings.Join(words, " ") + "\n") }
	if c.whole {
		say("table anew")
	}
	if c.base {
		say("base chains anew")
	}
	for _, e := range c.dropElements {
		say("delete element", e.String())
	}
	for _, s := range c.addSets {
		say("add set", s)
	}
	for _, n := range c.addChains {
		say("add chain", n)
	}
	for _, n := range c.fill {
		say("fill chain", n)
		for _, clause := range want.chains[n] {
			say("\t" + clause.String())
		}
	}
	for _, e := range c.addElements {
		say("add element", e.String())
	}
	for _, n := range c.dropChains {
		say("delete chain", n)
	}
	for _, s := range c.dropSets {
		say("delete set", s)
	}
	return b.String()
}

// differences are what a set has to lose and to gain, sorted.
func differences[K cmp.Ordered](have, want map[K]bool) (gone, new []K) {
	return differencesFunc(have, want, cmp.Compare[K])
}

func differencesFunc[K comparable](have, want map[K]bool, compare func(a, b K) int) (gone, new []K) {
	for k := range have {
		if !want[k] {
			gone = append(gone, k)
		}
	}
	for k := range want {
		if !have[k] {
			new = append(new, k)
		}
	}
	slices.SortFunc(gone, compare)
	slices.SortFunc(new, compare)
	return gone, new
}

func compareElements(a, b element) int {
	return cmp.Or(cmp.Compare(a.set, b.set), cmp.Compare(a.device, b.device), a.address.Compare(b.address), cmp.Compare(a.chain, b.chain),
		cmp.Compare(a.mark, b.mark))
}
