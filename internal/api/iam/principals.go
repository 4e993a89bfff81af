package iam

import (
	"encoding/json"
	"regexp"
	"strings"

	"berth/internal/arn"
	"berth/internal/iam"
	"berth/internal/state"
)

// texts is a text or a list of texts in a policy.
type texts []string

// UnmarshalJSON reads either.
func (l *texts) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '"' {
		*l = make(texts, 1)
		return json.Unmarshal(b, &(*l)[0])
	}
	return json.Unmarshal(b, (*[]string)(l))
}

// trusting is what a statement of a trust policy says of principals.
type trusting struct{ Principal, NotPrincipal principals }

// principals are those of AWS that a statement names.
type principals []string

// UnmarshalJSON reads "*", or the member AWS.
func (p *principals) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '"' {
		return nil
	}
	var named struct{ AWS texts }
	err := json.Unmarshal(b, &named)
	*p = principals(named.AWS)
	return err
}

var accountForm = regexp.MustCompile(`^\d{12}$`)

// checkPrincipals refuses a trust policy that names a user or role which does not exist, as IAM does. Accounts are not looked up, and neither is what is
// in an account that has no records here.
func checkPrincipals(t *state.Tables, document string) error {
	var policy struct{ Statement json.RawMessage }
	var all []trusting
	if err := json.Unmarshal([]byte(document), &policy); err != nil {
		return malformed("This policy contains invalid Json")
	}
	if err := json.Unmarshal(policy.Statement, &all); err != nil {
		all = make([]trusting, 1)
		if err := json.Unmarshal(policy.Statement, &all[0]); err != nil {
			return malformed("Syntax errors in policy.")
		}
	}
	for _, s := range all {
		for _, named := range append(s.Principal, s.NotPrincipal...) {
			if !principal(t, named) {
				return malformed("Invalid principal in policy: \"AWS\":\"%s\"", named)
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
