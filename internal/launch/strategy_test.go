package launch

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"pgregory.net/rapid"
)

func item(provider string, base, weight int32) types.CapacityProviderStrategyItem {
	return types.CapacityProviderStrategyItem{CapacityProvider: &provider, Base: base, Weight: weight}
}

func TestProviders(t *testing.T) {
	type items = []types.CapacityProviderStrategyItem
	for _, c := range []struct {
		name     string
		strategy items
		has      map[string]int
		n        int
		want     string
	}{
		{"one", items{item("A", 0, 1)}, nil, 3, "A A A"},
		{"equal weights by turns", items{item("A", 0, 1), item("B", 0, 1)}, nil, 4, "A B A B"},
		{"one in five", items{item("A", 0, 1), item("B", 0, 4)}, nil, 5, "B B B A B"},
		{"the base comes first", items{item("A", 0, 1), item("B", 2, 0)}, nil, 4, "B B A A"},
		{"weights count beyond the base", items{item("A", 2, 1), item("B", 0, 1)}, nil, 6, "A A A B A B"},
		{"what is there counts", items{item("A", 1, 1), item("B", 0, 3)}, map[string]int{"A": 2, "B": 2}, 3, "B B B"},
		{"a base that is short is filled", items{item("A", 3, 0), item("B", 0, 1)}, map[string]int{"A": 1, "B": 9}, 4, "A A B B"},
		{"more than the base is not taken away", items{item("A", 1, 0), item("B", 0, 1)}, map[string]int{"A": 7}, 2, "B B"},
		{"no weight at all", items{item("A", 1, 0)}, nil, 3, "A"},
		{"none", items{item("A", 0, 1)}, nil, 0, ""},
	} {
		got := Providers(c.strategy, func(p string) int { return c.has[p] }, c.n)
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s: got %v, want %s", c.name, got, c.want)
		}
	}
}

// A base is filled before anything else; one without weight gets no more; and the others have what their weights say, within one task where they are two, as
// Fargate's are.
func TestProvidersLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var strategy []types.CapacityProviderStrategyItem
		weights := 0
		for i := range rapid.IntRange(1, 4).Draw(t, "providers") {
			s := item(fmt.Sprint(i), 0, rapid.Int32Range(0, 10).Draw(t, "weight"))
			weights += int(s.Weight)
			strategy = append(strategy, s)
		}
		strategy[rapid.IntRange(0, len(strategy)-1).Draw(t, "with base")].Base = rapid.Int32Range(0, 5).Draw(t, "base")
		counts := map[string]int{}
		all, n := 0, 0
		for range rapid.IntRange(1, 3).Draw(t, "calls") { // one after another they are as one
			more := rapid.IntRange(0, 20).Draw(t, "tasks")
			n += more
			for _, p := range Providers(strategy, func(p string) int { return counts[p] }, more) {
				counts[p]++
				all++
			}
		}
		base := 0
		for _, s := range strategy {
			base += int(s.Base)
		}
		if want := min(n, base); weights == 0 && all != want || weights > 0 && all != n {
			t.Fatalf("%d of %d tasks have a provider", all, n)
		}
		for _, s := range strategy {
			c := counts[*s.CapacityProvider]
			switch beyond := c - int(s.Base); {
			case n <= base && s.Base > 0 && c != n, n > base && beyond < 0:
				t.Fatalf("%d tasks of %d, and a base of %d", c, n, s.Base)
			case s.Weight == 0 && beyond > 0:
				t.Fatalf("%d tasks without a weight, and a base of %d", c, s.Base)
			case weights > 0 && n > base:
				share := float64(n-base) * float64(s.Weight) / float64(weights)
				if d := float64(beyond) - share; d <= -1 || len(strategy) == 2 && d >= 1 { // there are two
					t.Fatalf("%d beyond its base, and its share is %.2f", beyond, share)
				}
			}
		}
	})
}
