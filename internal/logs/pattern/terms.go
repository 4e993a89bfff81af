package pattern

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"unicode"
)

// terms are what a message must contain: all of the included, none of the excluded, and, where there are only optional ones, one of them. As in
// CloudWatch Logs, optional terms mean nothing beside others.
type terms struct {
	include, exclude, optional []term
}

// term is a text or a regular expression that a message may contain.
type term struct {
	text  string
	regex *regexp.Regexp
}

func (t term) in(message string) bool {
	if t.regex != nil {
		return t.regex.MatchString(message)
	}
	return strings.Contains(message, t.text)
}

func (p *parser) termPattern() (func(string) bool, error) {
	var all terms
	for p.space(); p.rest != ""; p.space() {
		into := &all.include
		switch p.rest[0] {
		case '?':
			into, p.rest = &all.optional, p.rest[1:]
		case '-':
			into, p.rest = &all.exclude, p.rest[1:]
		}
		t, err := p.term()
		if err != nil {
			return nil, err
		}
		*into = append(*into, t)
	}
	return all.match, nil
}

// term takes a term away: one in quotation marks, a regular expression, or a word of letters, digits and underscores.
func (p *parser) term() (term, error) {
	switch {
	case p.rest == "":
		return term{}, errors.New("a term is missing at the end")
	case p.rest[0] == '"':
		text, err := p.quoted()
		if strings.TrimSpace(text) == "" {
			text = "" // " " is said to match everything
		}
		return term{text: text}, err
	case p.rest[0] == '%':
		r, err := p.regex()
		return term{regex: r}, err
	}
	word := p.word(func(r rune) bool { return r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r) })
	next := strings.TrimLeft(p.rest, " \t\r\n")
	if word == "" || len(next) == len(p.rest) && next != "" {
		return term{}, fmt.Errorf("a term with other characters than letters, digits and _ must be in quotation marks, found %s", p.found())
	}
	return term{text: word}, nil
}

func (t terms) match(message string) bool {
	for _, one := range t.exclude {
		if one.in(message) {
			return false
		}
	}
	for _, one := range t.include {
		if !one.in(message) {
			return false
		}
	}
	if len(t.include) > 0 || len(t.exclude) > 0 || len(t.optional) == 0 {
		return true
	}
	for _, one := range t.optional {
		if one.in(message) {
			return true
		}
	}
	return false
}
