package pattern

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"berth/internal/golden"
)

// TestMatches tells of each pattern of a file which of its messages it matches.
func TestMatches(t *testing.T) {
	golden.Run(t, "testdata/match/*.txtar", func(t *testing.T, in map[string]string) string {
		var out strings.Builder
		for text := range strings.Lines(in["patterns"]) {
			text = strings.TrimSuffix(text, "\n")
			out.WriteString(text + "\n")
			p, err := Parse(text)
			if err != nil {
				out.WriteString("    error: " + err.Error() + "\n")
				continue
			}
			for message := range strings.Lines(in["messages"]) {
				if p.Match(strings.TrimSuffix(message, "\n")) {
					out.WriteString("    " + message)
				}
			}
		}
		return out.String()
	})
}

func TestWrongPatterns(t *testing.T) {
	golden.Run(t, "testdata/wrong/*.txtar", func(t *testing.T, in map[string]string) string {
		var out strings.Builder
		for text := range strings.Lines(in["patterns"]) {
			p, err := Parse(strings.TrimSuffix(text, "\n"))
			if err == nil {
				t.Errorf("%s is taken", text)
				continue
			}
			if !p.All() {
				t.Errorf("%s: the pattern of an error is not empty", text)
			}
			out.WriteString(text + "    " + err.Error() + "\n")
		}
		return out.String()
	})
}

func TestLongest(t *testing.T) {
	if _, err := Parse(strings.Repeat("a", Most)); err != nil {
		t.Error(err)
	}
	if _, err := Parse(strings.Repeat("a", Most+1)); err == nil {
		t.Error("a longer one is taken")
	}
	if _, err := Parse("{" + strings.Repeat("(", 500) + "$.a=1" + strings.Repeat(")", 500) + "}"); err != nil {
		t.Error(err)
	}
}

// TestTermsAreContained: a pattern of words matches exactly the messages that contain all of them, and none that contains an excluded one.
func TestTermsAreContained(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		word := rapid.StringMatching(`[a-c]{1,2}`)
		include, exclude := rapid.SliceOfN(word, 1, 3).Draw(t, "include"), rapid.SliceOfN(word, 0, 2).Draw(t, "exclude")
		message := rapid.StringMatching(`[a-c ]{0,8}`).Draw(t, "message")
		p, err := Parse(strings.Join(include, " ") + strings.Join(append([]string{""}, exclude...), " -"))
		if err != nil {
			t.Fatal(err)
		}
		want := true
		for _, w := range include {
			want = want && strings.Contains(message, w)
		}
		for _, w := range exclude {
			want = want && !strings.Contains(message, w)
		}
		if p.Match(message) != want {
			t.Fatalf("%q on %q: %v", p, message, !want)
		}
	})
}

// TestNotEqualIsTheOpposite: of a value that is there, = and != say the opposite.
func TestNotEqualIsTheOpposite(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		value := rapid.SampledFrom([]string{`1`, `1.0`, `"1"`, `"a"`, `"ab"`, `true`, `1e2`, `"x y"`}).Draw(t, "value")
		right := rapid.SampledFrom([]string{`1`, `100`, `"1"`, `a`, `a*`, `*`, `"x*"`, `%a.?%`, `true`}).Draw(t, "right")
		same, err := Parse("{$.v = " + right + "}")
		if err != nil {
			t.Fatal(err)
		}
		other, err := Parse("{$.v != " + right + "}")
		if err != nil {
			t.Fatal(err)
		}
		message := `{"v":` + value + `}`
		if same.Match(message) == other.Match(message) {
			t.Fatalf("%s: = %s and != %s are both %v", message, right, right, same.Match(message))
		}
	})
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		``, `" "`, `ERROR -"a b" ?x`, `%a[0-9]+%`, `[a, b=4*, ..., c!=%x% && c>1e3 || c<2]`,
		`{ ($.a.b[0] = "x\"y*" || $.['c.d'] IS NULL) && $.e[*] >= -1 && $.f NOT EXISTS }`, `{$.a=`, `[`, `?`, `"`,
	} {
		f.Add(seed, `1.2.3.4 [a b] "c d" {"a":{"b":["x"]},"e":[1,{"f":null}]}`)
	}
	f.Fuzz(func(t *testing.T, text, message string) {
		p, err := Parse(text)
		if err != nil {
			return
		}
		if p.String() != text {
			t.Errorf("%q is told as %q", text, p)
		}
		p.Match(message)
		p.Match(`{"a":` + message + `}`)
	})
}

func BenchmarkMatch(b *testing.B) {
	message := `{"level":"error","status":503,"path":"/api/v1/orders/1234","user":{"id":42},"tags":["a","b"],"message":"upstream timed out"}`
	for _, text := range []string{`error -warning`, `%time[a-z]+%`, `[a, b, ..., c]`, `{ $.level = "error" && $.status >= 500 && $.path = "/api/*" }`} {
		p, err := Parse(text)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(text, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				p.Match(message)
			}
		})
	}
}
