package policy

// Decision is the outcome of a request against a principal's policies.
type Decision int

// The three outcomes. The zero value refuses: what nobody allowed is denied.
const (
	ImplicitDeny Decision = iota // no statement applies
	ExplicitDeny                 // a Deny statement applies, whatever else does
	Allowed
)

func (d Decision) String() string {
	switch d {
	case Allowed:
		return "allowed"
	case ExplicitDeny:
		return "explicit deny"
	case ImplicitDeny:
		return "implicit deny"
	}
	return "unknown decision"
}

// Decide says whether docs let their owner do action ("ecs:RunTask") on resource (an ARN, or "*" for an action on no one resource).
// A statement whose effect is neither Allow nor Deny denies: a misspelt Deny must not open what it meant to close.
func Decide(docs []Document, action, resource string) Decision {
	decision := ImplicitDeny
	for i := range docs {
		for j := range docs[i].Statements {
			s := &docs[i].Statements[j]
			if !s.applies(action, resource) {
				continue
			}
			if s.Effect != Allow {
				return ExplicitDeny
			}
			decision = Allowed
		}
	}
	return decision
}

func (s *Statement) applies(action, resource string) bool {
	return matchAny(s.Actions, action, true) && matchAny(s.Resources, resource, false)
}

func matchAny(patterns []string, s string, fold bool) bool {
	for _, p := range patterns {
		if match(p, s, fold) {
			return true
		}
	}
	return false
}
