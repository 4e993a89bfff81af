package policy

import "unicode/utf8"

// The wildcards of a compiled pattern: bytes that no text has, so that a star that is meant as one (${*}) is told from a wildcard.
const (
	anyRun = '\xff' // *
	oneOf  = '\xfe' // ?
)

// match reports whether s fits pattern, where anyRun stands for any run of characters, also none, and oneOf for exactly one; fold compares
// ASCII letters without case. Only the last anyRun seen is ever tried again, so the cost is at most len(pattern) times len(s).
func match[P string | []byte](pattern P, s string, fold bool) bool {
	p, i := 0, 0         // where we are in pattern and in s
	star, again := -1, 0 // after the last anyRun, and where in s what follows it was last tried
	for i < len(s) {
		switch {
		case p < len(pattern) && pattern[p] == anyRun:
			p++
			star, again = p, i
		case p < len(pattern) && pattern[p] == oneOf:
			p++
			i += width(s[i:])
		case p < len(pattern) && (pattern[p] == s[i] || fold && lower(pattern[p]) == lower(s[i])):
			p++
			i++
		case star >= 0:
			again += width(s[again:])
			p, i = star, again
		default:
			return false
		}
	}
	for p < len(pattern) && pattern[p] == anyRun {
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

// same compares texts of one length or not, with the case of ASCII letters or without.
func same[P string | []byte](a P, b string, fold bool) bool {
	if !fold || len(a) != len(b) {
		return string(a) == b
	}
	for i := range len(a) {
		if lower(a[i]) != lower(b[i]) {
			return false
		}
	}
	return true
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

// equalFold compares without the case of ASCII letters.
func equalFold(a, b string) bool { return same(a, b, true) }

// lowered is s with its ASCII letters in lower case.
func lowered(s string) string {
	for i := range len(s) {
		if 'A' <= s[i] && s[i] <= 'Z' {
			b := []byte(s)
			for j := range b {
				b[j] = lower(b[j])
			}
			return string(b)
		}
	}
	return s
}
