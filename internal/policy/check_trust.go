package policy

import (
	"slices"
	"strings"
)

// checkTrust looks at a role's trust policy.
func (d *Document) checkTrust() *MalformedError {
	for i := range d.Statements {
		s := &d.Statements[i]
		if s.NotPrincipals != nil {
			if s.Effect == Allow {
				return malformed(allowNotPrincipal)
			}
			return malformed(trustNotPrincipal)
		}
		if wrong := s.checkPrincipals(); wrong != nil {
			return wrong
		}
		if slices.Contains(s.Principals.Federated, cognito) && len(s.Conditions) == 0 {
			return malformed(wantsCondition)
		}
		actions := slices.Concat(s.Actions, s.NotActions)
		switch {
		case len(actions) == 0:
			return malformed(missingField, "Action")
		case slices.ContainsFunc(actions, func(a string) bool { return !isTrustAction(a) }):
			return malformed(onlySTS)
		case s.Resources != nil:
			return malformed(trustResource)
		case s.NotResources != nil:
			return malformed(trustNotResource)
		}
	}
	return d.checkUniqueIDs()
}

// isTrustAction reports whether a trust policy may speak of an action: no wildcards.
func isTrustAction(action string) bool {
	name, ok := strings.CutPrefix(lowered(action), "sts:")
	return ok && slices.Contains([]string{
		"assumerole", "assumerolewithsaml", "assumerolewithwebidentity", "tagsession", "setsourceidentity", "setcontext", "decodeauthorizationmessage",
		"getaccesskeyinfo", "getcalleridentity", "getfederationtoken", "getservicebearertoken", "getsessiontoken",
	}, name)
}

// checkResourcePolicy looks at a policy of a resource. Which actions it may speak of, and of which resources, if of any, is the service's to say.
func (d *Document) checkResourcePolicy() *MalformedError {
	for i := range d.Statements {
		s := &d.Statements[i]
		if s.NotPrincipals != nil && s.Effect == Allow {
			return malformed(allowNotPrincipal)
		}
		if wrong := s.checkPrincipals(); wrong != nil {
			return wrong
		}
		if len(s.Actions) == 0 && len(s.NotActions) == 0 {
			return malformed(missingField, "Action")
		}
		if wrong := checkActions(slices.Concat(s.Actions, s.NotActions)); wrong != nil {
			return wrong
		}
		for _, list := range [][]string{s.Resources, s.NotResources} {
			if list != nil && len(list) == 0 {
				return malformed(missingField, "Resource")
			}
			for _, r := range list {
				if wrong := checkResource(r); wrong != nil {
					return wrong
				}
			}
		}
		if !readable(s.Conditions) {
			return malformed(syntaxError)
		}
	}
	return d.checkUniqueIDs()
}

func (d *Document) checkUniqueIDs() *MalformedError {
	seen := map[string]bool{}
	for _, s := range d.Statements {
		if s.Sid != "" && seen[s.Sid] {
			return malformed(uniqueStatements)
		}
		seen[s.Sid] = true
	}
	return nil
}

// checkPrincipals wants principals that can be; whether the users and roles are there is for their keeper to say.
func (s *Statement) checkPrincipals() *MalformedError {
	p := s.Principals
	if p == nil {
		p = s.NotPrincipals
	}
	if p == nil {
		return malformed(missingField, "Principal")
	}
	for _, group := range []struct {
		name   string // as AWS writes it in this error
		values []string
		is     func(string) bool
	}{{"AWS", p.AWS, isPrincipalOfAWS}, {"SERVICE", p.Service, isService}, {"FEDERATED", p.Federated, isProvider}} {
		for _, v := range group.values {
			if !group.is(v) {
				return malformed(`Invalid principal in policy: "%s":"%s"`, group.name, v)
			}
		}
	}
	if p.CanonicalUser != nil {
		return malformed(`Invalid principal in policy: "CANONICAL_USER":"%s"`, p.CanonicalUser[0])
	}
	return nil
}

// isPrincipalOfAWS knows accounts, ARNs and ids of users, roles and sessions, and "*". Wildcards in them are none.
func isPrincipalOfAWS(v string) bool {
	if v == "*" || isAccount(strings.ReplaceAll(v, "-", "")) {
		return true
	}
	if len(v) >= 16 && len(v) <= 128 && (strings.HasPrefix(v, "AIDA") || strings.HasPrefix(v, "AROA")) {
		return !strings.ContainsFunc(v, func(r rune) bool { return !alphanumeric(r) })
	}
	parts := splitARN(v)
	if parts[0] != "arn" || !slices.Contains(partitions, parts[1]) || parts[3] != "" || !isAccount(parts[4]) || strings.ContainsAny(v, "*?") {
		return false
	}
	kind, name, _ := strings.Cut(parts[5], "/")
	switch parts[2] {
	case "iam":
		return parts[5] == "root" || (kind == "user" || kind == "role") && name != ""
	case "sts":
		role, session, _ := strings.Cut(name, "/")
		return kind == "assumed-role" && role != "" && session != "" || kind == "federated-user" && name != ""
	}
	return false
}

func isAccount(v string) bool {
	return len(v) == 12 && !strings.ContainsFunc(v, func(r rune) bool { return r < '0' || r > '9' })
}

// isService knows the names of services by their form: there are more than anybody lists.
func isService(v string) bool {
	if strings.ContainsFunc(v, func(r rune) bool { return !alphanumeric(r) && r != '-' && r != '.' && r != '_' }) {
		return false
	}
	for _, domain := range []string{".amazonaws.com", ".amazonaws.com.cn", ".aws.internal"} {
		if name, ok := strings.CutSuffix(v, domain); ok && name != "" {
			return true
		}
	}
	return false
}

// cognito is a provider whose identities are of everybody's.
const cognito = "cognito-identity.amazonaws.com"

// isProvider knows the ARNs of identity providers, and those that AWS has itself.
func isProvider(v string) bool {
	if slices.Contains([]string{cognito, "www.amazon.com", "graph.facebook.com", "accounts.google.com"}, v) {
		return true
	}
	parts := splitARN(v)
	kind, name, _ := strings.Cut(parts[5], "/")
	return parts[0] == "arn" && slices.Contains(partitions, parts[1]) && parts[2] == "iam" && parts[3] == "" && isAccount(parts[4]) &&
		(kind == "oidc-provider" || kind == "saml-provider") && name != "" && !strings.ContainsAny(v, "*?")
}
