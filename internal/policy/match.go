package policy

import "unicode/utf8"

// match reports whether s fits pattern, where * stands for any run of characters, also none, and ? for exactly one; fold compares ASCII
// letters without case. Only the last * seen is ever tried again, so the cost is at most len(pattern) times len(s).
func match(pattern, s string, fold bool) bool {
	p, i := 0, 0         // where we are in pattern and in s
	star, again := -1, 0 // after the last *, and where in s what follows it was last tried
	for i < len(s) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			p++
			star, again = p, i
		case p < len(pattern) && pattern[p] == '?':
			p++
			i += width(s[i:])
		case p < len(pattern) && same(pattern[p], s[i], fold):
			p++
			i++
		case star >= 0:
			again += width(s[again:])
			p, i = star, again
		default:
			return false
		}
	}
	for p < len(pattern) && pattern[p] == '*' {
		p++
	}
	return p == len(pattern)
}

// width is the size of the first character of s in bytes.
func width(s string) int {
	if s[0] < utf8.RuneSelf {
		return 1
	}
	_, size := utf8.DecodeRuneInString(s)
	return size
}

func same(a, b byte, fold bool) bool {
	return a == b || fold && lower(a) == lower(b)
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}
