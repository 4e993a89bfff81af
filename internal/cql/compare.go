package cql

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// subject is what a comparison looks at.
type subject int

const (
	unknown subject = iota
	attribute
	taskGroup
	agentConnected
	agentVersion
	ec2InstanceID
	registeredAt
	runningTasksCount
)

const attributePrefix = "attribute:"

func subjectOf(word string) subject {
	if strings.HasPrefix(word, attributePrefix) {
		return attribute
	}
	for s := taskGroup; s <= runningTasksCount; s++ {
		if s.String() == word {
			return s
		}
	}
	return unknown
}

func (s subject) String() string {
	switch s {
	case attribute:
		return attributePrefix
	case taskGroup:
		return "task:group"
	case agentConnected:
		return "agentConnected"
	case agentVersion:
		return "agentVersion"
	case ec2InstanceID:
		return "ec2InstanceId"
	case registeredAt:
		return "registeredAt"
	case runningTasksCount:
		return "runningTasksCount"
	}
	return ""
}

// operator is how a comparison compares.
type operator int

const (
	none operator = iota
	equals
	notEquals
	greater
	greaterEqual
	less
	lessEqual
	exists
	notExists
	in
	notIn
	matches
	notMatches
)

// spelling is one way to write an operator.
type spelling struct {
	text     string
	operator operator
	word     bool
}

// spellings are all of them; what begins with another one comes before it. The short ones come first of their operator.
func spellings() []spelling {
	return []spelling{
		{"==", equals, false}, {"!=", notEquals, false}, {">=", greaterEqual, false}, {"<=", lessEqual, false}, {">", greater, false}, {"<", less, false},
		{"exists", exists, true}, {"!exists", notExists, false}, {"in", in, true}, {"!in", notIn, false}, {"=~", matches, false}, {"!~", notMatches, false},
		{"equals", equals, true}, {"not_equals", notEquals, true}, {"greater_than", greater, true}, {"greater_than_equal", greaterEqual, true},
		{"less_than", less, true}, {"less_than_equal", lessEqual, true}, {"not_exists", notExists, true}, {"not_in", notIn, true},
		{"matches", matches, true}, {"not_matches", notMatches, true},
	}
}

func (o operator) String() string {
	for _, s := range spellings() {
		if s.operator == o {
			return s.text
		}
	}
	return "none"
}

// suits reports whether the language lets the subject be compared so.
func (o operator) suits(s subject) bool {
	switch s {
	case agentConnected, ec2InstanceID:
		return o == equals || o == notEquals || o >= in
	case agentVersion, registeredAt, runningTasksCount:
		return o <= lessEqual
	}
	return true
}

// comparison is one comparison, compiled.
type comparison struct {
	subject   subject
	name      string // of the attribute
	operator  operator
	arguments []string

	pattern *regexp.Regexp
	time    time.Time
	number  float64 // of the argument, NaN if it is none
}

// compile reads the arguments as the subject's kind.
func (c *comparison) compile() (err error) {
	for _, a := range c.arguments {
		if c.subject == agentConnected && c.operator < matches && a != "true" && a != "false" {
			return fmt.Errorf("agentConnected is true or false, but not %q", a)
		}
	}
	if c.operator == matches || c.operator == notMatches {
		c.pattern, err = compilePattern(c.arguments[0])
		return err
	}
	if len(c.arguments) != 1 {
		return nil
	}
	c.number = number(c.arguments[0])
	switch c.subject {
	case agentVersion:
		if !isVersion(c.arguments[0]) {
			return fmt.Errorf("%q is no version", c.arguments[0])
		}
	case registeredAt:
		c.time, err = parseTime(c.arguments[0])
		return err
	case runningTasksCount:
		if n, err := strconv.Atoi(c.arguments[0]); err != nil || n < 0 {
			return fmt.Errorf("%q is no number of tasks", c.arguments[0])
		}
	}
	return nil
}

// parseTime reads the language's four forms of a date; one without an offset is in UTC.
func parseTime(s string) (time.Time, error) {
	for _, form := range []string{"2006-01-02T15:04:05Z07:00", "2006-01-02T15:04:05", "2006-01-02"} {
		if t, err := time.Parse(form, s); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is no date: use the form 2018-06-18T22:28:28Z or 2018-06-18", s)
}

// number reads a decimal number; NaN is none.
func number(s string) float64 {
	if strings.Trim(s, "0123456789.-+eE") != "" { // no infinities, no hexadecimals
		return math.NaN()
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil && !errors.Is(err, strconv.ErrRange) {
		return math.NaN()
	}
	return f
}

func (c *comparison) match(s Subject) bool {
	switch c.subject {
	case attribute:
		v, has := s.Attribute(c.name)
		switch c.operator {
		case exists:
			return has
		case notExists:
			return !has
		}
		return has && c.text(v)
	case taskGroup:
		return c.group(s)
	}
	f := s.Facts()
	switch c.subject {
	case agentConnected:
		return c.text(strconv.FormatBool(f.AgentConnected))
	case ec2InstanceID:
		return c.text(f.EC2InstanceID)
	case agentVersion:
		return isVersion(f.AgentVersion) && c.order(compareVersions(f.AgentVersion, c.arguments[0]))
	case registeredAt:
		return c.order(f.RegisteredAt.Truncate(time.Second).Compare(c.time)) // the language knows no parts of a second
	}
	return c.order(cmp.Compare(float64(f.RunningTasksCount), c.number))
}

// group asks for any task's group.
func (c *comparison) group(s Subject) bool {
	switch c.operator {
	case equals:
		return s.HasGroup(c.arguments[0])
	case in:
		return slices.ContainsFunc(c.arguments, s.HasGroup)
	}
	return c.groups(s)
}

func (c *comparison) groups(s Subject) bool {
	for g := range s.Groups() {
		switch c.operator {
		case exists, notExists:
			return c.operator == exists
		}
		if c.text(g) {
			return true
		}
	}
	return c.operator == notExists
}

// text compares a text; numbers are ordered as such where both are some.
func (c *comparison) text(v string) bool {
	switch c.operator {
	case equals:
		return v == c.arguments[0]
	case notEquals:
		return v != c.arguments[0]
	case in:
		return slices.Contains(c.arguments, v)
	case notIn:
		return !slices.Contains(c.arguments, v)
	case matches:
		return c.pattern.MatchString(v)
	case notMatches:
		return !c.pattern.MatchString(v)
	}
	if n := number(v); !math.IsNaN(n) && !math.IsNaN(c.number) {
		return c.order(cmp.Compare(n, c.number))
	}
	return c.order(strings.Compare(v, c.arguments[0]))
}

// order turns the outcome of a comparison, -1, 0 or 1, into the operator's.
func (c *comparison) order(n int) bool {
	switch c.operator {
	case equals:
		return n == 0
	case notEquals:
		return n != 0
	case greater:
		return n > 0
	case greaterEqual:
		return n >= 0
	case less:
		return n < 0
	}
	return n <= 0
}

func (c *comparison) print(b *strings.Builder, _ binding) {
	b.WriteString(c.subject.String() + c.name + " " + c.operator.String())
	switch c.operator {
	case exists, notExists:
	case in, notIn:
		quoted := make([]string, len(c.arguments))
		for i, a := range c.arguments {
			quoted[i] = quote(a, false)
		}
		b.WriteString(" [" + strings.Join(quoted, ", ") + "]")
	default:
		b.WriteString(" " + quote(c.arguments[0], c.pattern != nil))
	}
}

func (c *comparison) walk(visit func(*comparison)) { visit(c) }
