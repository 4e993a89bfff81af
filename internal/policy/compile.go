package policy

import (
	"slices"
	"strings"
)

// Source is a document and what it is called: the ARN of a managed policy or the name of an inline one.
type Source struct {
	Name     string
	Document *Document
}

// Set is documents, compiled and in an order in which what may apply to an action is found at once. It does not change, and everybody may
// read it. A nil Set has no statements.
type Set struct {
	statements []statement
	denies     index
	allows     index
}

// statement is a compiled statement.
type statement struct {
	policy       string // its source's name
	sid          string
	number       int // in its document, from 1
	deny         bool
	actions      []pattern // in lower case
	notActions   bool
	resources    []arnPattern
	notResources bool
	attached     bool // it names no resources, as in trust policies: it is about what it is attached to
	principals   *principals
	conditions   []condition
}

// index finds the statements of one effect that may apply to an action.
type index struct {
	exact   map[string][]int32   // by a whole action, in lower case
	service map[string][]partial // by the service of actions with wildcards
	any     []int32              // those that may be about every service
}

// partial is a statement that has an action with wildcards.
type partial struct {
	action    pattern
	statement int32
}

// Compile makes a Set of documents. Documents that Parse has not seen are taken as strictly as can be: an effect that is neither Allow nor
// Deny denies, and of a condition whose operator does not exist an Allow is never in force and a Deny always.
func Compile(sources ...Source) *Set {
	s := &Set{}
	for _, source := range sources {
		if source.Document == nil {
			continue
		}
		for i := range source.Document.Statements {
			compiled := compileStatement(&source.Document.Statements[i], source.Document.Version)
			compiled.policy, compiled.number = source.Name, i+1
			s.add(compiled)
		}
	}
	return s
}

// Len is the number of statements.
func (s *Set) Len() int {
	if s == nil {
		return 0
	}
	return len(s.statements)
}

func compileStatement(from *Statement, version string) statement {
	variables := version == Version2012
	s := statement{sid: from.Sid, deny: from.Effect != Allow, principals: compilePrincipals(from)}
	actions := from.Actions
	if len(from.NotActions) > 0 {
		actions, s.notActions = from.NotActions, true
	}
	for _, a := range actions {
		s.actions = append(s.actions, compilePattern(lowered(a), true, false))
	}
	resources := from.Resources
	if len(from.NotResources) > 0 {
		resources, s.notResources = from.NotResources, true
	}
	s.attached = len(resources) == 0 && s.principals != nil
	for _, r := range resources {
		s.resources = append(s.resources, compileARN(r, variables))
	}
	for _, c := range from.Conditions {
		s.conditions = append(s.conditions, compileCondition(c, variables))
	}
	return s
}

// add puts a statement into the set and its index.
func (s *Set) add(compiled statement) {
	n := int32(len(s.statements))
	s.statements = append(s.statements, compiled)
	x := &s.allows
	if compiled.deny {
		x = &s.denies
	}
	x.add(&compiled, n)
}

func (x *index) add(s *statement, n int32) {
	if s.notActions || slices.ContainsFunc(s.actions, ofEveryService) {
		x.any = append(x.any, n)
		return
	}
	for i, a := range s.actions {
		if slices.ContainsFunc(s.actions[:i], func(b pattern) bool { return b.text == a.text }) {
			continue
		}
		if !a.wild {
			x.addExact(a.text, n)
			continue
		}
		service, _, _ := strings.Cut(a.text, ":")
		if x.service == nil {
			x.service = map[string][]partial{}
		}
		x.service[service] = append(x.service[service], partial{action: a, statement: n})
	}
}

func (x *index) addExact(action string, n int32) {
	if x.exact == nil {
		x.exact = map[string][]int32{}
	}
	x.exact[action] = append(x.exact[action], n)
}

// ofEveryService reports whether the wildcards of an action are in the name of its service too.
func ofEveryService(action pattern) bool {
	service, _, found := strings.Cut(action.text, ":")
	return action.wild && (!found || strings.IndexByte(service, anyRun) >= 0 || strings.IndexByte(service, oneOf) >= 0)
}
