package launch

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/google/go-cmp/cmp"
)

// The next tasks by their providers; without a strategy all are of none.
func TestShares(t *testing.T) {
	strategy := []types.CapacityProviderStrategyItem{{CapacityProvider: new("FARGATE"), Base: 1, Weight: 1}, {CapacityProvider: new("FARGATE_SPOT"), Weight: 3}}
	none := func(string) int { return 0 }
	for _, c := range []struct {
		strategy []types.CapacityProviderStrategyItem
		n        int
		want     []Share
	}{
		{nil, 3, []Share{{"", 3}}},
		{nil, 0, nil},
		{strategy, 9, []Share{{"FARGATE", 3}, {"FARGATE_SPOT", 6}}},
		{strategy, 1, []Share{{"FARGATE", 1}}},
	} {
		if diff := cmp.Diff(c.want, Shares(c.strategy, none, c.n)); diff != "" {
			t.Errorf("%d tasks (-want +got)\n%s", c.n, diff)
		}
	}
}
