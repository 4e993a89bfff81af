// Package site runs installations of real berth servers for tests, on this machine or each on a machine of its own in a network of namespaces,
// on etcd clusters and on disks that can be broken, and removes everything again. It has no tests of its own: those of the packages beside it
// are.
package site

import (
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// Main runs a package's tests with a directory of their own for all that they make, and a guard that removes it and everything else that they
// leave when they end, however they end. At most so many tests run at a time; 0 leaves that as it is.
func Main(m interface{ Run() int }, parallel int) int {
	if task := os.Getenv(guardEnv); task != "" {
		guard(task)
		return 0
	}
	dir, err := os.MkdirTemp("", "berth-site")
	if err == nil {
		err = os.Setenv("TMPDIR", dir) // what tests make is there too
	}
	var end func()
	if err == nil {
		end, err = guarded(dir)
	}
	if err == nil {
		defer end()
		err = limit(parallel)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

// berth and etcd are built once for all tests of a package, where any asks for them.
var (
	berth = sync.OnceValues(func() (string, error) { return program("berth", "berth/cmd/berth") })
	etcd  = sync.OnceValues(func() (string, error) { return program("etcd", "berth/e2e/etcd") })
	ask   = sync.OnceValues(func() (string, error) { return program("ask", "berth/examples/ask", "-ldflags", "-s -w") })
)

// Berth is the berth of this tree.
func Berth(t testing.TB) string {
	t.Helper()
	return must(t, berth)
}

// Ask is the example that calls the APIs with an SDK from within a container.
func Ask(t testing.TB) string {
	t.Helper()
	return must(t, ask)
}

// Plugin is the Session Manager plugin, built from its module once for each of its versions.
func Plugin(t testing.TB) string {
	t.Helper()
	module := filepath.Join(filepath.Dir(output(t, "go", "env", "GOMOD")), "e2e", "plugin")
	sums, err := os.ReadFile(filepath.Join(module, "go.sum"))
	if err != nil {
		t.Fatal(err)
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(cache, "berth", "plugin", fmt.Sprintf("%.16x", sha256.Sum256(sums)), "session-manager-plugin")
	if _, err := os.Stat(file); err == nil {
		return file
	}
	c := exec.CommandContext(t.Context(), "go", "build", "-o", file, "github.com/aws/session-manager-plugin/src/sessionmanagerplugin-main")
	c.Dir, c.Env = module, append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=-trimpath", "GOWORK=off")
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("build the Session Manager plugin: %v\n%s", err, out)
	}
	return file
}

// OwnEtcd is etcd's server of the version that Berth embeds.
func OwnEtcd(t testing.TB) string {
	t.Helper()
	return must(t, etcd)
}

// SystemEtcd is the one that the machine has, which is older.
func SystemEtcd(t testing.TB) string {
	t.Helper()
	path, err := exec.LookPath("etcd")
	if err != nil {
		t.Fatal("the etcd program is missing (make deps installs it)")
	}
	return path
}

// Build makes another berth of this tree, with flags of go build.
func Build(t testing.TB, name string, flags ...string) string {
	t.Helper()
	return must(t, func() (string, error) { return program(name, "berth/cmd/berth", flags...) })
}

func must(t testing.TB, build func() (string, error)) string {
	t.Helper()
	path, err := build()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func program(name, of string, flags ...string) (string, error) {
	to := filepath.Join(os.TempDir(), name)
	cmd := exec.Command("go", append(append([]string{"build", "-o", to}, flags...), of)...)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build %s: %w\n%s", of, err, out)
	}
	return to, nil
}

// guardEnv names the variable that makes this program the guard of a test process.
const guardEnv = "BERTH_SITE_GUARD"

// guarded starts a process that removes what this one leaves when it ends, also by a timeout, a panic or kill -9. The function that it returns
// ends the guard.
func guarded(dir string) (end func(), err error) {
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%s %s", guardEnv, prefix(os.Getpid()), dir))
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // Ctrl-C is not for it
	alive, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	return func() {
		alive.Close()  //nolint:errcheck // it tells by its end
		_ = cmd.Wait() // and cleans what it can
	}, nil
}

// guard waits for the end of the process that started it, and then ends the processes that have something to do with its directory, its
// networks and its disks.
func guard(task string) {
	_, _ = io.Copy(io.Discard, os.Stdin) // until it ends
	begin, dir, _ := strings.Cut(task, " ")
	disks := mountedIn(dir)
	for _, d := range disks {
		thaw(d)
	}
	endThoseOf(dir)
	endRootedIn(dir)
	removeVPCs(dir)
	removeNetworks(begin)
	for _, d := range disks {
		_ = unix.Unmount(d, unix.MNT_DETACH) // what cannot be helped now, cannot be told anybody either
	}
	os.RemoveAll(dir)
}

// endThoseOf kills the processes that name a path of a directory when they are started.
func endThoseOf(dir string) {
	all, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		return
	}
	for _, file := range all {
		line, err := os.ReadFile(file)
		if err != nil || !strings.Contains(string(line), dir+"/") {
			continue
		}
		var pid int
		if _, err := fmt.Sscanf(file, "/proc/%d/", &pid); err == nil && pid != os.Getpid() {
			_ = unix.Kill(pid, unix.SIGKILL) // it may have ended
		}
	}
}
