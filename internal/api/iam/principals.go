package iam

import (
	"regexp"
	"strings"

	"berth/internal/arn"
	"berth/internal/iam"
	"berth/internal/policy"
	"berth/internal/state"
)

var accountForm = regexp.MustCompile(`^\d{12}$`)

// checkPrincipals refuses a trust policy that names a user or role which does not exist, as IAM does. Accounts are not looked up.
func checkPrincipals(t *state.Tables, document *policy.Document) error {
	for i := range document.Statements {
		for _, all := range []*policy.Principals{document.Statements[i].Principals, document.Statements[i].NotPrincipals} {
			if all == nil {
				continue
			}
			for _, named := range all.AWS {
				if !principal(t, named) {
					return malformed("Invalid principal in policy: \"AWS\":\"%s\"", named)
				}
			}
		}
	}
	return nil
}

// principal says whether a trust policy may name it: anybody, an account, or a user, role or session of one.
func principal(t *state.Tables, named string) bool {
	if named == "*" || accountForm.MatchString(named) {
		return true
	}
	p, err := arn.Parse(named)
	if err != nil || !accountForm.MatchString(p.Account) || p.Region != "" {
		return identity(t, named)
	}
	kind, rest, _ := strings.Cut(p.Resource, "/")
	name := rest[strings.LastIndexByte(rest, '/')+1:]
	switch {
	case p.Service == "iam" && p.Resource == "root":
		return true
	case p.Service == "iam" && kind == "role":
		r := t.Roles.Get(iam.Key(p.Account, name))
		return r != nil && r.ARN() == named
	case p.Service == "iam" && kind == "user":
		u := t.Users.Get(iam.Key(p.Account, name))
		return u != nil && u.ARN() == named
	}
	return p.Service == "sts" && name != "" && (kind == "assumed-role" || kind == "federated-user")
}

// identity says whether a text is the id of a user or role: what IAM makes of one that a trust policy names and that is gone.
func identity(t *state.Tables, id string) bool {
	if strings.HasPrefix(id, rolePrefix) {
		for r := range t.Roles.All() {
			if r.ID == id {
				return true
			}
		}
	}
	if strings.HasPrefix(id, userPrefix) {
		for u := range t.Users.All() {
			if u.ID == id {
				return true
			}
		}
	}
	return false
}
