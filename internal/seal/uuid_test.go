package seal

import (
	"regexp"
	"testing"
)

func TestNewUUID(t *testing.T) {
	form, seen := regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`), map[string]bool{}
	for range 1000 {
		u := NewUUID()
		if !form.MatchString(u) || seen[u] {
			t.Fatal(u)
		}
		seen[u] = true
	}
}
