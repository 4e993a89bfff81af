package etcd

import (
	"slices"
	"testing"
)

func TestAnswering(t *testing.T) {
	all := []string{"a", "b", "c"}
	for name, x := range map[string]struct {
		failed []int
		want   []string
	}{
		"all answer":               {[]int{0, 0, 0}, all},
		"once is nothing":          {[]int{0, failures - 1, 0}, all},
		"one hangs":                {[]int{0, failures, 0}, []string{"a", "c"}},
		"two hang, or the network": {[]int{failures, 7, 0}, all},
		"nobody answers":           {[]int{failures, failures, failures}, all},
	} {
		if got := answering(all, x.failed); !slices.Equal(got, x.want) {
			t.Errorf("%s: %v, want %v", name, got, x.want)
		}
	}
}
