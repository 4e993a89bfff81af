package sessions

import (
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

// Within reaches what listens on this machine through any process of its namespace, and nothing of it through one that is in another.
func TestWithin(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	port := int32(l.Addr().(*net.TCPAddr).Port)
	if os.Getuid() != 0 {
		t.Skip("only root enters network namespaces")
	}
	c, err := Within(t.Context(), os.Getpid(), "", port)
	if err != nil {
		t.Fatal(err)
	}
	c.Close()
	other := exec.Command("sleep", "60")
	other.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET, Pdeathsig: syscall.SIGKILL}
	if err := other.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { other.Process.Kill(); other.Wait() }() //nolint:errcheck // it is killed
	if c, err := Within(t.Context(), other.Process.Pid, "", port); err == nil {
		c.Close()
		t.Error("another namespace has this one's port")
	}
	if _, err := Within(t.Context(), 1<<30, "", port); err == nil || !strings.Contains(err.Error(), "namespace") {
		t.Errorf("nobody's namespace: %v", err)
	}
}
