package machine

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// overlay is the kind of file system that a container sees as its root, as statfs(2) tells it.
const overlay = unix.OVERLAYFS_SUPER_MAGIC

// bytesDeleted adds up the files that processes of the containers have open although they have no name any more: they take blocks, and no walk finds
// them. Those in memory are left out. data is a directory on the file system of the containers' volumes. What goes meanwhile is passed over.
func bytesDeleted(ctx context.Context, proc, data string, containers []string) (total int64, err error) {
	var st unix.Stat_t
	if err := unix.Stat(data, &st); err != nil {
		return 0, fmt.Errorf("look for deleted files: %w", err)
	}
	entries, err := os.ReadDir(proc)
	if err != nil {
		return 0, fmt.Errorf("look for deleted files: %w", err)
	}
	seen := map[[2]uint64]bool{}
	for _, e := range entries {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		if _, err := strconv.Atoi(e.Name()); err != nil || !ofContainers(filepath.Join(proc, e.Name(), "cgroup"), containers) {
			continue
		}
		n, err := deletedBy(ctx, filepath.Join(proc, e.Name(), "fd"), st.Dev, seen)
		if err != nil {
			return 0, err
		}
		total += n
	}
	return total, nil
}

// ofContainers says whether a process is in a group of one of the containers: their ids are in its path, whoever has made it.
func ofContainers(cgroup string, containers []string) bool {
	text, err := os.ReadFile(cgroup)
	if err != nil {
		return false
	}
	for _, id := range containers {
		if id != "" && strings.Contains(string(text), id) {
			return true
		}
	}
	return false
}

// deletedBy adds up the deleted files that one process has open, each that was not seen yet.
func deletedBy(ctx context.Context, dir string, dev uint64, seen map[[2]uint64]bool) (total int64, err error) {
	f, err := os.Open(dir)
	if err != nil {
		return 0, nil //nolint:nilerr // the process has ended
	}
	defer f.Close()
	for {
		names, err := f.Readdirnames(1024)
		for _, name := range names {
			total += deletedFile(filepath.Join(dir, name), dev, seen)
		}
		switch {
		case err != nil, len(names) == 0: // the end, of the list or of the process
			return total, nil
		case ctx.Err() != nil:
			return 0, ctx.Err()
		}
	}
}

// deletedFile is the size of an open file without a name, on an overlay or on the file system dev; 0 of any other.
func deletedFile(link string, dev uint64, seen map[[2]uint64]bool) int64 {
	var st unix.Stat_t
	if err := unix.Stat(link, &st); err != nil || st.Mode&unix.S_IFMT != unix.S_IFREG || st.Nlink != 0 || st.Blocks == 0 {
		return 0
	}
	key := [2]uint64{st.Dev, st.Ino}
	if seen[key] {
		return 0
	}
	if st.Dev != dev {
		var f unix.Statfs_t
		if err := unix.Statfs(link, &f); err != nil || f.Type != overlay {
			return 0
		}
	}
	seen[key] = true
	return st.Blocks * 512
}

// exists says whether a directory is there. One that cannot be looked at is.
func exists(dir string) bool {
	_, err := os.Stat(dir)
	return !errors.Is(err, fs.ErrNotExist)
}
