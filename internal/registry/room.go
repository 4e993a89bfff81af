package registry

import (
	"errors"

	"golang.org/x/sys/unix"
)

const (
	minFree   = 1 << 30  // bytes that stay free on the disk, where the configuration says nothing
	lookAfter = 16 << 20 // bytes of an upload after which it is looked again
)

// ErrFull says that the disk has no room for more images.
var ErrFull = errors.New("the registry has no room")

// room is ErrFull where the disk is full. What frees room is done all the same.
func (g *Registry) room() error {
	var s unix.Statfs_t
	if err := unix.Statfs(g.Dir, &s); err != nil {
		return nil // the write itself will say what is wrong
	}
	if s.Bavail*uint64(s.Bsize) < g.MinFree {
		return ErrFull
	}
	return nil
}
