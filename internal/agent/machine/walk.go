package machine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/unix"

	"berth/internal/agent"
)

// The bounds of a walk through directories that somebody else fills: how deep it goes, each level with a file open, and how many files with several
// names it tells apart. Beyond those each name counts.
const (
	walkDepth = 1000
	walkLinks = 1 << 20
)

// walker adds up what is on one file system.
type walker struct {
	ctx   context.Context //nolint:containedctx // of the one walk that it is made for
	dev   uint64
	links map[uint64]bool // inodes with several names that were counted
	bytes int64
}

// bytesBelow adds up the blocks of a directory and of all in it, each file once. It follows no link, does not leave the file system, and passes over
// what goes meanwhile. A directory that is not there has none. agent.ErrUnmeasurable: it is too deep.
func bytesBelow(ctx context.Context, dir string) (int64, error) {
	fd, err := unix.Open(dir, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	switch {
	case errors.Is(err, unix.ENOENT):
		return 0, nil
	case err != nil:
		return 0, fmt.Errorf("measure %s: %w", dir, err)
	}
	f := os.NewFile(uintptr(fd), dir)
	defer f.Close()
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return 0, fmt.Errorf("measure %s: %w", dir, err)
	}
	w := &walker{ctx: ctx, dev: st.Dev, links: map[uint64]bool{}, bytes: st.Blocks * 512}
	if err := w.walk(f, 1); err != nil {
		return 0, fmt.Errorf("measure %s: %w", dir, err)
	}
	return w.bytes, nil
}

// walk adds up what is in an open directory. It never names a path: what is deep in others may be longer than the kernel takes.
func (w *walker) walk(dir *os.File, depth int) error {
	if depth > walkDepth {
		return fmt.Errorf("%w: directories are nested deeper than %d", agent.ErrUnmeasurable, walkDepth)
	}
	for {
		if err := w.ctx.Err(); err != nil {
			return err
		}
		names, err := dir.Readdirnames(1024)
		for _, name := range names {
			if err := w.entry(dir, name, depth); err != nil {
				return err
			}
		}
		switch {
		case errors.Is(err, io.EOF), errors.Is(err, unix.ENOENT):
			return nil
		case err != nil:
			return err
		}
	}
}

func (w *walker) entry(dir *os.File, name string, depth int) error {
	var st unix.Stat_t
	switch err := unix.Fstatat(int(dir.Fd()), name, &st, unix.AT_SYMLINK_NOFOLLOW); {
	case errors.Is(err, unix.ENOENT):
		return nil
	case err != nil:
		return err
	case st.Dev != w.dev:
		return nil
	}
	folder := st.Mode&unix.S_IFMT == unix.S_IFDIR
	if st.Nlink > 1 && !folder {
		if w.links[st.Ino] {
			return nil
		}
		if len(w.links) < walkLinks {
			w.links[st.Ino] = true
		}
	}
	w.bytes += st.Blocks * 512
	if !folder {
		return nil
	}
	fd, err := unix.Openat(int(dir.Fd()), name, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	switch {
	case errors.Is(err, unix.ENOENT), errors.Is(err, unix.ENOTDIR), errors.Is(err, unix.ELOOP): // it was replaced meanwhile
		return nil
	case err != nil:
		return err
	}
	f := os.NewFile(uintptr(fd), name)
	defer f.Close()
	return w.walk(f, depth+1)
}
