package policy

import (
	"slices"
	"strings"
)

// Simulation is a Verdict and how it came about, for SimulatePrincipalPolicy and SimulateCustomPolicy.
type Simulation struct {
	Verdict
	Matched []Match  // the statements that apply, in the order of policies and statements
	Missing []string // condition keys, also of variables, that the policies speak of and the request does not have; sorted, as they are written
}

// Match is a statement that applies to a request.
type Match struct {
	Use       Use
	Policy    string // its source's name
	Sid       string
	Statement int // its number in the policy, from 1
	Effect    Effect
}

// Simulate decides as Decide does, and looks at every statement.
func Simulate(r Request) Simulation {
	if r.Principal == nil {
		r.Principal = &Principal{}
	}
	s := Simulation{Verdict: Decide(r)}
	e := &evaluation{request: r, resource: arnValue{whole: r.Resource}}
	g := r.Principal.Grants
	if g == nil {
		g = &Grants{}
	}
	e.simulate(&s, g.Identity, Identity)
	e.simulate(&s, g.Boundary, Boundary)
	for _, session := range g.Session {
		e.simulate(&s, session, Session)
	}
	e.simulate(&s, r.ResourcePolicy, r.byResource())
	slices.SortFunc(s.Missing, func(a, b string) int { return strings.Compare(lowered(a), lowered(b)) })
	s.Missing = slices.CompactFunc(s.Missing, equalFold)
	return s
}

func (e *evaluation) simulate(into *Simulation, s *Set, use Use) {
	if s == nil {
		return
	}
	for i := range s.statements {
		st := &s.statements[i]
		st.keys(func(key string) {
			if len(e.values(lowered(key))) == 0 {
				into.Missing = append(into.Missing, key)
			}
		})
		if st.about(e.request.Action) && e.concerns(st, use) && e.applies(st) {
			m := Match{Use: use, Policy: st.policy, Sid: st.sid, Statement: st.number, Effect: Allow}
			if st.deny {
				m.Effect = Deny
			}
			into.Matched = append(into.Matched, m)
		}
	}
}

// concerns reports whether a statement is about the principal, as a policy of a use is.
func (e *evaluation) concerns(s *statement, use Use) bool {
	switch {
	case s.deny:
		return s.principals == nil || s.principals.denies(e.request.Principal)
	case use == Resource || use == Trust:
		return s.principals.names(e.request.Principal) != unnamed
	}
	return s.principals == nil
}

// ContextKeys are the condition keys that sets speak of, in conditions and variables: sorted, as they are written.
func ContextKeys(sets ...*Set) []string {
	var all []string
	for _, s := range sets {
		if s == nil {
			continue
		}
		for i := range s.statements {
			s.statements[i].keys(func(key string) { all = append(all, key) })
		}
	}
	slices.SortFunc(all, func(a, b string) int { return strings.Compare(lowered(a), lowered(b)) })
	return slices.CompactFunc(all, equalFold)
}

// keys visits the condition keys that a statement speaks of.
func (s *statement) keys(visit func(string)) {
	for i := range s.resources {
		s.resources[i].keys(visit)
	}
	for i := range s.conditions {
		c := &s.conditions[i]
		visit(c.name)
		for j := range c.values {
			v := &c.values[j]
			if v.text != nil {
				v.text.keys(visit)
			}
			if v.arn != nil {
				v.arn.keys(visit)
			}
		}
	}
}

func (p *arnPattern) keys(visit func(string)) {
	if p.parts == nil {
		return
	}
	for i := range p.parts {
		p.parts[i].keys(visit)
	}
}

// keys visits the variables that have no default.
func (p *pattern) keys(visit func(string)) {
	for _, v := range p.parts {
		if v.key != "" && !v.falls {
			visit(v.name)
		}
	}
}
