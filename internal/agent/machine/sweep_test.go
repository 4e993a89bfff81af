package machine

import (
	"os"
	"path/filepath"
	"testing"
)

// An installation's groups go in all trees, and another's stay.
func TestRemoveGroups(t *testing.T) {
	root := t.TempDir()
	for _, dir := range []string{"memory/ecs/mine-local-1/task", "cpu/ecs/mine-pool-m-1/task", "memory/ecs/mine2-local-1/task", "blkio"} {
		if err := os.MkdirAll(filepath.Join(root, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		if err := RemoveGroups(root, "mine"); err != nil {
			t.Fatal(err)
		}
	}
	for dir, want := range map[string]bool{"memory/ecs/mine-local-1": false, "cpu/ecs/mine-pool-m-1": false, "memory/ecs/mine2-local-1/task": true} {
		if _, err := os.Stat(filepath.Join(root, dir)); (err == nil) != want {
			t.Errorf("%s: %v, want it there: %v", dir, err, want)
		}
	}
}
