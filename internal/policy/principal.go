package policy

import "strings"

// Principal is who makes a request.
type Principal struct {
	ARN     string // arn:aws:iam::123456789012:user/ada; of a session arn:aws:sts::123456789012:assumed-role/name/session; of a service its name
	Account string
	UserID  string // as GetCallerIdentity shows it: AIDA..., AROA...:session
	Role    string // the ARN of the role behind a session, "" for all others
	Kind    Kind
	Managed string            // key of the managed instance of Systems Manager whose it is, or whose session; "" for all others
	Tags    map[string]string // of the user or role, and of the session, which win
	Grants  *Grants           // nil for none
}

// Kind is what sort of principal somebody is.
type Kind int

// The kinds of principals. The zero value is a user.
const (
	User        Kind = iota
	RoleSession      // whoever has assumed a role
	Root             // an account itself, which may do everything in it
	Service          // ecs-tasks.amazonaws.com: no policies of its own
	Federated        // whoever shows a token of an identity provider, whose ARN is the principal's: no policies of its own
)

// Grants are the policies that belong to a principal. Everybody may share them: they do not change.
type Grants struct {
	Identity *Set   // its own identity-based policies and those of its groups; nil allows nothing
	Boundary *Set   // its permissions boundary; nil is none
	Session  []*Set // the policies of its session, each of which bounds it
}

// Stem is the id of the user or role behind p, without the name of a session.
func (p *Principal) Stem() string {
	if p.Kind != RoleSession {
		return p.UserID
	}
	role, _, _ := strings.Cut(p.UserID, ":")
	return role
}

// own reports whether p has identity-based policies at all.
func (p *Principal) own() bool { return p.Kind == User || p.Kind == RoleSession || p.Kind == Root }

// name is a user's name, "" for all others: the last part of the ARN, after its path.
func (p *Principal) name() string {
	if p.Kind != User {
		return ""
	}
	_, name, found := strings.Cut(p.ARN, ":user/")
	if !found {
		return ""
	}
	return name[strings.LastIndexByte(name, '/')+1:]
}

// identity is the ARN that aws:PrincipalArn has: of a session its role's.
func (p *Principal) identity() string {
	if p.Role != "" {
		return p.Role
	}
	return p.ARN
}

// tagKey is what the keys of principals' tags begin with.
const tagKey = "aws:principaltag/"

// value is the value of a condition key that says who the principal is, "" for none.
func (p *Principal) value(key string) string {
	switch key {
	case "aws:principalarn":
		if p.own() {
			return p.identity()
		}
	case "aws:principalaccount":
		return p.Account
	case "aws:principaltype":
		return p.Kind.typ()
	case "aws:userid":
		return p.UserID
	case "aws:username":
		return p.name()
	case "aws:principalisawsservice":
		if p.Kind == Service {
			return "true"
		}
		return "false"
	case "aws:principalservicename":
		if p.Kind == Service {
			return p.ARN
		}
	}
	return ""
}

// tag finds the tag that a condition key of principals' tags names, without case.
func (p *Principal) tag(key string) (string, bool) {
	name, ok := strings.CutPrefix(key, tagKey)
	if !ok {
		return "", false
	}
	return foldedTag(p.Tags, name)
}

// typ is the kind as aws:PrincipalType names it, "" where that has no word.
func (k Kind) typ() string {
	switch k {
	case User:
		return "User"
	case RoleSession:
		return "AssumedRole"
	case Root:
		return "Account"
	case Service, Federated:
		return ""
	}
	return ""
}
