package machine

import (
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"berth/internal/agent"
)

var _ agent.Names = Names{}

func TestNames(t *testing.T) {
	n := Names{Dir: filepath.Join(t.TempDir(), "names")}
	defer unix.Umask(unix.Umask(0o077))
	write := func(hosts string) agent.NameFiles {
		t.Helper()
		f, err := n.Write("t", agent.NameTexts{Hosts: hosts, Resolver: "nameserver 10.0.0.2\n"})
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	has := func(path, want string) {
		t.Helper()
		got, err := os.ReadFile(path)
		if err != nil || string(got) != want {
			t.Errorf("%s is %q, %v, want %q", path, got, err, want)
		}
	}
	if err := os.MkdirAll(filepath.Join(n.Dir, "t"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(n.Dir, "t", "hosts.new"), []byte("much longer, of an attempt that was cut off"), 0o600); err != nil {
		t.Fatal(err)
	}
	f := write("one\n")
	has(f.Hosts, "one\n")
	has(f.Resolver, "nameserver 10.0.0.2\n")
	for _, path := range []string{f.Hosts, f.Resolver} {
		if st, err := os.Stat(path); err != nil || st.Mode().Perm() != 0o644 {
			t.Errorf("%s: %v, %v", path, st, err)
		}
	}
	if _, err := os.Stat("/proc/sys/net/ipv6"); f.IPv6 != (err == nil) {
		t.Errorf("IPv6 %v, and the kernel's directory of it: %v", f.IPv6, err)
	}
	if again := write("two\n"); again != f {
		t.Errorf("written again they are %+v, not %+v", again, f)
	}
	has(f.Hosts, "one\n") // a container may have it mounted
	if left, err := filepath.Glob(filepath.Join(n.Dir, "t", "*.new")); err != nil || len(left) != 0 {
		t.Errorf("drafts are left: %v, %v", left, err)
	}
	for range 2 { // none is no error
		if err := n.Remove("t"); err != nil {
			t.Error(err)
		}
	}
	if _, err := os.Stat(filepath.Dir(f.Hosts)); !os.IsNotExist(err) {
		t.Errorf("the folder is still there: %v", err)
	}
	if _, err := (Names{Dir: "/dev/null"}).Write("t", agent.NameTexts{}); err == nil {
		t.Error("a directory that cannot be made is no error")
	}
}
