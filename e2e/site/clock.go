package site

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Clock is the error of a process's clock on the wall. Its monotonic clock stays right, as it does where an operator or NTP sets the time.
type Clock struct {
	t    testing.TB
	file *os.File
}

// NewClock makes a clock that is right, for a berth of BuildWithClock.
func NewClock(t testing.TB) *Clock {
	t.Helper()
	f, err := os.CreateTemp(t.TempDir(), "clock")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	c := &Clock{t, f}
	c.Set(0)
	return c
}

// Env is what makes a process follow the clock.
func (c *Clock) Env() string { return "BERTH_CLOCK=" + c.file.Name() }

// Set sets how much the clock is ahead.
func (c *Clock) Set(ahead time.Duration) {
	c.t.Helper()
	b := binary.NativeEndian.AppendUint64(nil, uint64(int64(ahead/time.Second)))
	if _, err := c.file.WriteAt(b, 0); err != nil {
		c.t.Fatal(err)
	}
}

// BuildWithClock makes a berth whose clock on the wall, and only that, is off by what the file says that Clock makes. It takes minutes where it
// was not built before: everything that knows the time is built anew.
func BuildWithClock(t testing.TB) string {
	t.Helper()
	clock := filepath.Join(output(t, "go", "env", "GOROOT"), "src/time/time.go")
	const read = "	sec, nsec, mono := runtimeNow()\n	if mono == 0 {\n		return Time{uint64(nsec), sec + unixToInternal, Local}"
	return BuildChanged(t, "stepping", []Change{
		{File: clock, Old: read, New: strings.Replace(read, "\n", "\n	if Off != nil {\n		sec += *Off\n	}\n", 1)},
		{File: filepath.Join(filepath.Dir(clock), "off.go"), New: "package time\n\n// Off is what Now adds, in seconds.\nvar Off *int64\n"},
		{File: "cmd/berth/clock_reader.go", New: clockReader},
	})
}

// clockReader lets a berth read its clock's error from a file, also while it changes.
const clockReader = `package main

import (
	"os"
	"syscall"
	"time"
	"unsafe"
)

func init() {
	f, err := os.Open(os.Getenv("BERTH_CLOCK"))
	if err != nil {
		panic(err)
	}
	b, err := syscall.Mmap(int(f.Fd()), 0, 8, syscall.PROT_READ, syscall.MAP_SHARED)
	if err != nil {
		panic(err)
	}
	time.Off = (*int64)(unsafe.Pointer(&b[0]))
}
`
