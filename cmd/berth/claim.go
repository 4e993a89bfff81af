package main

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// claim is a role ("server", "agent", "up") of a data directory that this process has. It ends with the process, and with those that it is handed to.
type claim struct {
	data dataDir
	role string
	lock *os.File
}

// errClaimed says that another process has the role.
var errClaimed = errors.New("another process has the role")

// claim takes a role. Others do not find this process before announce.
func (d dataDir) claim(role string) (*claim, error) {
	f, err := os.OpenFile(d.path(role+".lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("claim %s: %w", role, err)
	}
	for range 10 {
		if err = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err == nil {
			os.Remove(d.path(role + ".pid")) //nolint:errcheck // of a process that was killed
			return &claim{d, role, f}, nil
		}
		time.Sleep(5 * time.Millisecond) // owned looks at it for an instant
	}
	f.Close()
	return nil, errClaimed
}

// announce writes this process's pid.
func (c *claim) announce() error {
	return c.data.write(c.role+".pid", []byte(strconv.Itoa(os.Getpid())+"\n"))
}

// handOn leaves the claim to the processes that have its lock too.
func (c *claim) handOn() { c.lock.Close() }

// release gives the role up.
func (c *claim) release() {
	os.Remove(c.data.path(c.role + ".pid")) //nolint:errcheck // there is none before announce
	c.lock.Close()
}

// own claims a role for this process and announces it.
func (d dataDir) own(role string) (release func(), err error) {
	c, err := d.claim(role)
	if errors.Is(err, errClaimed) {
		return nil, fmt.Errorf("another berth %s (pid %d) works in %s already", role, d.pid(role), d)
	}
	if err != nil {
		return nil, err
	}
	if err := c.announce(); err != nil {
		c.release()
		return nil, err
	}
	return c.release, nil
}

// pid is the process that has a role, 0 if none is alive.
func (d dataDir) pid(role string) int {
	b, err := os.ReadFile(d.path(role + ".pid"))
	if err != nil {
		return 0
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(b)))
	if err != nil || pid <= 1 || !d.owned(role) {
		return 0
	}
	return pid
}

// owned reports whether a process holds the role's claim, so that a pid of a process long gone is never mistaken for ours.
func (d dataDir) owned(role string) bool {
	f, err := os.OpenFile(d.path(role+".lock"), os.O_RDWR, 0)
	if err != nil {
		return false
	}
	defer f.Close()
	if err := unix.Flock(int(f.Fd()), unix.LOCK_SH|unix.LOCK_NB); err != nil {
		return true
	}
	return false
}
