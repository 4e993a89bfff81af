package policy

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"
)

func TestMatch(t *testing.T) {
	for _, c := range []struct {
		pattern, s string
		fold, want bool
	}{
		{"", "", false, true},
		{"", "a", false, false},
		{"*", "", false, true},
		{"?", "", false, false},
		{"?", "é", false, true},
		{"??", "é", false, false},
		{"*?", "é", false, true},
		{"*??", "é", false, false},
		{"a*b*c", "a-b-b-c", false, true},
		{"a*b*c", "a-b-b-d", false, false},
		{"*abc", "ababc", false, true},
		{"aba*ba", "aba", false, false}, // its beginning is not also its end
		{"aba*ba", "ababa", false, true},
		{"AB*c", "abxC", true, true},
		{"ecs:*Task", "ecs:RunTask", false, true},
		{"ecs:*Task", "ecs:RunTasks", false, false},
		{"ECS:run*", "ecs:RunTask", true, true},
		{"ECS:run*", "ecs:RunTask", false, false},
		{"a\u212A", "aK", true, false}, // the Kelvin sign is not a K
		{"*", "*", false, true},
		{"a*", "*", false, false},
		{"**", "anything", false, true},
		{"\xff", "anything", false, false}, // no wildcard but by its name
		{"\xfe", "a", true, false},
		{"?", "\xff", false, true},
		{"a*", "a\xff\xfe", false, true},
	} {
		if got := fits(c.pattern, c.s, c.fold); got != c.want {
			t.Errorf("match(%q, %q, fold %v) = %v", c.pattern, c.s, c.fold, got)
		}
	}
}

// fits compares with a pattern as policies write it.
func fits(pattern, s string, fold bool) bool {
	p := compilePattern(pattern, true, false)
	return p.matches(nil, s, fold)
}

// slow is the definition of a match, by recursion.
func slow(p, s []rune) bool {
	if len(p) == 0 {
		return len(s) == 0
	}
	switch p[0] {
	case '*':
		return slow(p[1:], s) || len(s) > 0 && slow(p, s[1:])
	case '?':
		return len(s) > 0 && slow(p[1:], s[1:])
	}
	return len(s) > 0 && p[0] == s[0] && slow(p[1:], s[1:])
}

func TestMatchAgreesWithItsDefinition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := rapid.StringMatching(`[abé*?]{0,9}`).Draw(t, "pattern")
		s := rapid.StringMatching(`[abé]{0,12}`).Draw(t, "text")
		if got, want := fits(p, s, false), slow([]rune(p), []rune(s)); got != want {
			t.Fatalf("match(%q, %q) = %v, want %v", p, s, got, want)
		}
	})
}

// A pattern that takes a backtracking matcher longer than anybody can wait.
func TestMatchIsNotExponential(t *testing.T) {
	start := time.Now()
	if fits(strings.Repeat("a*", 200)+"b", strings.Repeat("a", 20_000), false) {
		t.Fatal("matched")
	}
	if d := time.Since(start); d > 5*time.Second {
		t.Errorf("took %v", d)
	}
}

func FuzzMatch(f *testing.F) {
	f.Add("ecs:*Task?", "ecs:RunTasks")
	f.Add("arn:aws:ecs:*:*:task/demo/*", taskOne)
	f.Add("*a*a*a*b", "aaaaaaaaaaaa")
	f.Fuzz(func(t *testing.T, p, s string) {
		if len(p) > 12 || len(s) > 16 || !utf8.ValidString(p) || !utf8.ValidString(s) {
			fits(p, s, true) // must end and not panic
			return
		}
		if got, want := fits(p, s, false), slow([]rune(p), []rune(s)); got != want {
			t.Fatalf("match(%q, %q) = %v, want %v", p, s, got, want)
		}
		if fits(p, s, false) && !fits(p, s, true) {
			t.Fatalf("%q matches %q only with case", p, s)
		}
	})
}
