package network

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"berth/internal/agent"
)

// TestTasksReachEachOther is the first thing that a VPC is for: in one subnet and across subnets, with the addresses that the state says.
func TestTasksReachEachOther(t *testing.T) {
	t.Parallel()
	k := newKeeper(t, Config{})
	w := newWorld()
	w.nic("eni-a", "10.0.1.10", "sg-open")
	w.nic("eni-b", "10.0.1.11", "sg-open")
	w.nic("eni-c", "10.0.2.10", "sg-open")
	apply(t, k, w)
	a, b, c := attach(t, k, "eni-a"), attach(t, k, "eni-b"), attach(t, k, "eni-c")
	b.serveTCP(t, 80)
	c.serveTCP(t, 80)
	if seen := a.reaches(t, "10.0.1.11:80"); seen[:len("10.0.1.10:")] != "10.0.1.10:" {
		t.Errorf("seen as %s", seen)
	}
	a.reaches(t, "10.0.2.10:80")
}

// newAndClose makes a Keeper, applies nothing with it and says how it went.
func newAndClose() {
	k, err := New(Config{Installation: "nobody"})
	if err == nil {
		fmt.Println("made")
		err = k.Apply(context.Background(), agent.NetworkState{})
		fmt.Println("applied:", errors.Is(err, fs.ErrPermission) || errors.Is(err, unix.EPERM))
		err = k.Close()
	}
	if err != nil {
		fmt.Println(err)
	}
	os.Exit(0)
}

// TestNewWithoutRoot: who is not root can make a Keeper, and is told when it shall do something.
func TestNewWithoutRoot(t *testing.T) {
	t.Parallel()
	needRoot(t)
	self, err := os.Executable()
	must(t, err)
	program, err := os.ReadFile(self)
	must(t, err)
	dir, err := os.MkdirTemp("/tmp", "berth-network") // where others may look
	must(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	must(t, os.Chmod(dir, 0o755))
	copied := filepath.Join(dir, "test")
	must(t, os.WriteFile(copied, program, 0o755))
	c := exec.Command(copied)
	c.Dir, c.Env = dir, append(os.Environ(), childEnv+"=new")
	c.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	out, err := c.CombinedOutput()
	must(t, err)
	if !bytes.Equal(out, []byte("made\napplied: true\n")) {
		t.Errorf("it says %s", out)
	}
}
