package machine

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"berth/internal/agent"
)

// quotaMount finds a file system with project quotas on this machine, "" if there is none.
func quotaMount(t *testing.T) string {
	text, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if f := strings.Fields(line); len(f) > 4 {
			if _, err := quotaDevice(line, f[2]); err == nil {
				return f[4]
			}
		}
	}
	return ""
}

// TestProjectQuotas bounds a task on a real file system with project quotas: its layer and its volume together, what was there before included.
// TestProjectQuotasInAnotherKernel runs it where this kernel has none.
func TestProjectQuotas(t *testing.T) {
	mount := quotaMount(t)
	if mount == "" || os.Geteuid() != 0 {
		t.Skip("no file system with project quotas (mounted with prjquota) that this user may bound")
	}
	dir, err := os.MkdirTemp(mount, "berth-quota-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	p := twoContainers(dir)
	for _, name := range []string{"/a", "/aw", "/b", "/bw", "/volume"} {
		if err := os.Mkdir(dir+name, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	fill(t, dir+"/volume/deep/image", 1024) // what a volume got from its image
	ctx := t.Context()
	open := func() *Storage {
		return OpenStorage(p, func(context.Context) (string, error) { return dir, nil }, slog.New(slog.DiscardHandler))
	}
	d := agent.Disk{Task: fmt.Sprint("quota-test-", os.Getpid()), LimitBytes: 20 << 20, Containers: []string{"a", "b"}} // the image takes 10 MiB of them
	s := open()
	for range 2 { // again changes nothing
		if err := s.Limit(ctx, d); err != nil {
			t.Fatal(err)
		}
	}
	released := false
	t.Cleanup(func() {
		if !released {
			if err := open().Release(context.Background(), d); err != nil {
				t.Error(err)
			}
		}
	})
	fill(t, dir+"/a/x", 4096)
	fill(t, dir+"/b/sub/x", 2048)
	u, err := open().Used(ctx, d) // as another agent sees it
	if want := int64(10+1+4+2) << 20; err != nil || !near(u.Bytes, want) || !u.Kept {
		t.Errorf("%+v, %v; want about %d", u, err, want)
	}
	big := dir + "/volume/big"
	err = writeAsContainer(big, 8<<20)
	if !errors.Is(err, unix.ENOSPC) && !errors.Is(err, unix.EDQUOT) {
		t.Errorf("8 MiB where 3 are left: %v", err)
	}
	t.Log("writes beyond the limit fail with:", err)
	if err := os.Remove(big); err != nil {
		t.Error(err)
	}
	writeToOverlay(t, dir)
	if err := writeAsContainer(dir+"/other", 8<<20); err != nil {
		t.Errorf("of nobody's project: %v", err)
	}
	if err := open().Release(ctx, d); err != nil {
		t.Fatal(err)
	}
	released = true
	if err := writeAsContainer(big, 8<<20); err != nil {
		t.Errorf("after the release: %v", err)
	}
}

// writeToOverlay writes beyond the limit through a container's root file system, as root: the kernel writes to its layer without the right to exceed quotas.
func writeToOverlay(t *testing.T, dir string) {
	for _, name := range []string{"/image", "/root"} {
		if err := os.Mkdir(dir+name, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := unix.Mount("overlay", dir+"/root", "overlay", 0, fmt.Sprintf("lowerdir=%[1]s/image,upperdir=%[1]s/a,workdir=%[1]s/aw", dir)); err != nil {
		t.Fatal("mount a container's file system:", err)
	}
	defer func() {
		if err := unix.Unmount(dir+"/root", 0); err != nil {
			t.Error(err)
		}
	}()
	if err := os.WriteFile(dir+"/root/y", make([]byte, 64<<10), 0o644); err != nil {
		t.Errorf("a little: %v", err)
	}
	if err := os.WriteFile(dir+"/root/big", make([]byte, 8<<20), 0o644); !errors.Is(err, unix.ENOSPC) && !errors.Is(err, unix.EDQUOT) {
		t.Errorf("8 MiB into the layer: %v", err)
	}
	if err := os.Remove(dir + "/root/big"); err != nil {
		t.Error(err)
	}
}

// writeAsContainer writes a file without the right to exceed quotas, which containers and overlays do not have (CAP_SYS_RESOURCE).
func writeAsContainer(path string, bytes int) error {
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with the goroutine
		header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
		var data [2]unix.CapUserData
		if err := unix.Capget(&header, &data[0]); err != nil {
			done <- err
			return
		}
		data[0].Effective &^= 1 << unix.CAP_SYS_RESOURCE
		if err := unix.Capset(&header, &data[0]); err != nil {
			done <- err
			return
		}
		done <- os.WriteFile(path, make([]byte, bytes), 0o644)
	}()
	return <-done
}

// TestProjectQuotasInAnotherKernel runs TestProjectQuotas on ext4 and on xfs in a user-mode Linux (Debian's package user-mode-linux), which has project
// quotas and sees this machine's files, read only.
func TestProjectQuotasInAnotherKernel(t *testing.T) {
	if testing.Short() {
		t.Skip("it boots a kernel")
	}
	modules, err := filepath.Glob("/usr/lib/uml/modules/*/kernel/fs/quota")
	if err != nil {
		t.Fatal(err)
	}
	for _, program := range []string{"linux.uml", "mkfs.ext4", "mkfs.xfs", "busybox"} {
		if _, err := exec.LookPath(program); err != nil || len(modules) == 0 {
			t.Skip("no user-mode Linux here: apt-get install user-mode-linux xfsprogs e2fsprogs busybox-static")
		}
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	script := fmt.Sprintf(`#!/bin/sh
PATH=/usr/sbin:/usr/bin:/sbin:/bin
mount -t proc proc /proc
mount -t devtmpfs dev /dev
mount -t tmpfs tmp /mnt
busybox insmod %[1]s/quota_tree.ko
busybox insmod %[1]s/quota_v2.ko
busybox insmod %[1]s/../overlayfs/overlay.ko
mkdir /mnt/q
mount -t ext4 -o prjquota /dev/ubda /mnt/q && %[2]s -test.run '^TestProjectQuotas$' -test.v && echo quotas kept on ext4
umount /mnt/q
mount -t xfs -o prjquota /dev/ubdb /mnt/q && %[2]s -test.run '^TestProjectQuotas$' -test.v && echo quotas kept on xfs
busybox poweroff -f
`, modules[0], self)
	if err := os.WriteFile(dir+"/init", []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, size := range map[string]int64{"ext4": 128 << 20, "xfs": 320 << 20} {
		f, err := os.Create(dir + "/" + name)
		if err != nil {
			t.Fatal(err)
		}
		if err := f.Truncate(size); err != nil {
			t.Fatal(err)
		}
		f.Close()
		make := exec.Command("mkfs."+name, "-q", dir+"/"+name)
		if name == "ext4" {
			make.Args = append(make.Args, "-O", "quota,project", "-E", "quotatype=prjquota")
		}
		if out, err := make.CombinedOutput(); err != nil {
			t.Fatalf("%s: %s", make, out)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	kernel := exec.CommandContext(ctx, "linux.uml", "root=/dev/root", "rootfstype=hostfs", "rootflags=/", "ro", "mem=512M", "ubd0="+dir+"/ext4", "ubd1="+dir+"/xfs",
		"init="+dir+"/init", "con=null", "con0=fd:0,fd:1", "con1=null", "uml_dir="+dir)
	kernel.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // it starts processes of its own
	kernel.Cancel = func() error { return syscall.Kill(-kernel.Process.Pid, syscall.SIGKILL) }
	out, err := kernel.CombinedOutput()
	if !strings.Contains(string(out), "init as init process") {
		t.Skipf("the other kernel does not start here: %v\n%s", err, out)
	}
	for _, name := range []string{"ext4", "xfs"} {
		if !strings.Contains(string(out), "quotas kept on "+name) || strings.Contains(string(out), "SKIP") {
			t.Errorf("on %s they are not; %v, the other kernel says\n%s", name, err, out)
		}
	}
}
