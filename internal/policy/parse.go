package policy

import "strings"

// Parse reads the text of a policy that is to be used in a way. Its error is a *MalformedError.
//
// Every rule of the grammar is AWS's, and so is the order in which they are looked at: where a text breaks several, the answer is AWS's.
func Parse(text string, use Use) (*Document, error) {
	d, wrong := readDocument(text, use)
	if wrong == nil {
		switch use {
		case Trust:
			wrong = d.checkTrust()
		case Resource:
			wrong = d.checkResourcePolicy()
		case Identity, Managed, Boundary, Session:
			wrong = d.checkIdentity(use == Managed)
		}
	}
	if wrong != nil {
		return nil, wrong
	}
	return d, nil
}

// reader reads a document, and keeps what is wrong first.
type reader struct {
	use   Use
	wrong *MalformedError
}

// refuse says what is wrong: the grammar of identities has one sentence for all.
func (r *reader) refuse(format string, args ...any) {
	if r.wrong != nil {
		return
	}
	if r.ofIdentity() {
		r.wrong = malformed(syntaxErrors)
		return
	}
	r.wrong = malformed(format, args...)
}

func (r *reader) ofIdentity() bool { return r.use != Trust && r.use != Resource }

// readDocument reads what a document is made of; whether it makes sense is looked at later.
func readDocument(s string, use Use) (*Document, *MalformedError) {
	r := &reader{use: use}
	tree, ok := readTree(s)
	if !ok || tree.kind != isObject {
		r.refuse(invalidJSON)
		return nil, r.wrong
	}
	d := &Document{}
	for _, m := range tree.members {
		switch m.name {
		case "Version":
			d.Version = r.text(m.value)
			if d.Version != Version2008 && d.Version != Version2012 {
				r.refuse(validVersion)
			}
		case "Id":
			d.ID = r.text(m.value)
		case "Statement":
			d.Statements = r.statements(m.value)
		default:
			r.refuse(unknownField, m.name)
		}
	}
	if len(d.Statements) == 0 {
		r.refuse(emptyStatement)
	}
	return d, r.wrong
}

func (r *reader) text(n node) string {
	if n.kind != isText {
		r.refuse(invalidJSON)
	}
	return n.text
}

func (r *reader) texts(n node) []string {
	all, ok := n.texts()
	if !ok {
		r.refuse(invalidJSON)
	}
	return all
}

func (r *reader) statements(n node) (all []Statement) {
	switch n.kind {
	case isObject:
		return []Statement{r.statement(n)}
	case isList:
		for _, v := range n.list {
			all = append(all, r.statement(v))
		}
	case isNull, isText, isNumber, isBool:
		r.refuse(invalidJSON)
	}
	return all
}

func (r *reader) statement(n node) (s Statement) {
	if n.kind != isObject {
		r.refuse(invalidJSON)
		return s
	}
	for _, m := range n.members {
		switch m.name {
		case "Sid":
			s.Sid = r.text(m.value)
		case "Effect":
			s.Effect = Effect(r.text(m.value))
		case "Principal":
			s.Principals = r.principals(m.value)
		case "NotPrincipal":
			s.NotPrincipals = r.principals(m.value)
		case "Action":
			s.Actions = r.texts(m.value)
		case "NotAction":
			s.NotActions = r.texts(m.value)
		case "Resource":
			s.Resources = r.texts(m.value)
		case "NotResource":
			s.NotResources = r.texts(m.value)
		case "Condition":
			s.Conditions = r.conditions(m.value)
		default:
			r.refuse(unknownField, m.name)
		}
	}
	r.effect(n, s.Effect)
	for _, name := range []string{"Action", "Resource", "Principal"} {
		_, is := n.get(name)
		if _, not := n.get("Not" + name); is && not {
			r.refuse(syntaxError)
		}
	}
	return s
}

// effect wants an effect. To the grammar of identities its case is no matter; the legacy parser refuses it later.
func (r *reader) effect(n node, e Effect) {
	_, has := n.get("Effect")
	switch {
	case !has:
		r.refuse(missingField, "Effect")
	case strings.EqualFold(string(e), string(Allow)) || strings.EqualFold(string(e), string(Deny)):
		if !r.ofIdentity() && e != Allow && e != Deny {
			r.refuse("Invalid effect: %s", e)
		}
	default:
		r.refuse("Invalid effect: %s", e)
	}
}

func (r *reader) principals(n node) *Principals {
	if n.kind == isText && n.text == "*" {
		if r.use == Trust {
			r.refuse(trustEverybody)
		}
		return &Principals{All: true}
	}
	if n.kind != isObject {
		r.refuse(principalObject)
		return &Principals{}
	}
	if len(n.members) == 0 {
		r.refuse(emptyPrincipal)
	}
	p := &Principals{}
	for _, m := range n.members {
		var to *[]string
		switch m.name {
		case "AWS":
			to = &p.AWS
		case "Service":
			to = &p.Service
		case "Federated":
			to = &p.Federated
		case "CanonicalUser":
			to = &p.CanonicalUser
		default:
			r.refuse("Invalid principal in policy: %q", m.name)
			continue
		}
		if *to = r.texts(m.value); len(*to) == 0 {
			r.refuse(emptyPrincipal)
		}
	}
	return p
}

// conditions reads a Condition: operators with keys with values. An operator without keys says nothing, and need not exist.
func (r *reader) conditions(n node) (all []Condition) {
	if n.kind != isObject {
		r.refuse(syntaxError)
		return nil
	}
	for _, op := range n.members {
		if op.value.kind != isObject {
			r.refuse(syntaxError)
			continue
		}
		for _, key := range op.value.members {
			c := Condition{Operator: op.name, Key: key.name}
			var ok bool
			if c.Values, ok = key.value.scalars(); !ok || !c.wellFormed() {
				r.refuse(syntaxError)
				continue
			}
			all = append(all, c)
		}
	}
	return all
}
