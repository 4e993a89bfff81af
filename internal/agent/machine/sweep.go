package machine

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// RemoveGroups removes all control groups of an installation below root, with the processes that are in them, for when its containers are gone for good.
// Slices are systemd's, which ends empty ones itself.
func RemoveGroups(root, installation string) error {
	_, err := os.Stat(filepath.Join(root, "cgroup.controllers"))
	g := &Groups{root: root, unified: err == nil, installation: plain(installation)}
	var errs []error
	for _, tree := range g.trees() {
		parent := filepath.Join(tree, "ecs")
		entries, err := os.ReadDir(parent)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
		for _, e := range entries {
			if e.IsDir() && strings.HasPrefix(e.Name(), g.installation+"-") {
				errs = append(errs, removeGroup(filepath.Join(parent, e.Name())))
			}
		}
	}
	return errors.Join(errs...)
}
