package policy

import (
	"encoding/json"
	"strings"
)

// String is the document as JSON, which Parse reads as the same document.
func (d *Document) String() string {
	p := &printer{}
	p.open('{')
	p.member("Version", d.Version, d.Version != "")
	p.member("Id", d.ID, d.ID != "")
	p.name("Statement")
	p.open('[')
	for i := range d.Statements {
		p.next()
		p.statement(&d.Statements[i])
	}
	p.close(']')
	p.close('}')
	return p.b.String()
}

// printer writes JSON whose members keep their order.
type printer struct {
	b     strings.Builder
	first bool // nothing was written since the last bracket
}

func (p *printer) open(c byte) {
	p.b.WriteByte(c)
	p.first = true
}

func (p *printer) close(c byte) {
	p.b.WriteByte(c)
	p.first = false
}

// next puts a comma before all but the first.
func (p *printer) next() {
	if !p.first {
		p.b.WriteByte(',')
	}
	p.first = false
}

func (p *printer) name(s string) {
	p.next()
	p.value(s)
	p.b.WriteByte(':')
}

func (p *printer) value(v any) {
	b, err := json.Marshal(v)
	if err != nil { // strings always marshal
		panic(err)
	}
	p.b.Write(b)
}

func (p *printer) member(name string, v any, is bool) {
	if is {
		p.name(name)
		p.value(v)
	}
}

func (p *printer) statement(s *Statement) {
	p.open('{')
	p.member("Sid", s.Sid, s.Sid != "")
	p.member("Effect", s.Effect, true)
	p.principals("Principal", s.Principals)
	p.principals("NotPrincipal", s.NotPrincipals)
	p.member("Action", s.Actions, s.Actions != nil)
	p.member("NotAction", s.NotActions, s.NotActions != nil)
	p.member("Resource", s.Resources, s.Resources != nil)
	p.member("NotResource", s.NotResources, s.NotResources != nil)
	if len(s.Conditions) > 0 {
		p.name("Condition")
		p.conditions(s.Conditions)
	}
	p.close('}')
}

func (p *printer) principals(name string, ps *Principals) {
	if ps == nil {
		return
	}
	if ps.All {
		p.member(name, "*", true)
		return
	}
	p.name(name)
	p.open('{')
	p.member("AWS", ps.AWS, ps.AWS != nil)
	p.member("Service", ps.Service, ps.Service != nil)
	p.member("Federated", ps.Federated, ps.Federated != nil)
	p.member("CanonicalUser", ps.CanonicalUser, ps.CanonicalUser != nil)
	p.close('}')
}

// conditions writes the conditions of each operator together.
func (p *printer) conditions(all []Condition) {
	p.open('{')
	written := map[string]bool{}
	for _, c := range all {
		if written[c.Operator] {
			continue
		}
		written[c.Operator] = true
		p.name(c.Operator)
		p.open('{')
		for _, same := range all {
			if same.Operator == c.Operator {
				p.member(same.Key, same.Values, true)
			}
		}
		p.close('}')
	}
	p.close('}')
}
