package policy

import (
	"testing"

	"berth/internal/iam/managed"
)

// AWS's own policies are policies, and come back from being printed.
func TestPublishedPolicies(t *testing.T) {
	for _, p := range managed.Load().All() {
		d, err := Parse(p.Document(), Managed)
		if err != nil {
			t.Errorf("%s: %v", p.Arn, err)
			continue
		}
		if _, err := Parse(d.String(), Managed); err != nil {
			t.Errorf("%s, printed: %v", p.Arn, err)
		}
	}
}
