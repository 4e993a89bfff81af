package pattern

import (
	"errors"
	"fmt"
	"strings"
)

// node is a part of a JSON pattern: it says whether a decoded message satisfies it.
type node func(message any) bool

func (p *parser) jsonPattern() (func(string) bool, error) {
	p.accept("{")
	n, err := p.or()
	if err == nil {
		err = p.expect("}")
	}
	if err != nil {
		return nil, err
	}
	if p.space(); p.rest != "" {
		return nil, fmt.Errorf("something follows the closing brace: %s", p.found())
	}
	return func(message string) bool {
		decoded, ok := decode(message)
		return ok && n(decoded)
	}, nil
}

func (p *parser) or() (node, error) {
	left, err := p.and()
	for err == nil && p.accept("||") {
		var right node
		a := left
		right, err = p.and()
		left = func(m any) bool { return a(m) || right(m) }
	}
	return left, err
}

func (p *parser) and() (node, error) {
	left, err := p.condition()
	for err == nil && p.accept("&&") {
		var right node
		a := left
		right, err = p.condition()
		left = func(m any) bool { return a(m) && right(m) }
	}
	return left, err
}

// condition takes a parenthesis, or a selector and what must be true of it, away.
func (p *parser) condition() (node, error) {
	if p.accept("(") {
		n, err := p.or()
		if err != nil {
			return nil, err
		}
		return n, p.expect(")")
	}
	s, err := p.selector()
	if err != nil {
		return nil, err
	}
	switch {
	case p.keyword("IS"):
		return p.is(s)
	case p.keyword("NOT"):
		if !p.keyword("EXISTS") {
			return nil, fmt.Errorf("want EXISTS after NOT, found %s", p.found())
		}
		return func(m any) bool { return !s.some(m, func(any) bool { return true }) }, nil
	}
	t, err := p.test(" \t\r\n()&|}")
	if err != nil {
		return nil, err
	}
	return func(m any) bool {
		return s.some(m, func(v any) bool {
			text, ok := scalar(v)
			return ok && t.holds(text)
		})
	}, nil
}

func (p *parser) is(s selector) (node, error) {
	var want func(v any) bool
	switch {
	case p.keyword("NULL"):
		want = func(v any) bool { return v == nil }
	case p.keyword("TRUE"):
		want = func(v any) bool { b, ok := v.(bool); return ok && b }
	case p.keyword("FALSE"):
		want = func(v any) bool { b, ok := v.(bool); return ok && !b }
	default:
		return nil, fmt.Errorf("want NULL, TRUE or FALSE after IS, found %s", p.found())
	}
	return func(m any) bool { return s.some(m, want) }, nil
}

// keyword takes a word away that comes next, in capitals or not.
func (p *parser) keyword(word string) bool {
	p.space()
	if len(p.rest) < len(word) || !strings.EqualFold(p.rest[:len(word)], word) {
		return false
	}
	if rest := p.rest[len(word):]; rest == "" || !name(rune(rest[0])) {
		p.rest = rest
		return true
	}
	return false
}

// name says which characters the name of a property may have without brackets.
func name(r rune) bool {
	return r == '_' || r == '-' || r == '@' || r == ':' || r == '/' || '0' <= r && r <= '9' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || r > 127
}

// selector is the way from a message to a value, or to several where it has a wildcard.
type selector []step

// step goes to a property, an element, or all of either.
type step struct {
	property string
	index    int // of an element; -1 for a property
	all      bool
}

func (p *parser) selector() (s selector, err error) {
	if err := p.expect("$"); err != nil {
		return nil, err
	}
	wild := 0
	for p.rest != "" && (p.rest[0] == '.' || p.rest[0] == '[') {
		one, err := p.step()
		if err != nil {
			return nil, err
		}
		if one.all {
			wild++
		}
		s = append(s, one)
	}
	p.wildcards += wild
	switch {
	case len(s) == 0:
		return nil, errors.New("a selector begins with $. and a property")
	case wild > 1:
		return nil, errors.New("a selector can have one wildcard only")
	case p.wildcards > mostWildcards:
		return nil, fmt.Errorf("there are more than %d wildcard selectors", mostWildcards)
	}
	return s, nil
}

func (p *parser) step() (step, error) {
	if p.rest[0] == '.' {
		p.rest = p.rest[1:]
		if p.rest == "" || p.rest[0] != '[' {
			return p.property()
		}
	}
	p.rest = p.rest[1:]
	var s step
	switch {
	case p.rest != "" && (p.rest[0] == '\'' || p.rest[0] == '"'):
		text, err := p.quoted()
		if err != nil {
			return s, err
		}
		s = step{property: text, index: -1}
	case p.accept("*"):
		s = step{all: true}
	default:
		digits := p.word(func(r rune) bool { return '0' <= r && r <= '9' })
		if digits == "" || len(digits) > 6 {
			return s, fmt.Errorf("want an element's number, found %s", p.found())
		}
		for _, d := range digits {
			s.index = 10*s.index + int(d-'0')
		}
	}
	return s, p.expect("]")
}

func (p *parser) property() (step, error) {
	if strings.HasPrefix(p.rest, "*") {
		p.rest = p.rest[1:]
		return step{all: true}, nil
	}
	word := p.word(name)
	if word == "" {
		return step{}, fmt.Errorf("want a property's name, found %s", p.found())
	}
	return step{property: word, index: -1}, nil
}
