package cql

import (
	"cmp"
	"strings"
)

// isVersion reports whether s begins with a number and consists of what versions consist of.
func isVersion(s string) bool {
	if s == "" || s[0] < '0' || s[0] > '9' {
		return false
	}
	return strings.Trim(s, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-+_~") == ""
}

// compareVersions orders versions by their numbers, so that 1.9.0 is less than 1.14.5; numbers that are missing are 0. Of equal numbers one
// with a suffix ("1.14.5-rc1") comes before the one without. A suffix after "+" does not count.
func compareVersions(a, b string) int {
	a, _, _ = strings.Cut(a, "+")
	b, _, _ = strings.Cut(b, "+")
	a, aSuffix, aHas := strings.Cut(a, "-")
	b, bSuffix, bHas := strings.Cut(b, "-")
	for a != "" || b != "" {
		var x, y string
		x, a, _ = strings.Cut(a, ".")
		y, b, _ = strings.Cut(b, ".")
		if c := compareNumbers(x, y); c != 0 {
			return c
		}
	}
	switch {
	case aHas && bHas:
		return strings.Compare(aSuffix, bSuffix)
	case aHas:
		return -1
	case bHas:
		return 1
	}
	return 0
}

// compareNumbers orders decimal numbers of any length; what is no number is ordered as text after them.
func compareNumbers(a, b string) int {
	a, b = strings.TrimLeft(a, "0"), strings.TrimLeft(b, "0")
	if digits(a) && digits(b) {
		return cmp.Or(cmp.Compare(len(a), len(b)), strings.Compare(a, b))
	}
	return cmp.Or(cmp.Compare(btoi(!digits(a)), btoi(!digits(b))), strings.Compare(a, b))
}

func digits(s string) bool { return strings.Trim(s, "0123456789") == "" }

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}
