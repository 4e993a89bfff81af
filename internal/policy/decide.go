package policy

import "strings"

// Request is what is asked of the policies: may Principal do Action on Resource?
type Request struct {
	Principal *Principal // nil for nobody that is known
	Action    string     // "ecs:RunTask"
	Resource  string     // an ARN, or "*" for an action that is on no one resource
	Context   Context
	// ResourcePolicy is the resource-based policy of the resource, nil if it has none.
	ResourcePolicy *Set
	// Trust says that ResourcePolicy is a role's trust policy: without its Allow nobody may, also if their own policies allow it.
	Trust bool
	// Owner is the account that the resource belongs to, "" for the one that its ARN names.
	Owner string
}

// Decide answers a request by IAM's evaluation logic.
//
// A Deny that applies, in whichever policy, decides. Else the principal's own policies must allow it: an identity-based policy, and the
// boundary and each policy of the session, where there are any. A resource-based policy that names a principal of the same account needs
// less of them: nothing for a session or a service that is named itself, only the session's policies for a user, these and the boundary for
// a role. In another account, both must allow it.
func Decide(r Request) Verdict {
	if r.Principal == nil {
		r.Principal = &Principal{}
	}
	e := evaluation{request: r, resource: arnValue{whole: r.Resource}}
	g := r.Principal.Grants
	if g == nil {
		g = &Grants{}
	}
	if v := e.explicit(g); v.Decision == ExplicitDeny {
		return v
	}
	hit, as := e.granted(r.ResourcePolicy)
	switch {
	case !r.Principal.own():
		if as == unnamed {
			return denied(r.byResource())
		}
		return allowed(r.byResource(), hit)
	case as == unnamed && (r.Trust || r.foreign() && e.own(g, unnamed).Decision == Allowed):
		return denied(r.byResource())
	case r.foreign():
		return e.own(g, unnamed)
	case as <= byAccount:
		return e.own(g, unnamed)
	}
	if v := e.own(g, as); v.Decision != Allowed {
		return v
	}
	return allowed(r.byResource(), hit)
}

// explicit looks for a Deny in all policies.
func (e *evaluation) explicit(g *Grants) Verdict {
	if s := e.denied(g.Identity); s != nil {
		return s.verdict(ExplicitDeny, Identity)
	}
	if s := e.denied(g.Boundary); s != nil {
		return s.verdict(ExplicitDeny, Boundary)
	}
	for _, session := range g.Session {
		if s := e.denied(session); s != nil {
			return s.verdict(ExplicitDeny, Session)
		}
	}
	if s := e.denied(e.request.ResourcePolicy); s != nil {
		return s.verdict(ExplicitDeny, e.request.byResource())
	}
	return Verdict{}
}

// own asks the principal's own policies for an Allow, but for those that are not needed of one whom a resource-based policy names as that.
func (e *evaluation) own(g *Grants, as reach) Verdict {
	v := Verdict{Decision: Allowed, By: Identity}
	if as < byRole && e.request.Principal.Kind != Root {
		s := e.allowed(g.Identity)
		if s == nil {
			return denied(Identity)
		}
		v = s.verdict(Allowed, Identity)
	}
	if as < byUser && g.Boundary != nil && e.allowed(g.Boundary) == nil {
		return denied(Boundary)
	}
	for _, session := range g.Session {
		if as < byItself && e.allowed(session) == nil {
			return denied(Session)
		}
	}
	return v
}

func (r *Request) byResource() Use {
	if r.Trust {
		return Trust
	}
	return Resource
}

// foreign reports whether the resource belongs to another account than the principal. What names no account, or all, belongs to everybody's
// own, and what is AWS's ("aws") too.
func (r *Request) foreign() bool {
	owner := r.Owner
	if owner == "" {
		owner = splitARN(r.Resource)[4]
	}
	return owner != "" && owner != "aws" && owner != r.Principal.Account && !strings.ContainsAny(owner, "*?")
}
