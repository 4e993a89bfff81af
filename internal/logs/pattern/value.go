package pattern

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// test is a condition on one value: an operator and what stands on its right.
type test struct {
	op     string
	number *float64       // where the right side is one
	text   string         // as it was written, without quotation marks
	parts  []string       // of text, around its wildcards; nil without any
	regex  *regexp.Regexp // nil unless the right side is one
}

// operators, longest first, so that >= is not read as >.
var operators = []string{"!=", ">=", "<=", "=", ">", "<"}

func (p *parser) operator() string {
	for _, op := range operators {
		if p.accept(op) {
			return op
		}
	}
	return ""
}

// test takes an operator and its right side away. Unquoted texts end where ends says so.
func (p *parser) test(ends string) (test, error) {
	t := test{op: p.operator()}
	if t.op == "" {
		return t, fmt.Errorf("want an operator, found %s", p.found())
	}
	p.space()
	if err := p.right(&t, ends); err != nil {
		return t, err
	}
	if t.number == nil && t.op != "=" && t.op != "!=" {
		return t, fmt.Errorf("%s needs a number on its right", t.op)
	}
	return t, nil
}

func (p *parser) right(t *test, ends string) (err error) {
	switch {
	case p.rest == "":
		return errors.New("a value is missing at the end")
	case p.rest[0] == '%':
		t.regex, err = p.regex()
		return err
	case p.rest[0] == '"':
		t.text, err = p.quoted()
	default:
		t.text = strings.TrimSpace(p.word(func(r rune) bool { return !strings.ContainsRune(ends, r) }))
		if t.text == "" {
			return fmt.Errorf("want a value, found %s", p.found())
		}
		t.number = number(t.text)
	}
	if t.number == nil && strings.Contains(t.text, "*") {
		t.parts = strings.Split(t.text, "*")
	}
	return err
}

// number reads a number as JSON and filter patterns write it: nil for anything else, among it what Go takes for a number besides.
func number(text string) *float64 {
	if text == "" || strings.Trim(text, "+-.0123456789eE") != "" {
		return nil
	}
	n, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return nil
	}
	return &n
}

// holds reports whether a value satisfies the test.
func (t *test) holds(value string) bool {
	switch {
	case t.regex != nil:
		return t.regex.MatchString(value) == (t.op == "=")
	case t.number == nil:
		return t.same(value) == (t.op == "=")
	}
	n := number(value)
	if n == nil {
		return t.op == "!="
	}
	return compare(*n, t.op, *t.number)
}

func compare(a float64, op string, b float64) bool {
	switch op {
	case "=":
		return a == b
	case "!=":
		return a != b
	case ">":
		return a > b
	case "<":
		return a < b
	case ">=":
		return a >= b
	}
	return a <= b
}

// same compares texts; * stands for any characters.
func (t *test) same(value string) bool {
	if t.parts == nil {
		return value == t.text
	}
	first, last := t.parts[0], t.parts[len(t.parts)-1]
	value, begins := strings.CutPrefix(value, first)
	if !begins {
		return false
	}
	for _, part := range t.parts[1 : len(t.parts)-1] {
		_, after, found := strings.Cut(value, part)
		if !found {
			return false
		}
		value = after
	}
	return strings.HasSuffix(value, last)
}

// inRegex are the characters that a regular expression may have besides letters and digits.
const inRegex = `:_#=@/;,-^$?[]{}|\*+.`

// regex takes a regular expression between percent signs away.
func (p *parser) regex() (*regexp.Regexp, error) {
	text, rest, closed := strings.Cut(p.rest[1:], "%")
	if !closed {
		return nil, errors.New("a regular expression is not closed with %")
	}
	if p.regexes++; p.regexes > mostRegexes {
		return nil, fmt.Errorf("there are more than %d regular expressions", mostRegexes)
	}
	if text == "" {
		return nil, errors.New("a regular expression is empty")
	}
	for _, r := range text {
		if !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || strings.ContainsRune(inRegex, r)) {
			return nil, fmt.Errorf("a regular expression may not contain %q", r)
		}
	}
	r, err := regexp.Compile(text)
	if err != nil {
		return nil, fmt.Errorf("a regular expression is wrong: %w", err)
	}
	p.rest = rest
	return r, nil
}
