package machine

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"
)

// projectQuotas are the kernel's, of a file system that was mounted with prjquota: ext4, or xfs. The calls are those of quotactl(2) in their form for
// xfs, which the kernel takes for every file system, and of ioctl_xfs_fsgetxattr(2).
type projectQuotas struct {
	device string // the block device
}

// The kernel's numbers, of linux/quota.h, linux/dqblk_xfs.h and linux/fs.h.
const (
	projectType   = 2 // PRJQUOTA
	getQuota      = ('X'<<8 + 3) << 8
	setLimits     = ('X'<<8 + 4) << 8
	blockHard     = 1 << 3 // FS_DQ_BHARD
	blockSoft     = 1 << 2 // FS_DQ_BSOFT
	basicBlock    = 512    // the unit of limits
	getAttributes = 0x801c581f
	setAttributes = 0x401c5820
	inherits      = 0x200 // FS_XFLAG_PROJINHERIT
)

// diskQuota is the kernel's struct fs_disk_quota.
type diskQuota struct {
	Version                 int8
	Flags                   int8
	Fields                  uint16
	ID                      uint32
	BlockHard, BlockSoft    uint64 // in basic blocks
	InodeHard, InodeSoft    uint64
	Blocks, Inodes          uint64
	InodeTimer, BlockTimer  int32
	InodeWarns, BlockWarns  uint16
	Padding2                int32
	RealtimeHard, Soft, Use uint64
	RealtimeTimer           int32
	RealtimeWarns           uint16
	Padding3                int16
	Padding4                [8]byte
}

// fileAttributes is the kernel's struct fsxattr.
type fileAttributes struct {
	Flags, ExtentSize, Extents, Project, CowExtentSize uint32
	Padding                                            [8]byte
}

// openQuotas finds the project quotas of the file system that has a directory, or says why there are none.
func openQuotas(dir string) (quotas, error) {
	text, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return nil, fmt.Errorf("look for project quotas: %w", err)
	}
	var st unix.Stat_t
	if err := unix.Stat(dir, &st); err != nil {
		return nil, fmt.Errorf("look for project quotas of %s: %w", dir, err)
	}
	device, err := quotaDevice(string(text), fmt.Sprintf("%d:%d", unix.Major(st.Dev), unix.Minor(st.Dev)))
	if err != nil {
		return nil, fmt.Errorf("the file system of %s %w", dir, err)
	}
	q := &projectQuotas{device: device}
	if _, _, err := q.Use(firstProject); err != nil {
		return nil, fmt.Errorf("the file system of %s has no project quotas that work: %w", dir, err)
	}
	return q, nil
}

// quotaDevice finds the block device of a mount with project quotas, by its device number.
func quotaDevice(mountinfo, number string) (string, error) {
	for s := bufio.NewScanner(strings.NewReader(mountinfo)); s.Scan(); {
		before, after, _ := strings.Cut(s.Text(), " - ")
		f, g := strings.Fields(before), strings.Fields(after)
		if len(f) < 6 || len(g) < 3 || f[2] != number {
			continue
		}
		for _, o := range strings.Split(g[2], ",") {
			if o == "prjquota" || o == "pquota" {
				return g[1], nil
			}
		}
		return "", fmt.Errorf("(%s on %s) is not mounted with prjquota", g[0], g[1])
	}
	return "", errors.New("is not in the list of mounts")
}

func (q *projectQuotas) call(command int, project uint32, d *diskQuota) error {
	device, err := unix.BytePtrFromString(q.device)
	if err != nil {
		return err
	}
	_, _, errno := unix.Syscall6(unix.SYS_QUOTACTL, uintptr(command|projectType), uintptr(unsafe.Pointer(device)), uintptr(project), uintptr(unsafe.Pointer(d)), 0, 0)
	if errno != 0 {
		return errno
	}
	return nil
}

// Use implements quotas.
func (q *projectQuotas) Use(project uint32) (bytes, limit int64, err error) {
	var d diskQuota
	switch err := q.call(getQuota, project, &d); {
	case errors.Is(err, unix.ENOENT): // never seen
		return 0, 0, nil
	case err != nil:
		return 0, 0, err
	}
	return int64(d.Blocks) * basicBlock, int64(d.BlockHard) * basicBlock, nil
}

// Bound implements quotas. The kernel takes 0 for no limit too.
func (q *projectQuotas) Bound(project uint32, bytes int64) error {
	blocks := uint64(bytes) / basicBlock
	return q.call(setLimits, project, &diskQuota{Version: 1, Flags: projectType, Fields: blockHard | blockSoft, ID: project, BlockHard: blocks, BlockSoft: blocks})
}

// attributes opens a file, has f change its attributes, and sets them where f says that it did.
func attributes(path string, f func(*fileAttributes) bool) error {
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd) //nolint:errcheck // nothing was written
	var a fileAttributes
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), getAttributes, uintptr(unsafe.Pointer(&a))); errno != 0 {
		return errno
	}
	if !f(&a) {
		return nil
	}
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), setAttributes, uintptr(unsafe.Pointer(&a))); errno != 0 {
		return errno
	}
	return nil
}

// Project implements quotas.
func (q *projectQuotas) Project(dir string) (project uint32, err error) {
	err = attributes(dir, func(a *fileAttributes) bool { project = a.Project; return false })
	return project, err
}

// Mark implements quotas. It is called before a container starts, so there is little in its directories: what its volumes got from the image.
func (q *projectQuotas) Mark(ctx context.Context, dir string, project uint32) error {
	return filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if !e.IsDir() && !e.Type().IsRegular() { // others take no blocks, and opening them may do something
			return nil
		}
		return attributes(path, func(a *fileAttributes) bool {
			same := a.Project == project && (!e.IsDir() || a.Flags&inherits != 0)
			a.Project = project
			if e.IsDir() {
				a.Flags |= inherits
			}
			return !same
		})
	})
}
