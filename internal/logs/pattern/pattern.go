// Package pattern reads CloudWatch Logs' filter patterns and says which messages they match: terms, space-delimited fields in brackets, and
// JSON in braces. Pure.
package pattern

import (
	"errors"
	"fmt"
	"strings"
)

// Most is the length of the longest pattern, in bytes.
const Most = 1024

// mostRegexes and mostWildcards are how many regular expressions and wildcard selectors a pattern may have.
const (
	mostRegexes   = 2
	mostWildcards = 3
)

// Pattern is a filter pattern that was read. The zero value matches everything.
type Pattern struct {
	text    string
	matches func(message string) bool // nil matches everything
}

// Parse reads a filter pattern. Every error says what is wrong with it.
func Parse(text string) (Pattern, error) {
	if len(text) > Most {
		return Pattern{}, fmt.Errorf("it is longer than %d bytes", Most)
	}
	trimmed := strings.TrimSpace(text)
	p := &parser{rest: trimmed}
	var matches func(string) bool
	var err error
	switch {
	case trimmed == "":
	case trimmed[0] == '{':
		matches, err = p.jsonPattern()
	case trimmed[0] == '[':
		matches, err = p.spacedPattern()
	default:
		matches, err = p.termPattern()
	}
	if err != nil {
		return Pattern{}, err
	}
	return Pattern{text: text, matches: matches}, nil
}

// Match reports whether a message is one that the pattern is for.
func (p Pattern) Match(message string) bool { return p.matches == nil || p.matches(message) }

// All reports whether the pattern matches every message.
func (p Pattern) All() bool { return p.matches == nil }

// String is the pattern as it was written.
func (p Pattern) String() string { return p.text }

// parser is what is left to read of a pattern.
type parser struct {
	rest      string
	regexes   int
	wildcards int
}

func (p *parser) space() { p.rest = strings.TrimLeft(p.rest, " \t\r\n") }

// accept takes a token away that comes next, after blanks.
func (p *parser) accept(token string) bool {
	p.space()
	rest, ok := strings.CutPrefix(p.rest, token)
	if ok {
		p.rest = rest
	}
	return ok
}

// expect is accept, and an error where something else comes.
func (p *parser) expect(token string) error {
	if p.accept(token) {
		return nil
	}
	return fmt.Errorf("want %s, found %s", token, p.found())
}

// found tells what comes next, for an error's text.
func (p *parser) found() string {
	if p.rest == "" {
		return "the end"
	}
	return fmt.Sprintf("%.20q", p.rest)
}

// word takes away the characters that belong.
func (p *parser) word(belongs func(r rune) bool) string {
	end := strings.IndexFunc(p.rest, func(r rune) bool { return !belongs(r) })
	if end < 0 {
		end = len(p.rest)
	}
	word := p.rest[:end]
	p.rest = p.rest[end:]
	return word
}

var errOpenQuote = errors.New("a quotation mark is not closed")

// quoted takes away a text in quotation marks of the kind that comes next. A backslash takes the meaning from a quotation mark and from itself.
func (p *parser) quoted() (string, error) {
	mark := p.rest[0]
	var text strings.Builder
	for i := 1; i < len(p.rest); i++ {
		switch c := p.rest[i]; {
		case c == mark:
			p.rest = p.rest[i+1:]
			return text.String(), nil
		case c == '\\' && i+1 < len(p.rest) && (p.rest[i+1] == mark || p.rest[i+1] == '\\'):
			i++
			text.WriteByte(p.rest[i])
		default:
			text.WriteByte(c)
		}
	}
	return "", errOpenQuote
}
