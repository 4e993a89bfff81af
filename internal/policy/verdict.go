package policy

import "fmt"

// Verdict is the answer to a request, and which statement gave it.
type Verdict struct {
	Decision  Decision
	By        Use    // which kind of policies decided: for an implicit deny, those that lack an Allow
	Policy    string // name of the policy that allowed or denied; "" for an implicit deny
	Sid       string // of that statement, if it has one
	Statement int    // its number in the policy, from 1; 0 for an implicit deny, and for what an account may do in itself
}

// Decision is the outcome of a request.
type Decision int

// The three outcomes. The zero value refuses: what nobody allowed is denied.
const (
	ImplicitDeny Decision = iota // no statement allows it
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

// Use is what a policy is used as.
type Use int

// The uses. Managed, Boundary and Session have the grammar of Identity, but that a managed policy must say that it is of Version2012.
const (
	Identity Use = iota // of a user, group or role: inline, or a managed policy that is there
	Boundary            // of a user or role
	Session             // of temporary credentials
	Resource            // of a resource: who may do what with it
	Trust               // of a role: who may assume it
	Managed             // what is to be a managed policy
)

func (u Use) String() string {
	switch u {
	case Identity, Managed:
		return "identity-based policy"
	case Boundary:
		return "permissions boundary"
	case Session:
		return "session policy"
	case Resource:
		return "resource-based policy"
	case Trust:
		return "role trust policy"
	}
	return "unknown policy"
}

// explicit is how AWS ends the sentence of an explicit deny.
func (u Use) explicit() string {
	switch u {
	case Trust:
		return "with an explicit deny in the role trust policy"
	case Identity, Managed:
		return "with an explicit deny in an identity-based policy"
	case Boundary, Session, Resource:
	}
	return "with an explicit deny in a " + u.String()
}

// Text is AWS's sentence for a refusal; resource may be empty. It is empty for what is allowed.
func (v Verdict) Text(principalARN, action, resource string) string {
	if v.Decision == Allowed {
		return ""
	}
	on := ""
	if resource != "" {
		on = " on resource: " + resource
	}
	why := v.By.explicit()
	if v.Decision != ExplicitDeny {
		why = fmt.Sprintf("because no %s allows the %s action", v.By, action)
	}
	return fmt.Sprintf("User: %s is not authorized to perform: %s%s %s", principalARN, action, on, why)
}

func (s *statement) verdict(d Decision, by Use) Verdict {
	return Verdict{Decision: d, By: by, Policy: s.policy, Sid: s.sid, Statement: s.number}
}

func allowed(by Use, s *statement) Verdict { return s.verdict(Allowed, by) }

func denied(by Use) Verdict { return Verdict{By: by} }
