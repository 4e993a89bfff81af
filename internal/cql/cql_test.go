package cql

import (
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"berth/internal/golden"
)

// machine is a subject in plain fields.
type machine struct {
	attributes map[string]string
	facts      Facts
	groups     []string
}

func (m *machine) Attribute(name string) (string, bool) { v, ok := m.attributes[name]; return v, ok }
func (m *machine) Facts() Facts                         { return m.facts }
func (m *machine) HasGroup(g string) bool               { return slices.Contains(m.groups, g) }
func (m *machine) Groups() iter.Seq[string]             { return slices.Values(m.groups) }

// read makes a machine of a line like "i1 stack=prod agentVersion=1.2 groups=a,b": what is no field is an attribute. ~ stands for a space.
func read(t testing.TB, line string) (string, *machine) {
	t.Helper()
	words := strings.Fields(line)
	m := &machine{attributes: map[string]string{}}
	for _, w := range words[1:] {
		k, v, _ := strings.Cut(w, "=")
		v = strings.ReplaceAll(v, "~", " ")
		var err error
		switch k {
		case "agentConnected":
			m.facts.AgentConnected, err = strconv.ParseBool(v)
		case "agentVersion":
			m.facts.AgentVersion = v
		case "ec2InstanceId":
			m.facts.EC2InstanceID = v
		case "registeredAt":
			m.facts.RegisteredAt, err = time.Parse(time.RFC3339Nano, v)
		case "runningTasksCount":
			m.facts.RunningTasksCount, err = strconv.Atoi(v)
		case "groups":
			m.groups = strings.Split(v, ",")
		default:
			m.attributes[k] = v
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return words[0], m
}

// TestMatch: which instances each expression chooses, or why it is no expression.
func TestMatch(t *testing.T) {
	golden.Run(t, "testdata/*.txtar", func(t *testing.T, in map[string]string) string {
		var out strings.Builder
		for line := range strings.Lines(in["expressions"]) {
			line = strings.TrimSuffix(line, "\n")
			e, err := Parse(line)
			if err != nil {
				fmt.Fprintf(&out, "%s\n\tERROR %s\n", line, err)
				continue
			}
			fmt.Fprintf(&out, "%s\n", line)
			if text := e.String(); text != line {
				fmt.Fprintf(&out, "\t= %s\n", text)
			}
			var chosen []string
			for m := range strings.Lines(in["instances"]) {
				if name, x := read(t, m); e.Match(x) {
					chosen = append(chosen, name)
				}
			}
			fmt.Fprintf(&out, "\t-> %s\n", strings.Join(chosen, " "))
		}
		return out.String()
	})
}

func TestSize(t *testing.T) {
	word := func(n int) string { return "attribute:a == " + strings.Repeat("é", n-len("attribute:a == ")) }
	if _, err := Parse(word(Longest)); err != nil {
		t.Error(err)
	}
	if _, err := Parse(word(Longest + 1)); err == nil || err.Error() != "it can have at most 2000 characters" {
		t.Errorf("got %v", err)
	}
	if _, err := Parse("attribute:a == \xff"); err == nil {
		t.Error("what is not UTF-8 was read")
	}
	if _, err := Parse(strings.Repeat("(", Longest/2-20) + "attribute:a exists" + strings.Repeat(")", Longest/2-20)); err != nil {
		t.Error(err)
	}
}

func TestUses(t *testing.T) {
	for _, c := range []struct {
		text                string
		groups, tasks, zone bool
	}{
		{"attribute:ecs.availability-zone == a", false, false, true},
		{"not(attribute:x exists or attribute:ecs.availability-zone in [a, b])", false, false, true},
		{"attribute:rack exists and (agentConnected == true or task:group == g)", true, true, false},
		{"attribute:rack exists and not(runningTasksCount > 7)", false, true, false},
	} {
		e, err := Parse(c.text)
		if err != nil {
			t.Fatal(err)
		}
		if got := e.UsesGroups(); got != c.groups {
			t.Errorf("%s: uses groups: %v", c.text, got)
		}
		if got := e.UsesTasks(); got != c.tasks {
			t.Errorf("%s: uses tasks: %v", c.text, got)
		}
		if got := e.UsesAttribute("ecs.availability-zone"); got != c.zone {
			t.Errorf("%s: uses the zone: %v", c.text, got)
		}
	}
}

// TestMatchAllocatesNothing: a decision asks thousands of instances.
func TestMatchAllocatesNothing(t *testing.T) {
	_, m := read(t, "i1 stack=prod rack=7 ecs.instance-type=g2.2xlarge agentVersion=1.9.3 registeredAt=2018-02-13T00:00:00Z groups=a")
	e, err := Parse("attribute:stack == prod and attribute:rack in [5, 6, 7] and attribute:ecs.instance-type =~ g2.* and not(attribute:rack > 8)" +
		" and agentVersion < 1.14.5 and registeredAt > 2018-02-12 and task:group == a and attribute:none !exists")
	if err != nil {
		t.Fatal(err)
	}
	if !e.Match(m) {
		t.Fatal("no match")
	}
	if n := testing.AllocsPerRun(100, func() { e.Match(m) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkParse(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Parse("attribute:ecs.instance-type =~ g2.* and attribute:ecs.availability-zone != us-east-1d"); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkMatch(b *testing.B) {
	_, m := read(b, "i1 ecs.instance-type=g2.2xlarge ecs.availability-zone=us-east-1a")
	e, err := Parse("attribute:ecs.instance-type =~ g2.* and attribute:ecs.availability-zone != us-east-1d")
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if !e.Match(m) {
			b.Fatal("no match")
		}
	}
}
