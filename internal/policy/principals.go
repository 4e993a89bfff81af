package policy

import (
	"slices"
	"strings"
)

// principals are the principals of a statement, compiled.
type principals struct {
	Principals
	not bool
}

// compilePrincipals is nil for a statement that names none, as those of identity-based policies.
func compilePrincipals(s *Statement) *principals {
	ps := &principals{}
	switch {
	case s.NotPrincipals != nil:
		ps.Principals, ps.not = *s.NotPrincipals, true
	case s.Principals != nil:
		ps.Principals = *s.Principals
	default:
		return nil
	}
	ps.AWS = slices.Clone(ps.AWS)
	for i, v := range ps.AWS { // account ids may be written with dashes: 1234-5678-9012
		if plain := strings.ReplaceAll(v, "-", ""); isAccount(plain) {
			ps.AWS[i] = plain
		}
	}
	return ps
}

// reach says as what a resource-based policy names somebody: the more closely, the less else it needs.
type reach int

const (
	unnamed   reach = iota
	byAccount       // as one of an account: its own policies must allow it too
	byRole          // as a session of a role: the boundary and the session's policies bound it
	byUser          // as a user: policies of the session, if it has any, bound it
	byItself        // as a session, a service or whoever else: nothing bounds it
)

// names says as what the principals of an Allow name p.
//
// Everybody ("*") is named as a role's session or user is by its ARN. Whom NotPrincipal lists in any way is not named.
func (ps *principals) names(p *Principal) reach {
	if ps == nil {
		return unnamed
	}
	if ps.not {
		if ps.all(p) || ps.lists(p) != unnamed {
			return unnamed
		}
		return p.everybody()
	}
	if ps.All || p.own() && ps.has(ps.AWS, "*") {
		return max(p.everybody(), ps.lists(p))
	}
	return ps.lists(p)
}

// denies reports whether a Deny is about p. Of NotPrincipal, it spares only whom it lists together with the account, and a session together
// with its role, as IAM asks for.
func (ps *principals) denies(p *Principal) bool {
	if ps == nil {
		return false
	}
	if ps.not {
		return !ps.all(p) && !ps.spares(p)
	}
	return ps.all(p) || ps.lists(p) != unnamed
}

// all reports whether the principals are everybody.
func (ps *principals) all(p *Principal) bool {
	return ps.All || ps.has(ps.AWS, "*") || p.Kind == Service && ps.has(ps.Service, "*")
}

// spares reports whether p is listed with all that it belongs to.
func (ps *principals) spares(p *Principal) bool {
	switch p.Kind {
	case User:
		return ps.listsAccount(p.Account) && ps.has(ps.AWS, p.ARN)
	case RoleSession:
		return ps.listsAccount(p.Account) && ps.has(ps.AWS, p.Role) && ps.has(ps.AWS, p.ARN)
	case Root, Service, Federated:
	}
	return ps.lists(p) != unnamed
}

// everybody is how "*" names p.
func (p *Principal) everybody() reach {
	switch p.Kind {
	case RoleSession:
		return byRole
	case User:
		return byUser
	case Root, Service, Federated:
	}
	return byItself
}

// lists says how closely p is listed, by name, by id or by account.
func (ps *principals) lists(p *Principal) reach {
	switch p.Kind {
	case Service:
		return found(ps.has(ps.Service, p.ARN) || ps.has(ps.Service, "*"))
	case Federated:
		return found(ps.has(ps.Federated, p.ARN))
	case Root:
		return found(ps.listsAccount(p.Account))
	case RoleSession:
		if ps.has(ps.AWS, p.ARN) || ps.has(ps.AWS, p.UserID) {
			return byItself
		}
		if ps.has(ps.AWS, p.Role) || ps.has(ps.AWS, p.Stem()) {
			return byRole
		}
	case User:
		if ps.has(ps.AWS, p.ARN) || ps.has(ps.AWS, p.UserID) {
			return byUser
		}
	}
	if ps.listsAccount(p.Account) {
		return byAccount
	}
	return unnamed
}

func found(is bool) reach {
	if is {
		return byItself
	}
	return unnamed
}

// has reports whether a list has a value; an empty one is in none.
func (*principals) has(list []string, value string) bool {
	for _, v := range list {
		if v == value && value != "" {
			return true
		}
	}
	return false
}

// listsAccount reports whether an account is listed, by its id or its ARN.
func (ps *principals) listsAccount(account string) bool {
	for _, v := range ps.AWS {
		if account != "" && (v == account || accountOf(v) == account) {
			return true
		}
	}
	return false
}

// accountOf is the account whose ARN this is, "" if it is no account's.
func accountOf(arn string) string {
	rest, ok := strings.CutSuffix(arn, ":root")
	if !ok || !strings.HasPrefix(rest, "arn:") {
		return ""
	}
	head, account := rest[:max(0, strings.LastIndexByte(rest, ':'))], rest[strings.LastIndexByte(rest, ':')+1:]
	if !strings.HasSuffix(head, ":iam:") {
		return ""
	}
	return account
}
