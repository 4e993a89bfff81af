package policy

import "strings"

// pattern is a text of a policy, ready to be compared: with or without wildcards, and with variables, which the request fills in.
type pattern struct {
	text  string // without variables; wildcards are anyRun and oneOf
	parts []part // in the place of text, if there are variables
	wild  bool
	star  int32 // where the only wildcard of a text is, if that is a *; -1 otherwise
}

// part is a piece of a text with variables: a text, or a variable.
type part struct {
	text     string
	key      string // of a variable, in lower case; "" for a text
	name     string // the key as it was written
	fallback string // what a variable is if the request does not have it
	falls    bool   // there is a fallback
}

// compilePattern reads a text. wild says that * and ? are wildcards; variables, that ${key} is one, as the version of 2012 has it.
func compilePattern(text string, wild, variables bool) pattern {
	text = strings.ToValidUTF8(text, "\uFFFD") // which has no anyRun and oneOf
	if variables && strings.Contains(text, "${") {
		return compileTemplate(text, wild)
	}
	p := pattern{text: text, star: -1}
	if wild {
		p.text, p.wild = wildcards(text)
		p.findStar()
	}
	return p
}

func (p *pattern) findStar() {
	p.star = -1
	if i := strings.IndexByte(p.text, anyRun); i >= 0 && i == strings.LastIndexByte(p.text, anyRun) && strings.IndexByte(p.text, oneOf) < 0 {
		p.star = int32(i)
	}
}

// wildcards puts the bytes of wildcards in the place of * and ?.
func wildcards(text string) (string, bool) {
	if !strings.ContainsAny(text, "*?") {
		return text, false
	}
	b := []byte(text)
	for i, c := range b {
		switch c {
		case '*':
			b[i] = anyRun
		case '?':
			b[i] = oneOf
		}
	}
	return string(b), true
}

// compileTemplate reads a text with variables. ${*}, ${?} and ${$} are those characters; what has no end or no key is a text.
func compileTemplate(text string, wild bool) pattern {
	p := pattern{star: -1}
	literal := func(s string) {
		if last := len(p.parts) - 1; last >= 0 && p.parts[last].key == "" {
			p.parts[last].text += s
			return
		}
		p.parts = append(p.parts, part{text: s})
	}
	plain := func(s string) {
		if wild {
			var has bool
			s, has = wildcards(s)
			p.wild = p.wild || has
		}
		literal(s)
	}
	for {
		before, inside, after, found := cutVariable(text)
		plain(before)
		if !found {
			break
		}
		switch v, ok := variable(inside); {
		case inside == "*" || inside == "?" || inside == "$":
			literal(inside)
		case ok:
			p.parts = append(p.parts, v)
		default:
			plain("${" + inside + "}")
		}
		text = after
	}
	if len(p.parts) == 1 && p.parts[0].key == "" {
		p.text, p.parts = p.parts[0].text, nil
		p.findStar()
	}
	return p
}

// cutVariable finds the first ${...} of a text.
func cutVariable(text string) (before, inside, after string, found bool) {
	start := strings.Index(text, "${")
	if start < 0 {
		return text, "", "", false
	}
	length := strings.IndexByte(text[start:], '}')
	if length < 0 {
		return text, "", "", false
	}
	return text[:start], text[start+2 : start+length], text[start+length+1:], true
}

// variable reads what is in ${...}: a key, or a key and its default: aws:PrincipalTag/team, 'none'.
func variable(inside string) (part, bool) {
	key, fallback, falls := strings.Cut(inside, ",")
	v := part{name: strings.TrimSpace(key)}
	v.key = lowered(v.name)
	if v.key == "" {
		return part{}, false
	}
	if !falls {
		return v, true
	}
	fallback = strings.TrimSpace(fallback)
	if len(fallback) < 2 || fallback[0] != '\'' || fallback[len(fallback)-1] != '\'' {
		return part{}, false
	}
	v.fallback, v.falls = fallback[1:len(fallback)-1], true
	return v, true
}

// matches reports whether s fits; a pattern with a variable that the request does not have fits nothing.
func (p *pattern) matches(e *evaluation, s string, fold bool) bool {
	switch {
	case p.parts != nil:
		return p.fill(e) && (p.wild && match(e.filled, s, fold) || !p.wild && same(e.filled, s, fold))
	case !p.wild:
		return p.text == s || fold && same(p.text, s, true)
	case p.star >= 0:
		head, tail := p.text[:p.star], p.text[p.star+1:]
		return len(s) >= len(head)+len(tail) && same(head, s[:len(head)], fold) && same(tail, s[len(s)-len(tail):], fold)
	}
	return match(p.text, s, fold)
}

// fill puts the request's values in the place of variables, into e.filled. A key with several values has none of them.
func (p *pattern) fill(e *evaluation) bool {
	e.filled = e.filled[:0]
	for i := range p.parts {
		v := &p.parts[i]
		if v.key == "" {
			e.filled = append(e.filled, v.text...)
			continue
		}
		switch values := e.values(v.key); {
		case len(values) == 1:
			e.filled = append(e.filled, strings.ToValidUTF8(values[0], "\uFFFD")...)
		case v.falls:
			e.filled = append(e.filled, v.fallback...)
		default:
			return false
		}
	}
	return true
}
