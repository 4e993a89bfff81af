package site

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Disk is a small file system of its own, on a file, which can stand still, be slow, fail and be full.
type Disk struct {
	Dir string // where it is mounted

	t     testing.TB
	image string
}

// NewDisk makes a disk of so many MiB. What a test of it needs, it must have made after the disk, so that it ends before.
func NewDisk(t testing.TB, mib int) *Disk {
	t.Helper()
	dir := t.TempDir()
	d := &Disk{Dir: filepath.Join(dir, "disk"), t: t, image: filepath.Join(dir, "image")}
	err := os.Mkdir(d.Dir, 0o700)
	if err == nil {
		err = os.WriteFile(d.image, nil, 0o600)
	}
	if err == nil {
		err = os.Truncate(d.image, int64(mib)<<20)
	}
	if err != nil {
		t.Fatal(err)
	}
	run(t, "mkfs.ext4", "-q", "-m", "0", d.image)
	d.share(dir)
	d.mount()
	t.Cleanup(func() {
		d.Thaw()
		d.unmount()
	})
	return d
}

// share makes dir a mount of which other mount namespaces, those of containers and engines that start meanwhile, have slaves: what is unmounted in it here is
// unmounted there too.
func (d *Disk) share(dir string) {
	d.t.Helper()
	if err := errors.Join(unix.Mount(dir, dir, "", unix.MS_BIND, ""), unix.Mount("", dir, "", unix.MS_SHARED, "")); err != nil {
		d.t.Skipf("this machine shares no mounts: %v", err)
	}
	d.t.Cleanup(func() {
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			d.t.Error(err)
		}
	})
}

func (d *Disk) mount() {
	d.t.Helper()
	if out, err := exec.Command("mount", "-o", "loop", d.image, d.Dir).CombinedOutput(); err != nil {
		d.t.Skipf("this machine mounts no files: %v: %s", err, out)
	}
}

// unmount waits for the processes on the disk to end.
func (d *Disk) unmount() {
	d.t.Helper()
	Eventually(d.t, d.Dir+" is not used any more", func() error { return unix.Unmount(d.Dir, 0) })
}

// What the kernel calls the requests that stop a file system and let it go on, and the one that takes it out of service.
const (
	fiFreeze   = 0xc0045877
	fiThaw     = 0xc0045878
	fsShutdown = 0x8004587d
)

func control(dir string, request uint, value int) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer f.Close()
	v := uint32(value)
	_, _, no := unix.Syscall(unix.SYS_IOCTL, f.Fd(), uintptr(request), uintptr(unsafe.Pointer(&v)))
	if no != 0 {
		return no
	}
	return nil
}

// Freeze makes the disk stand still: every write to it waits, and so does every process that waits for one, even for its end.
func (d *Disk) Freeze() {
	d.t.Helper()
	d.t.Cleanup(d.Thaw) // before those who wait for it are ended
	if err := control(d.Dir, fiFreeze, 0); err != nil {
		d.t.Fatalf("freeze %s: %v", d.Dir, err)
	}
}

// Thaw lets the disk go on.
func (d *Disk) Thaw() { thaw(d.Dir) }

func thaw(dir string) { _ = control(dir, fiThaw, 0) } // it may not stand still

// Slow makes every flush take up to so long, until the function that it returns is called.
func (d *Disk) Slow(flush time.Duration) (end func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var stutter sync.WaitGroup
	stutter.Go(func() {
		for ctx.Err() == nil {
			if err := control(d.Dir, fiFreeze, 0); err != nil && !errors.Is(err, unix.EBUSY) {
				d.t.Errorf("freeze %s: %v", d.Dir, err)
			}
			time.Sleep(flush)
			d.Thaw()
			time.Sleep(2 * time.Millisecond) // who waits is let through
		}
	})
	end = sync.OnceFunc(func() { cancel(); stutter.Wait() })
	d.t.Cleanup(end)
	return end
}

// Break makes everything on the disk fail that is asked of it, and lose what was not flushed.
func (d *Disk) Break() {
	d.t.Helper()
	const withoutFlushing = 2
	if err := control(d.Dir, fsShutdown, withoutFlushing); err != nil {
		d.t.Fatalf("break %s: %v", d.Dir, err)
	}
}

// Repair brings the disk back, once no process uses it any more.
func (d *Disk) Repair() {
	d.t.Helper()
	d.unmount()
	d.mount()
}

// Fill takes all but so many MiB of what is free.
func (d *Disk) Fill(leave int) {
	d.t.Helper()
	f, err := os.OpenFile(filepath.Join(d.Dir, "filler"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		d.t.Fatal(err)
	}
	defer f.Close()
	had, err := f.Stat()
	if err != nil {
		d.t.Fatal(err)
	}
	take := d.Free() - int64(leave)<<20
	if take <= 0 {
		return
	}
	if err := unix.Fallocate(int(f.Fd()), 0, had.Size(), take); err != nil && !errors.Is(err, unix.ENOSPC) { // then it has all
		d.t.Fatalf("take %d MiB of %d: %v", take>>20, d.Free()>>20, err)
	}
}

// Empty gives back what Fill took.
func (d *Disk) Empty() {
	d.t.Helper()
	if err := os.Remove(filepath.Join(d.Dir, "filler")); err != nil {
		d.t.Fatal(err)
	}
}

// Free is how many bytes are.
func (d *Disk) Free() int64 {
	d.t.Helper()
	var s unix.Statfs_t
	if err := unix.Statfs(d.Dir, &s); err != nil {
		d.t.Fatal(err)
	}
	return int64(s.Bavail) * s.Bsize
}

// mountedIn are the places below a directory at which something is mounted.
func mountedIn(dir string) (at []string) {
	b, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		return nil
	}
	for line := range strings.Lines(string(b)) {
		if f := strings.Fields(line); len(f) > 1 && strings.HasPrefix(f[1], dir+"/") {
			at = append(at, f[1])
		}
	}
	return at
}

// String is for messages.
func (d *Disk) String() string { return fmt.Sprintf("disk %s with %d MiB free", d.Dir, d.Free()>>20) }
