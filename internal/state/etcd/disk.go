package etcd

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// The ballast is a file that only holds space: given up at a start on a full disk, it lets etcd start.
const (
	ballastName = "ballast"
	ballastSize = 64 << 20
)

// diskFree is how many bytes a process without privileges can still write to dir's file system.
func diskFree(dir string) (uint64, error) {
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err != nil {
		return 0, fmt.Errorf("measure free space of %s: %w", dir, err)
	}
	return s.Bavail * uint64(s.Bsize), nil
}

// makeBallast writes the ballast unless it is there whole.
func makeBallast(dir string) error {
	at := filepath.Join(dir, ballastName)
	if s, err := os.Stat(at); err == nil && s.Size() == ballastSize {
		return nil
	}
	err := fill(at)
	if err != nil {
		err = errors.Join(err, os.Remove(at))
	}
	if err != nil {
		return fmt.Errorf("write the ballast: %w", err)
	}
	return nil
}

// fill takes the blocks and not only the size, also where the file system cannot allocate them at once.
func fill(at string) error {
	f, err := os.OpenFile(at, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	err = unix.Fallocate(int(f.Fd()), 0, 0, ballastSize)
	if errors.Is(err, unix.EOPNOTSUPP) || errors.Is(err, unix.ENOSYS) {
		_, err = f.Write(make([]byte, ballastSize))
	}
	return errors.Join(err, f.Close())
}

// GiveUpBallast makes a little room on a full disk, where what is kept for that is still there. dir is a Config's.
func GiveUpBallast(dir string) bool {
	return os.Remove(filepath.Join(dir, ballastName)) == nil
}

func dropBallast(dir string) error {
	if err := os.Remove(filepath.Join(dir, ballastName)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("give up the ballast: %w", err)
	}
	return nil
}

// largest names the three largest entries of dir beside etcd's own and the ballast.
func largest(dir string) string {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return ""
	}
	type entry struct {
		name string
		size int64
	}
	var all []entry
	for _, e := range entries {
		if e.Name() == etcdDir || e.Name() == ballastName {
			continue
		}
		if size := sizeOf(filepath.Join(dir, e.Name())); size > 1<<20 {
			all = append(all, entry{e.Name(), size})
		}
	}
	slices.SortFunc(all, func(a, b entry) int { return cmp.Compare(b.size, a.size) })
	var names []string
	for _, e := range all[:min(3, len(all))] {
		names = append(names, fmt.Sprintf("%s (%d MiB)", e.name, e.size>>20))
	}
	return strings.Join(names, ", ")
}

// sizeOf adds up the files under a path. What cannot be read does not count: the sum is only advice.
func sizeOf(path string) (sum int64) {
	_ = filepath.WalkDir(path, func(_ string, e fs.DirEntry, err error) error {
		if err == nil && e.Type().IsRegular() {
			if i, err := e.Info(); err == nil {
				sum += i.Size()
			}
		}
		return nil
	})
	return sum
}
