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
		{"ecs:*Task", "ecs:RunTask", false, true},
		{"ecs:*Task", "ecs:RunTasks", false, false},
		{"ECS:run*", "ecs:RunTask", true, true},
		{"ECS:run*", "ecs:RunTask", false, false},
		{"a\u212A", "aK", true, false}, // the Kelvin sign is not a K
		{"*", "*", false, true},
		{"a*", "*", false, false},
		{"**", "anything", false, true},
	} {
		if got := match(c.pattern, c.s, c.fold); got != c.want {
			t.Errorf("match(%q, %q, fold %v) = %v", c.pattern, c.s, c.fold, got)
		}
	}
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
		if got, want := match(p, s, false), slow([]rune(p), []rune(s)); got != want {
			t.Fatalf("match(%q, %q) = %v, want %v", p, s, got, want)
		}
	})
}

// A pattern that takes a backtracking matcher longer than anybody can wait.
func TestMatchIsNotExponential(t *testing.T) {
	start := time.Now()
	if match(strings.Repeat("a*", 200)+"b", strings.Repeat("a", 20_000), false) {
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
			match(p, s, true) // must end and not panic
			return
		}
		if got, want := match(p, s, false), slow([]rune(p), []rune(s)); got != want {
			t.Fatalf("match(%q, %q) = %v, want %v", p, s, got, want)
		}
		if match(p, s, false) && !match(p, s, true) {
			t.Fatalf("%q matches %q only with case", p, s)
		}
	})
}

func BenchmarkDecide(b *testing.B) {
	docs := []Document{{Statements: []Statement{
		{Effect: Allow, Actions: []string{"ecs:Poll", "ecs:Submit*"}, Resources: []string{mine, "arn:aws:ecs:us-east-1:123456789012:task/demo/*"}},
		{Effect: Deny, Actions: []string{"iam:*"}, Resources: []string{"*"}},
	}}}
	for b.Loop() {
		if Decide(docs, "ecs:SubmitTaskStateChange", taskOne) != Allowed {
			b.Fatal("denied")
		}
	}
}
