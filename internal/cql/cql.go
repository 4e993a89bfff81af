// Package cql reads the cluster query language: expressions that choose container instances, as memberOf constraints and
// ListContainerInstances' filter have them. It is pure: a text is parsed once, and then asked of many subjects.
//
//	attribute:ecs.instance-type =~ g2.* and attribute:ecs.availability-zone != us-east-1d
//	not(task:group == database)
//	ec2InstanceId in ['i-abcd1234', 'i-wxyx7890']
//
// "not" (also "!") binds closer than "and" ("&&"), and that closer than "or" ("||"); parentheses say otherwise. A comparison is true if a
// value of its subject fulfils it: an instance without an attribute has no value that is unequal to anything, and one with tasks of two
// groups has two values of task:group. What is the case for none of them is said with "not".
//
// An argument is a word, or stands in quotes, single or double, where \' \" and \\ stand for themselves; there it may contain spaces,
// commas, brackets and parentheses. Any other backslash is one.
package cql

import (
	"iter"
	"strings"
	"time"
	"unicode/utf8"
)

// Longest is how many characters an expression may have.
const Longest = 2000

// Subject is a container instance as expressions see it.
type Subject interface {
	// Attribute returns an attribute's value and whether the instance has it.
	Attribute(name string) (string, bool)
	// Facts are what else is known of it.
	Facts() Facts
	// HasGroup reports whether a task of that group should run on it.
	HasGroup(group string) bool
	// Groups yields the groups of the tasks that should run on it, perhaps one more than once.
	Groups() iter.Seq[string]
}

// Facts are a container instance's own fields, under the language's names.
type Facts struct {
	AgentConnected    bool
	AgentVersion      string
	EC2InstanceID     string
	RegisteredAt      time.Time
	RunningTasksCount int
}

// Expression is a parsed query. It is immutable, and as good for many goroutines as for one.
type Expression struct{ root node }

// Match reports whether the subject fulfils the expression.
func (e *Expression) Match(s Subject) bool { return e.root.match(s) }

// String is the expression in one form of many: with short operators, and no more parentheses and quotes than it needs.
func (e *Expression) String() string {
	var b strings.Builder
	e.root.print(&b, loosest)
	return b.String()
}

// UsesGroups reports whether the outcome depends on the groups of the tasks on the subject.
func (e *Expression) UsesGroups() bool {
	return e.any(func(c *comparison) bool { return c.subject == taskGroup })
}

// UsesTasks reports whether the outcome depends on the tasks on the subject in any way.
func (e *Expression) UsesTasks() bool {
	return e.UsesGroups() || e.any(func(c *comparison) bool { return c.subject == runningTasksCount })
}

// UsesAttribute reports whether the outcome depends on an attribute.
func (e *Expression) UsesAttribute(name string) bool {
	return e.any(func(c *comparison) bool { return c.subject == attribute && c.name == name })
}

func (e *Expression) any(is func(*comparison) bool) bool {
	found := false
	e.root.walk(func(c *comparison) { found = found || is(c) })
	return found
}

// node is a part of an expression.
type node interface {
	match(s Subject) bool
	// print writes the node; around says how close what it stands in binds.
	print(b *strings.Builder, around binding)
	walk(visit func(*comparison))
}

// binding is how close an operator binds.
type binding int

const (
	loosest binding = iota
	byOr
	byAnd
)

type (
	either []node
	both   []node
	not    struct{ node node }
)

func (e either) match(s Subject) bool {
	for _, n := range e {
		if n.match(s) {
			return true
		}
	}
	return false
}

func (e both) match(s Subject) bool {
	for _, n := range e {
		if !n.match(s) {
			return false
		}
	}
	return true
}

func (n not) match(s Subject) bool { return !n.node.match(s) }

func (e either) print(b *strings.Builder, around binding) { join(b, e, " or ", byOr, around) }
func (e both) print(b *strings.Builder, around binding)   { join(b, e, " and ", byAnd, around) }

func (n not) print(b *strings.Builder, _ binding) {
	b.WriteString("not(")
	n.node.print(b, loosest)
	b.WriteString(")")
}

func join(b *strings.Builder, nodes []node, word string, own, around binding) {
	if around >= own {
		b.WriteByte('(')
		defer b.WriteByte(')')
	}
	for i, n := range nodes {
		if i > 0 {
			b.WriteString(word)
		}
		n.print(b, own)
	}
}

func (e either) walk(visit func(*comparison)) { walk(e, visit) }
func (e both) walk(visit func(*comparison))   { walk(e, visit) }
func (n not) walk(visit func(*comparison))    { n.node.walk(visit) }

func walk(nodes []node, visit func(*comparison)) {
	for _, n := range nodes {
		n.walk(visit)
	}
}

// Parse reads an expression. Its errors are for the user who wrote it.
func Parse(text string) (*Expression, error) {
	p := &parser{text: text}
	switch {
	case !utf8.ValidString(text):
		return nil, p.errorf(0, "it is not UTF-8")
	case utf8.RuneCountInString(text) > Longest:
		return nil, p.errorf(0, "it can have at most %d characters", Longest)
	}
	root, err := p.or()
	if err != nil {
		return nil, err
	}
	if p.space(); p.at < len(text) {
		return nil, p.errorf(p.at, "unexpected %q", p.rest())
	}
	return &Expression{root}, nil
}
