package cql

import (
	"math"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// randomNode draws a tree as the parser could make it: rows have two nodes at least.
func randomNode(t *rapid.T, depth int) node {
	kind := rapid.IntRange(0, 3).Draw(t, "kind")
	if depth == 0 || kind == 0 {
		return randomComparison(t)
	}
	if kind == 1 {
		return not{randomNode(t, depth-1)}
	}
	var row []node
	for range rapid.IntRange(2, 3).Draw(t, "row") {
		row = append(row, randomNode(t, depth-1))
	}
	if kind == 2 {
		return either(row)
	}
	return both(row)
}

var text = rapid.OneOf(
	rapid.StringMatching(`[a-z0-9.:/@\\-]{1,8}`), rapid.StringMatching(`[ ,'"()\[\]\\&|!=<>~a-c]{0,6}`), rapid.SampledFrom([]string{"", "and", "1.5", "é ü", "a&&b", "not"}),
)

func randomComparison(t *rapid.T) node {
	c := &comparison{subject: rapid.SampledFrom([]subject{
		attribute, taskGroup, agentConnected, agentVersion, ec2InstanceID, registeredAt, runningTasksCount}).Draw(t, "subject")}
	if c.subject == attribute {
		c.name = rapid.StringMatching(`[A-Za-z0-9._/\\-]{1,8}`).Draw(t, "name")
	}
	c.operator = operator(rapid.IntRange(int(equals), int(notMatches)).Filter(func(o int) bool { return operator(o).suits(c.subject) }).Draw(t, "operator"))
	value := text
	switch {
	case c.operator == matches || c.operator == notMatches:
		value = rapid.SampledFrom([]string{"g2.*", `a\.b`, "[a-z]+|x y", "(t2|t3)", `'`, `\Q(\E`, "a{1,2}"})
	case c.subject == agentConnected:
		value = rapid.SampledFrom([]string{"true", "false"})
	case c.subject == agentVersion:
		value = rapid.StringMatching(`[0-9]{1,2}(\.[0-9]{1,2}){0,3}(-rc1)?`)
	case c.subject == registeredAt:
		value = rapid.SampledFrom([]string{"2018-06-18T22:28:28+00:00", "2018-06-18T22:28:28Z", "2018-06-18T22:28:28", "2018-06-18"})
	case c.subject == runningTasksCount:
		value = rapid.StringMatching(`[0-9]{1,3}`)
	}
	switch c.operator {
	case exists, notExists:
	case in, notIn:
		c.arguments = rapid.SliceOfN(value, 1, 3).Draw(t, "list")
	default:
		c.arguments = []string{value.Draw(t, "argument")}
	}
	if err := c.compile(); err != nil {
		t.Fatalf("%v: %v", c, err)
	}
	return c
}

var sameTree = cmp.Options{
	cmp.AllowUnexported(comparison{}, not{}),
	cmp.Comparer(func(a, b *regexp.Regexp) bool {
		return (a == nil) == (b == nil) && (a == nil || a.String() == b.String())
	}),
	cmp.Comparer(func(a, b float64) bool { return a == b || math.IsNaN(a) && math.IsNaN(b) }),
}

// TestPrintingAndParsing gives the same tree again.
func TestPrintingAndParsing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := &Expression{randomNode(t, 3)}
		printed := e.String()
		if len(printed) > Longest {
			t.Skip()
		}
		again, err := Parse(printed)
		if err != nil {
			t.Fatalf("%s: %v", printed, err)
		}
		if diff := cmp.Diff(e.root, again.root, sameTree); diff != "" {
			t.Fatalf("%s (-printed +parsed)\n%s", printed, diff)
		}
	})
}

// TestVersionsAreOrdered: an order is one way round only, and transitive.
func TestVersionsAreOrdered(t *testing.T) {
	version := rapid.StringMatching(`[0-9]{1,3}(\.[0-9a-c]{1,3}){0,3}(-[a-z0-9]{1,2})?(\+x)?`)
	rapid.Check(t, func(t *rapid.T) {
		a, b, c := version.Draw(t, "a"), version.Draw(t, "b"), version.Draw(t, "c")
		if compareVersions(a, b) != -compareVersions(b, a) {
			t.Fatalf("%s and %s", a, b)
		}
		if compareVersions(a, b) <= 0 && compareVersions(b, c) <= 0 && compareVersions(a, c) > 0 {
			t.Fatalf("%s <= %s <= %s", a, b, c)
		}
	})
}

// FuzzParse: whatever is read prints to what reads back and prints the same, and answers without a panic.
func FuzzParse(f *testing.F) {
	for _, s := range []string{
		"attribute:ecs.instance-type =~ g2.* and attribute:ecs.availability-zone != us-east-1d", "not(task:group == database)",
		"ec2InstanceId in ['i-abcd1234', 'i-wxyx7890']", "registeredAt < 2018-02-13", "runningTasksCount == 1", "agentVersion<1.14.5||!agentConnected==true",
		`attribute:a !exists and attribute:b not_in ["x\"y", z]`, `attribute:a =~ '(t2|t3)\.\Qx\E'`, "attribute:a matches [a-z&&[b]]",
	} {
		f.Add(s)
	}
	_, m := read(f, "i1 a=b ecs.instance-type=t2.small agentVersion=1.2 groups=x,y")
	f.Fuzz(func(t *testing.T, s string) {
		e, err := Parse(s)
		if err != nil {
			if strings.TrimSpace(err.Error()) == "" {
				t.Fatal("an error without words")
			}
			return
		}
		was := e.Match(m)
		printed := e.String()
		if len(printed) > Longest {
			return // "||" became " or ", and so on
		}
		again, err := Parse(printed)
		if err != nil {
			t.Fatalf("%q printed %q: %v", s, printed, err)
		}
		if again.String() != printed || again.Match(m) != was {
			t.Fatalf("%q printed %q, and that %q", s, printed, again.String())
		}
	})
}
