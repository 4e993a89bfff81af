package vpc

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"berth/e2e/site"
)

// groups are the control groups of an installation's tasks.
func groups(data string) []string { return groupsLike(data, "-*/*") }

// groupsLike are the control groups of an installation whose names go on so, on cgroup v1 and v2.
func groupsLike(data, pattern string) (dirs []string) {
	id := site.Installation(data)
	if id == "" {
		return nil
	}
	for _, tree := range []string{"/sys/fs/cgroup/*/ecs/", "/sys/fs/cgroup/ecs/"} {
		all, err := filepath.Glob(tree + id + pattern)
		if err != nil {
			return nil
		}
		dirs = append(dirs, all...)
	}
	return slices.DeleteFunc(dirs, func(path string) bool { // the kernel's own files of a group are not groups
		info, err := os.Stat(path)
		return err != nil || !info.IsDir()
	})
}

// removeGroups removes what is left of an installation's control groups, with the processes in them.
func removeGroups(data string) {
	for _, top := range groupsLike(data, "-*") {
		var dirs []string
		_ = filepath.WalkDir(top, func(path string, d fs.DirEntry, err error) error { // what is gone need not be removed
			if err == nil && d.IsDir() {
				dirs = append(dirs, path)
			}
			return nil
		})
		for _, dir := range slices.Backward(dirs) {
			text, _ := os.ReadFile(filepath.Join(dir, "cgroup.procs")) // none
			for word := range strings.FieldsSeq(string(text)) {
				if pid, err := strconv.Atoi(word); err == nil && pid > 1 {
					_ = unix.Kill(pid, unix.SIGKILL) // it may have ended
				}
			}
			_ = os.Remove(dir) // the kernel may need a moment longer
		}
	}
}
