package page

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func self(s string) string { return s }

// Pages of any size have every row once, in order, also when rows go meanwhile.
func TestTake(t *testing.T) {
	up := []string{"a", "b", "c", "d", "e"}
	down := slices.Clone(up)
	slices.Reverse(down)
	for most := 1; most <= 6; most++ {
		for _, rows := range [][]string{up, down} {
			var got []string
			var token *string
			for {
				r, ok := New(most, token, "List", "x")
				if !ok {
					t.Fatalf("its own token is refused")
				}
				r.Descending = rows[0] == "e"
				list, next := Take(r, slices.Values(rows), self)
				got = append(got, list...)
				if next == nil {
					break
				}
				if len(list) != most {
					t.Fatalf("a page of %d, not %d", len(list), most)
				}
				token = next
			}
			if diff := cmp.Diff(rows, got); diff != "" {
				t.Errorf("%d a page: %s", most, diff)
			}
		}
	}
	first, _ := New(2, nil, "List")
	_, token := Take(first, slices.Values(up), self)
	second, _ := New(2, token, "List")
	if list, _ := Take(second, slices.Values([]string{"a", "c", "d"}), self); !slices.Equal(list, []string{"c", "d"}) {
		t.Errorf("after one has gone: %v", list)
	}
}

func TestTokensOfOthers(t *testing.T) {
	first, _ := New(1, nil, "List", "x")
	_, token := Take(first, slices.Values([]string{"a", "b"}), self)
	empty := ""
	if _, ok := New(1, &empty, "List"); !ok {
		t.Error("an empty token is the first page")
	}
	for _, bad := range []string{"x", "%", *token + "=", (*token)[:16]} {
		if _, ok := New(1, &bad, "List", "x"); ok {
			t.Errorf("%q is accepted", bad)
		}
	}
	if _, ok := New(1, token, "List", "y"); ok {
		t.Error("the token of another list is accepted")
	}
}

func FuzzToken(f *testing.F) {
	f.Add("AAAA")
	f.Fuzz(func(t *testing.T, token string) {
		if r, ok := New(1, &token, "List"); ok {
			Take(r, slices.Values([]string{"a", "b"}), self)
		}
	})
}
