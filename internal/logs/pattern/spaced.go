package pattern

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
)

// mostFields bounds the fields that a message is split into.
const mostFields = 1024

// spaced is a pattern of fields that are separated by blanks.
type spaced struct {
	before []field // those from the message's first field on
	after  []field // those up to its last one, where there is an ellipsis between
	gap    bool    // there is an ellipsis
}

// field is one field's condition; nil is true of every value.
type field func(value string) bool

func (p *parser) spacedPattern() (func(string) bool, error) {
	p.accept("[")
	var s spaced
	for {
		p.space()
		switch {
		case p.accept("..."):
			if s.gap {
				return nil, errors.New("there can be one ellipsis only")
			}
			s.gap = true
		default:
			f, err := p.field()
			if err != nil {
				return nil, err
			}
			if s.gap {
				s.after = append(s.after, f)
			} else {
				s.before = append(s.before, f)
			}
		}
		if p.accept("]") {
			break
		}
		if err := p.expect(","); err != nil {
			return nil, err
		}
	}
	if p.space(); p.rest != "" {
		return nil, fmt.Errorf("something follows the closing bracket: %s", p.found())
	}
	return s.match, nil
}

// field takes a name away, and its conditions if it has any: name = x || name = y && name != z. && comes before ||.
func (p *parser) field() (field, error) {
	name := p.fieldName()
	if name == "" {
		return nil, fmt.Errorf("want a field's name, found %s", p.found())
	}
	if p.space(); p.rest == "" || p.rest[0] == ',' || p.rest[0] == ']' {
		return nil, nil
	}
	var anyOf [][]test
	for all := []test(nil); ; {
		t, err := p.test(",]&|")
		if err != nil {
			return nil, err
		}
		all = append(all, t)
		and := p.accept("&&")
		if !and {
			anyOf, all = append(anyOf, all), nil
			if !p.accept("||") {
				return fieldOf(anyOf), nil
			}
		}
		p.space()
		if again := p.fieldName(); !strings.EqualFold(again, name) {
			return nil, fmt.Errorf("the conditions of %s are also about %q", name, again)
		}
	}
}

func (p *parser) fieldName() string {
	p.accept("$")
	return p.word(func(r rune) bool { return r == '_' || r == '-' || unicode.IsLetter(r) || unicode.IsDigit(r) })
}

func fieldOf(anyOf [][]test) field {
	return func(value string) bool {
		for _, all := range anyOf {
			ok := true
			for i := range all {
				ok = ok && all[i].holds(value)
			}
			if ok {
				return true
			}
		}
		return false
	}
}

func (s spaced) match(message string) bool {
	most := mostFields
	if !s.gap {
		most = len(s.before)
	}
	values := split(message, most)
	if len(values) < len(s.before)+len(s.after) || !s.gap && len(values) > len(s.before) {
		return false
	}
	return holdAll(s.before, values) && holdAll(s.after, values[len(values)-len(s.after):])
}

func holdAll(fields []field, values []string) bool {
	for i, f := range fields {
		if f != nil && !f(values[i]) {
			return false
		}
	}
	return true
}

// split takes a message apart at its blanks, except for those in quotation marks or brackets, which are not part of the value. The last of most
// values has all that is left.
func split(message string, most int) (values []string) {
	for {
		message = strings.TrimLeft(message, " \t\r\n")
		if message == "" {
			return values
		}
		value, rest := firstField(message)
		if len(values) == most-1 && strings.TrimSpace(rest) != "" {
			return append(values, strings.TrimRight(message, " \t\r\n"))
		}
		values, message = append(values, value), rest
	}
}

func firstField(message string) (value, rest string) {
	closing := byte(0)
	switch message[0] {
	case '"':
		closing = '"'
	case '[':
		closing = ']'
	}
	if closing != 0 {
		if end := strings.IndexByte(message[1:], closing); end >= 0 {
			return message[1 : end+1], message[end+2:]
		}
	}
	end := strings.IndexAny(message, " \t\r\n")
	if end < 0 {
		return message, ""
	}
	return message[:end], message[end:]
}
