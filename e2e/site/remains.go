package site

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// endRootedIn kills the processes whose root is a mount of a directory's: the containers of an engine that keeps its data there.
func endRootedIn(dir string) {
	all, err := filepath.Glob("/proc/[0-9]*/mountinfo")
	if err != nil {
		return
	}
	for _, file := range all {
		text, err := os.ReadFile(file)
		if err != nil {
			continue
		}
		for line := range bytes.Lines(text) {
			f := strings.Fields(string(line))
			var pid int
			if len(f) > 4 && f[4] == "/" && strings.Contains(string(line), dir+"/") {
				if _, err := fmt.Sscanf(file, "/proc/%d/", &pid); err == nil && pid != os.Getpid() {
					_ = unix.Kill(pid, unix.SIGKILL) // it may have ended
				}
			}
		}
	}
}

// removeVPCs removes the network namespaces of VPCs of the installations whose data are in a directory.
func removeVPCs(dir string) {
	_ = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error { // what cannot be read has none
		if err == nil && d.Name() == "berth.json" {
			for _, name := range VPCs(filepath.Dir(path)) {
				_ = exec.Command("ip", "netns", "delete", name).Run() // its agent may have
			}
		}
		return nil
	})
}

// Installation is the id of the installation whose data are in a directory, "" before it has one.
func Installation(data string) string {
	var in struct{ ID string }
	if b, err := os.ReadFile(filepath.Join(data, "berth.json")); err != nil || json.Unmarshal(b, &in) != nil {
		return ""
	}
	return in.ID
}

// VPCs are the network namespaces of an installation's VPCs on this machine.
func VPCs(data string) (names []string) {
	id := Installation(data)
	if id == "" {
		return nil
	}
	all, err := filepath.Glob("/run/netns/berth-" + id + "-*")
	if err != nil {
		return nil
	}
	for _, path := range all {
		names = append(names, filepath.Base(path))
	}
	slices.Sort(names)
	return names
}
