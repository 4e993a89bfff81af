package launch

import (
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// Providers are the capacity providers of the next n tasks, by a strategy and how many each has already: first the base, then each in the proportion of
// its weight, as ECS documents it. A provider without weight gets its base only. There is none for tasks beyond all bases where no weight is above 0.
func Providers(strategy []types.CapacityProviderStrategyItem, has func(provider string) int, n int) []string {
	counts := make([]int, len(strategy))
	for i, s := range strategy {
		counts[i] = has(*s.CapacityProvider)
	}
	var out []string
	for range n {
		i := next(strategy, counts)
		if i < 0 {
			break
		}
		counts[i]++
		out = append(out, *strategy[i].CapacityProvider)
	}
	return out
}

// Share is how many tasks go to a capacity provider; "" is none, of tasks without a strategy.
type Share struct {
	Provider string
	Count    int
}

// Shares are the next n tasks by their capacity providers (Providers), in the order in which each comes up first.
func Shares(strategy []types.CapacityProviderStrategyItem, has func(provider string) int, n int) (shares []Share) {
	if len(strategy) == 0 && n > 0 {
		return []Share{{"", n}}
	}
	for _, p := range Providers(strategy, has, n) {
		i := slices.IndexFunc(shares, func(s Share) bool { return s.Provider == p })
		if i < 0 {
			i = len(shares)
			shares = append(shares, Share{Provider: p})
		}
		shares[i].Count++
	}
	return shares
}

// next is the item of the strategy that the next task goes to, -1 for none.
func next(strategy []types.CapacityProviderStrategyItem, counts []int) int {
	for i, s := range strategy {
		if counts[i] < int(s.Base) {
			return i
		}
	}
	best := -1
	for i, s := range strategy {
		if s.Weight > 0 && (best < 0 || share(s, counts[i]) < share(strategy[best], counts[best])) {
			best = i
		}
	}
	return best
}

// share is what a provider has beyond its base in units of its weight, with one task more.
func share(s types.CapacityProviderStrategyItem, count int) float64 {
	return float64(count-int(s.Base)+1) / float64(s.Weight)
}
