package cql

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// parser reads a text from left to right, one character ahead.
type parser struct {
	text string
	at   int // byte
}

// errorf says what is wrong, and where: the number of the character.
func (p *parser) errorf(at int, format string, a ...any) error {
	what := fmt.Sprintf(format, a...)
	if at == 0 {
		return fmt.Errorf("%s", what)
	}
	return fmt.Errorf("%s at character %d", what, utf8.RuneCountInString(p.text[:at])+1)
}

func (p *parser) space() {
	for p.at < len(p.text) {
		r, n := utf8.DecodeRuneInString(p.text[p.at:])
		if !unicode.IsSpace(r) {
			return
		}
		p.at += n
	}
}

// rest is the beginning of what is left, for errors.
func (p *parser) rest() string {
	s := p.text[p.at:]
	for n := range s {
		if n >= 20 {
			return s[:n] + "..."
		}
	}
	return s
}

// take goes past a symbol if it comes next.
func (p *parser) take(symbol string) bool {
	p.space()
	if !strings.HasPrefix(p.text[p.at:], symbol) {
		return false
	}
	p.at += len(symbol)
	return true
}

// keyword goes past a word if it comes next as a whole.
func (p *parser) keyword(word string) bool {
	p.space()
	rest, is := strings.CutPrefix(p.text[p.at:], word)
	if !is || rest != "" && inSubject(rest[0]) {
		return false
	}
	p.at += len(word)
	return true
}

func (p *parser) or() (node, error) {
	nodes, err := p.row(p.and, func() bool { return p.take("||") || p.keyword("or") })
	if err != nil || len(nodes) > 1 {
		return either(nodes), err
	}
	return nodes[0], nil
}

func (p *parser) and() (node, error) {
	nodes, err := p.row(p.unary, func() bool { return p.take("&&") || p.keyword("and") })
	if err != nil || len(nodes) > 1 {
		return both(nodes), err
	}
	return nodes[0], nil
}

func (p *parser) row(one func() (node, error), next func() bool) (nodes []node, err error) {
	for {
		n, err := one()
		if err != nil {
			return nil, err
		}
		if nodes = append(nodes, n); !next() {
			return nodes, nil
		}
	}
}

func (p *parser) unary() (node, error) {
	if p.take("!") || p.keyword("not") {
		n, err := p.unary()
		return not{n}, err
	}
	if p.take("(") {
		n, err := p.or()
		if err != nil {
			return nil, err
		}
		if !p.take(")") {
			return nil, p.errorf(p.at, "a closing parenthesis is missing")
		}
		return n, nil
	}
	return p.comparison()
}

// inSubject are the characters of subjects and keywords.
func inSubject(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte(`:._-/\`, c) >= 0
}

// comparison reads "subject operator [argument]".
func (p *parser) comparison() (node, error) {
	p.space()
	begin := p.at
	for p.at < len(p.text) && inSubject(p.text[p.at]) {
		p.at++
	}
	word := p.text[begin:p.at]
	c := &comparison{}
	if c.subject = subjectOf(word); c.subject == attribute {
		c.name = strings.TrimPrefix(word, attributePrefix)
	}
	switch {
	case word == "" && p.at == len(p.text):
		return nil, p.errorf(p.at, "a subject is missing")
	case word == "":
		return nil, p.errorf(p.at, "unexpected %q where a subject should be", p.rest())
	case c.subject == unknown:
		return nil, p.errorf(begin, "unknown subject %q", word)
	case c.subject == attribute && (c.name == "" || len(c.name) > 128):
		return nil, p.errorf(begin, "an attribute's name must have between 1 and 128 characters")
	}
	begin = p.at
	if c.operator = p.operator(); c.operator == none {
		return nil, p.errorf(begin, "an operator is missing after %q", word)
	}
	if !c.operator.suits(c.subject) {
		return nil, p.errorf(begin, "%s has no operator %s", word, c.operator)
	}
	p.space()
	begin = p.at
	if err := p.arguments(c); err != nil {
		return nil, err
	}
	if err := c.compile(); err != nil {
		return nil, p.errorf(begin, "%s", err)
	}
	return c, nil
}

// operator reads an operator, none where there is none.
func (p *parser) operator() operator {
	for _, s := range spellings() {
		if s.word && p.keyword(s.text) || !s.word && p.symbol(s.text) {
			return s.operator
		}
	}
	return none
}

// symbol goes past an operator; one that ends in a letter must end there.
func (p *parser) symbol(text string) bool {
	before := p.at
	if !p.take(text) {
		return false
	}
	if inSubject(text[len(text)-1]) && p.at < len(p.text) && inSubject(p.text[p.at]) {
		p.at = before
		return false
	}
	return true
}

func (p *parser) arguments(c *comparison) (err error) {
	switch c.operator {
	case exists, notExists:
		return nil
	case in, notIn:
		c.arguments, err = p.list()
		return err
	}
	a, err := p.argument(c.operator == matches || c.operator == notMatches)
	c.arguments = []string{a}
	return err
}

// list reads "[a, 'b c']".
func (p *parser) list() (out []string, err error) {
	if !p.take("[") {
		return nil, p.errorf(p.at, "a list in brackets is missing")
	}
	for {
		a, err := p.argument(false)
		if err != nil {
			return nil, err
		}
		out = append(out, a)
		switch {
		case p.take("]"):
			return out, nil
		case !p.take(","):
			return nil, p.errorf(p.at, "a comma or a closing bracket is missing")
		}
	}
}

// argument reads a word or a quoted text. A pattern's word may contain what patterns consist of, but for parentheses.
func (p *parser) argument(pattern bool) (string, error) {
	p.space()
	if p.at < len(p.text) && (p.text[p.at] == '\'' || p.text[p.at] == '"') {
		return p.quoted()
	}
	begin := p.at
	p.at += wordLen(p.text[p.at:], pattern)
	if p.at == begin {
		return "", p.errorf(begin, "an argument is missing")
	}
	return p.text[begin:p.at], nil
}

// wordLen is the length of the argument that s begins with.
func wordLen(s string, pattern bool) int {
	for i, r := range s {
		switch {
		case unicode.IsSpace(r), strings.ContainsRune(`()'"`, r):
			return i
		case !pattern && strings.ContainsRune(`[],`, r):
			return i
		case strings.HasPrefix(s[i:], "&&"), strings.HasPrefix(s[i:], "||"):
			return i
		}
	}
	return len(s)
}

// quoted reads a text in quotes.
func (p *parser) quoted() (string, error) {
	begin, quote := p.at, p.text[p.at]
	var b strings.Builder
	for p.at++; p.at < len(p.text); p.at++ {
		c := p.text[p.at]
		switch {
		case c == quote:
			p.at++
			return b.String(), nil
		case c == '\\' && p.at+1 < len(p.text) && strings.IndexByte(`'"\`, p.text[p.at+1]) >= 0:
			p.at++
			c = p.text[p.at]
		}
		b.WriteByte(c)
	}
	return "", p.errorf(begin, "the quote is not closed that opens")
}

// quote is an argument as it is written: bare where that reads back the same.
func quote(s string, pattern bool) string {
	if s != "" && wordLen(s, pattern) == len(s) {
		return s
	}
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(s) + "'"
}
