package policy

import "strings"

// evaluation is a request while it is decided.
type evaluation struct {
	request  Request
	resource arnValue
	one      [1]string // room for a value that is made up
	filled   []byte    // room for texts whose variables were filled in
}

// values are those of a condition key, in lower case: the request's, or else what the principal itself says.
func (e *evaluation) values(key string) []string {
	if e.request.Context != nil {
		if values := e.request.Context.Values(key); values != nil {
			return values
		}
	}
	if tag, ok := e.request.Principal.tag(key); ok {
		e.one[0] = tag
		return e.one[:]
	}
	if e.one[0] = e.request.Principal.value(key); e.one[0] != "" {
		return e.one[:]
	}
	return nil
}

// denied finds a Deny that applies, nil if there is none.
func (e *evaluation) denied(s *Set) *statement {
	if s == nil {
		return nil
	}
	var hit *statement
	e.candidates(s, &s.denies, func(st *statement) bool {
		if (st.principals == nil || st.principals.denies(e.request.Principal)) && e.applies(st) {
			hit = st
		}
		return hit == nil
	})
	return hit
}

// allowed finds an Allow that applies, of policies without principals; nil if there is none.
func (e *evaluation) allowed(s *Set) *statement {
	if s == nil {
		return nil
	}
	var hit *statement
	e.candidates(s, &s.allows, func(st *statement) bool {
		if st.principals == nil && e.applies(st) {
			hit = st
		}
		return hit == nil
	})
	return hit
}

// granted finds the Allow of a resource-based policy that names the principal most closely.
func (e *evaluation) granted(s *Set) (hit *statement, as reach) {
	if s == nil {
		return nil, unnamed
	}
	e.candidates(s, &s.allows, func(st *statement) bool {
		if r := st.principals.names(e.request.Principal); r > as && e.applies(st) {
			hit, as = st, r
		}
		return as < byItself
	})
	return hit, as
}

// candidates gives the statements whose actions fit the request's to visit, until that returns false.
func (e *evaluation) candidates(s *Set, x *index, visit func(*statement) bool) {
	var room [64]byte
	action := append(room[:0], e.request.Action...)
	for i := range action {
		action[i] = lower(action[i])
	}
	for _, n := range x.exact[string(action)] {
		if !visit(&s.statements[n]) {
			return
		}
	}
	service := action[:max(0, strings.IndexByte(e.request.Action, ':'))]
	for i, wild := 0, x.service[string(service)]; i < len(wild); i++ {
		if match(wild[i].action.text, e.request.Action, true) && !visit(&s.statements[wild[i].statement]) {
			return
		}
	}
	for _, n := range x.any {
		st := &s.statements[n]
		if st.about(e.request.Action) && !visit(st) {
			return
		}
	}
}

// about reports whether a statement is about an action.
func (s *statement) about(action string) bool {
	for i := range s.actions {
		a := &s.actions[i]
		if a.wild && match(a.text, action, true) || !a.wild && equalFold(a.text, action) {
			return !s.notActions
		}
	}
	return s.notActions
}

// applies reports whether a statement that is about the action is about the resource and its conditions hold.
func (e *evaluation) applies(s *statement) bool {
	if !s.attached && e.among(s.resources) == s.notResources {
		return false
	}
	for i := range s.conditions {
		if !s.conditions[i].holds(e, s.deny) {
			return false
		}
	}
	return true
}

func (e *evaluation) among(resources []arnPattern) bool {
	for i := range resources {
		if resources[i].matches(e, &e.resource) {
			return true
		}
	}
	return false
}
