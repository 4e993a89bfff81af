package policy

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// plain is IAM's evaluation as its documentation tells it: without compilation, index or shortcut. It is what Decide is compared with.
type plain struct {
	principal *Principal
	action    string
	resource  string
	keys      map[string][]string // in lower case
	resources []Document
	trust     bool
	identity  []Document
	boundary  []Document // nil for none
	sessions  [][]Document
}

func (r plain) decide() Decision {
	everywhere := slices.Concat(r.identity, r.boundary, r.resources)
	for _, s := range r.sessions {
		everywhere = append(everywhere, s...)
	}
	if r.some(Deny, everywhere, "") {
		return ExplicitDeny
	}
	p := r.principal
	identity := r.some(Allow, r.identity, "")
	boundary := r.boundary == nil || r.some(Allow, r.boundary, "")
	session := true
	for _, s := range r.sessions {
		session = session && r.some(Allow, s, "")
	}
	exact := p.Kind == RoleSession && r.some(Allow, r.resources, p.ARN)
	role := p.Kind == RoleSession && (r.some(Allow, r.resources, p.Role) || r.some(Allow, r.resources, "*"))
	user := p.Kind == User && (r.some(Allow, r.resources, p.ARN) || r.some(Allow, r.resources, "*"))
	account := r.some(Allow, r.resources, p.Account)
	own := identity && boundary && session
	switch same := strings.Split(r.resource+":::::", ":")[4] == p.Account; {
	case !same && own && (exact || role || user || account):
		return Allowed
	case same && (exact || role && boundary && session || user && session):
		return Allowed
	case same && own && (account || !r.trust):
		return Allowed
	}
	return ImplicitDeny
}

// some reports whether a statement of an effect applies. of an Allow of a resource-based policy, name is whom it must name; of all others it
// is empty.
func (r plain) some(effect Effect, docs []Document, name string) bool {
	for _, d := range docs {
		for _, s := range d.Statements {
			named := s.Principals == nil && name == "" || s.Principals != nil && name != "" && slices.Contains(s.Principals.AWS, name)
			if effect == Deny && s.Principals != nil {
				named = slices.ContainsFunc(s.Principals.AWS, func(v string) bool {
					return slices.Contains([]string{"*", r.principal.ARN, r.principal.Role, r.principal.Account}, v)
				})
			}
			if named && s.Effect == effect && r.applies(s) {
				return true
			}
		}
	}
	return false
}

func (r plain) applies(s Statement) bool {
	action := slices.ContainsFunc(slices.Concat(s.Actions, s.NotActions), func(a string) bool { return like("(?i)", a, r.action) })
	resource := slices.ContainsFunc(slices.Concat(s.Resources, s.NotResources), r.isResource)
	if action != (len(s.Actions) > 0) || resource != (len(s.Resources) > 0) {
		return false
	}
	for _, c := range s.Conditions {
		if !r.holds(c) {
			return false
		}
	}
	return true
}

// isResource compares part by part.
func (r plain) isResource(pattern string) bool {
	if pattern == "*" {
		return true
	}
	if pattern = r.fill(pattern); pattern == absent {
		return false
	}
	p, v := strings.SplitN(pattern, ":", 6), strings.SplitN(r.resource, ":", 6)
	for len(p) < 6 {
		p = append(p, "*")
	}
	for len(v) < 6 {
		v = append(v, "")
	}
	for i := range p {
		if !like("", p[i], v[i]) {
			return false
		}
	}
	return r.resource != "*"
}

const absent = "\x00" // what a text with a variable that is not there becomes

// fill puts values in the place of ${key}, with their wildcards quoted by a backslash.
func (r plain) fill(text string) string {
	missing := false
	filled := regexp.MustCompile(`\$\{([^}]*)\}`).ReplaceAllStringFunc(text, func(v string) string {
		switch key := strings.ToLower(v[2 : len(v)-1]); {
		case key == "*" || key == "?":
			return `\` + key
		case len(r.keys[key]) == 1:
			return strings.NewReplacer("*", `\*`, "?", `\?`).Replace(r.keys[key][0])
		}
		missing = true
		return ""
	})
	if missing {
		return absent
	}
	return filled
}

// like compares with wildcards, by a regular expression.
func like(flags, pattern, s string) bool {
	q := regexp.QuoteMeta(pattern)
	q = strings.NewReplacer(`\\\*`, `\*`, `\\\?`, `\?`, `\*`, `.*`, `\?`, `.`).Replace(q)
	return regexp.MustCompile(flags + "^(?s:" + q + ")$").MatchString(s)
}

func (r plain) holds(c Condition) bool {
	values := r.keys[strings.ToLower(c.Key)]
	set, op, isSet := strings.Cut(c.Operator, ":")
	if !isSet {
		set, op = "", c.Operator
	}
	if op == "Null" {
		return slices.Contains(c.Values, strconv.FormatBool(len(values) == 0))
	}
	op, exists := strings.CutSuffix(op, "IfExists")
	negated := strings.Contains(op, "Not")
	one := func(v string) bool {
		return slices.ContainsFunc(c.Values, func(want string) bool { return r.compare(strings.Replace(op, "Not", "", 1), v, want) }) != negated
	}
	switch {
	case len(values) == 0:
		return exists || set == "ForAllValues" || negated && set == ""
	case set == "ForAllValues":
		return !slices.ContainsFunc(values, func(v string) bool { return !one(v) })
	case set == "ForAnyValue":
		return slices.ContainsFunc(values, one)
	case negated: // like none of them
		return !slices.ContainsFunc(values, func(v string) bool { return !one(v) })
	}
	return slices.ContainsFunc(values, one)
}

func (r plain) compare(op, has, want string) bool {
	number := func(less bool) bool {
		a, errA := strconv.Atoi(has)
		b, errB := strconv.Atoi(want)
		return errA == nil && errB == nil && (less && a < b || !less && a == b)
	}
	switch op {
	case "NumericEquals":
		return number(false)
	case "NumericLessThan":
		return number(true)
	}
	if want = r.fill(want); want == absent {
		return false
	}
	exact := strings.NewReplacer(`\*`, "*", `\?`, "?").Replace(want)
	switch op {
	case "StringEquals":
		return has == exact
	case "StringEqualsIgnoreCase":
		return strings.EqualFold(has, exact)
	case "StringLike":
		return like("", want, has)
	}
	return false
}
