package cql

import (
	"fmt"
	"regexp"
	"strings"
)

// compilePattern reads a Java regular expression, which must match a whole value. Go's regexp, whose cost is linear, reads most of them.
// What it cannot do it refuses (look-around, possessive quantifiers, atomic groups, \p classes of Java's own); what it would read
// differently from Java is refused here: back references, intersections and unions of classes, \v, flags that Java has not or has otherwise.
func compilePattern(s string) (*regexp.Regexp, error) {
	if what := notJava(s); what != "" {
		return nil, fmt.Errorf("the pattern %q has %s, which is not supported", s, what)
	}
	if _, err := regexp.Compile(s); err != nil { // as it stands: what is around it must not complete it
		return nil, fmt.Errorf("the pattern %q is not valid: %s", s, strings.TrimPrefix(err.Error(), "error parsing regexp: "))
	}
	return regexp.Compile(`\A(?:` + s + `)\z`)
}

// notJava names what Go reads and Java reads otherwise, "" if there is nothing.
func notJava(s string) string {
	class := false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\' && strings.HasPrefix(s[i:], `\Q`) && !class:
			end := strings.Index(s[i:], `\E`)
			if end < 0 {
				return `\Q without \E`
			}
			i += end + 1
		case c == '\\' && i+1 < len(s):
			i++
			switch e := s[i]; {
			case '1' <= e && e <= '9':
				return "a back reference"
			case e == 'v':
				return `\v`
			}
		case class && c == '[':
			return "a class within a class"
		case class && strings.HasPrefix(s[i:], "&&"):
			return "an intersection of classes"
		case class && c == ']':
			class = false
		case !class && c == '[':
			class = true
			if i+1 < len(s) && s[i+1] == '^' {
				i++
			}
			if i+1 < len(s) && s[i+1] == ']' { // the first in a class is itself
				i++
			}
		case !class && strings.HasPrefix(s[i:], "(?P"):
			return "(?P"
		case !class && strings.HasPrefix(s[i:], "(?") && strings.Contains(flags(s[i+2:]), "U"):
			return "the flag U"
		}
	}
	return ""
}

// flags are the letters that s begins with.
func flags(s string) string {
	return s[:len(s)-len(strings.TrimLeft(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-"))]
}
