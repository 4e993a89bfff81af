package placement

import (
	"iter"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/cql"
	"berth/internal/ecs"
)

// members are a request's memberOf constraints, read once for all instances. They all must hold. One that cannot be read holds nowhere, which
// keeps tasks from where they must not be.
type members struct {
	all     []*cql.Expression
	broken  bool
	byGroup bool // the outcome depends on the tasks of an instance, and so on those that the decision itself places
	subject subject
}

// readMembers returns nil where no constraint is a memberOf.
func readMembers(constraints []types.PlacementConstraint) *members {
	m := &members{}
	for _, c := range constraints {
		if c.Type != types.PlacementConstraintTypeMemberOf {
			continue
		}
		e, err := cql.Parse(text(c.Expression))
		if err != nil {
			m.broken = true
			continue
		}
		m.all = append(m.all, e)
		m.byGroup = m.byGroup || e.UsesGroups()
	}
	if len(m.all) == 0 && !m.broken {
		return nil
	}
	return m
}

// hold reports whether the candidate is a member of all. A nil m has no constraint.
func (m *members) hold(f Fleet, group string, c *candidate) bool {
	if m == nil {
		return true
	}
	if m.broken {
		return false
	}
	m.subject.fleet, m.subject.group, m.subject.candidate = f, group, c
	for _, e := range m.all {
		if !e.Match(&m.subject) {
			return false
		}
	}
	return true
}

// subject is a candidate as expressions see it.
type subject struct {
	fleet     Fleet
	group     string // of the tasks that are being placed
	candidate *candidate
	lookups   map[string]*lookup
}

var _ cql.Subject = (*subject)(nil)

func (s *subject) Attribute(name string) (string, bool) {
	l := s.lookups[name]
	if l == nil {
		if s.lookups == nil {
			s.lookups = map[string]*lookup{}
		}
		l = &lookup{name: name}
		s.lookups[name] = l
	}
	return l.of(s.candidate.instance)
}

func (s *subject) Facts() cql.Facts { return Facts(s.candidate.instance, s.candidate.running) }

func (s *subject) HasGroup(g string) bool {
	if g == s.group {
		return s.candidate.group > 0
	}
	return s.fleet.Room(g, s.candidate.instance).InGroup > 0
}

func (s *subject) Groups() iter.Seq[string] {
	return func(yield func(string) bool) {
		if s.candidate.group > 0 && !yield(s.group) { // the fleet does not know those that this decision places
			return
		}
		s.fleet.Groups(s.candidate.instance)(yield)
	}
}

// Facts are what expressions can ask of an instance itself.
func Facts(i *ecs.Instance, running int) cql.Facts {
	return cql.Facts{
		AgentConnected: i.Connected, AgentVersion: i.AgentVersion, EC2InstanceID: i.Ec2InstanceID, RegisteredAt: i.RegisteredAt, RunningTasksCount: running,
	}
}

// Constraints are those of a service or request and those of its task definition together, which are all of type memberOf.
func Constraints(own []types.PlacementConstraint, d *ecs.TaskDefinition) []types.PlacementConstraint {
	out := own[:len(own):len(own)]
	for _, c := range d.Definition.PlacementConstraints {
		out = append(out, types.PlacementConstraint{Type: types.PlacementConstraintTypeMemberOf, Expression: c.Expression})
	}
	return out
}

// DependOnTasks reports whether constraints may hold on an instance at one time and not at another only because of the tasks on it.
func DependOnTasks(constraints []types.PlacementConstraint) bool {
	m := readMembers(constraints)
	return m != nil && slices.ContainsFunc(m.all, (*cql.Expression).UsesTasks)
}
