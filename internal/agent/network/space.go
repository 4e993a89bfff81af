package network

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// namespaces is where named network namespaces are mounted, for `ip netns` too.
const namespaces = "/run/netns"

// space is a network namespace, with connections to the parts of its kernel. They hold it, so it ends only after close.
type space struct {
	ns    netns.NsHandle
	links *netlink.Handle
	rules *ruleset
	step  func(what string) // called before each change; nil but in tests
}

// openSpace takes over ns.
func openSpace(ns netns.NsHandle, step func(string)) (*space, error) {
	s := &space{ns: ns, step: step}
	err := runIn(ns, func() (err error) {
		s.links, err = netlink.NewHandle(unix.NETLINK_ROUTE, unix.NETLINK_NETFILTER)
		return err
	})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open netlink: %w", err), ns.Close())
	}
	if s.rules, err = openRuleset(ns); err != nil {
		s.links.Close()
		return nil, errors.Join(err, ns.Close())
	}
	return s, nil
}

func (s *space) close() error {
	s.links.Close()
	return errors.Join(s.rules.close(), s.ns.Close())
}

// do makes one change. Its error says what was being done.
func (s *space) do(what string, change func() error) error {
	if s.step != nil {
		s.step(what)
	}
	if err := change(); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

// run calls f on a thread that is in the namespace. Sockets that it opens stay there.
func (s *space) run(f func() error) error { return runIn(s.ns, f) }

func runIn(ns netns.NsHandle, f func() error) error {
	return onThread(func() (back bool, err error) {
		before, err := netns.Get()
		if err != nil {
			return true, fmt.Errorf("look up the thread's namespace: %w", err)
		}
		defer before.Close()
		if before.Equal(ns) {
			return true, f() // without the rights that a visit needs
		}
		if err := netns.Set(ns); err != nil {
			return true, fmt.Errorf("enter the namespace: %w", err)
		}
		err = f()
		return netns.Set(before) == nil, err
	})
}

// onThread calls f on a thread of its own, and waits for it. back tells that the thread is where it was before; else it ends. It is never the process's
// first thread: what /proc shows of the process is of that one.
func onThread(f func() (back bool, err error)) error {
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		if unix.Gettid() == os.Getpid() {
			err := onThread(f) // on another one, as this one is locked
			runtime.UnlockOSThread()
			done <- err
			return
		}
		back, err := f()
		if back {
			runtime.UnlockOSThread()
		}
		done <- err
	}()
	return <-done
}

// setting is a file below /proc/sys/net/ipv4 or, for names that begin with "netfilter/", /proc/sys/net.
type setting struct{ name, value string }

// settings writes kernel settings of the namespace, in one visit.
func (s *space) settings(list ...setting) error {
	return s.do("set kernel settings", func() error {
		return s.run(func() error {
			for _, set := range list {
				if err := os.WriteFile(filepath.Join("/proc/sys/net", set.name), []byte(set.value), 0); err != nil {
					return err
				}
			}
			return nil
		})
	})
}

// makeNamespace makes a named network namespace, unless it is there.
func makeNamespace(name string) error {
	if isNamespace(name) {
		return nil
	}
	if err := shareMounts(); err != nil {
		return err
	}
	path := filepath.Join(namespaces, name)
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDONLY, 0o444) // may be there without a mount, of one that was killed
	if err != nil {
		return fmt.Errorf("make namespace: %w", err)
	}
	file.Close()
	err = onThread(func() (back bool, err error) { // never back: the thread, whose namespace is the new one, ends
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			return false, err
		}
		return false, unix.Mount(fmt.Sprintf("/proc/self/task/%d/ns/net", unix.Gettid()), path, "", unix.MS_BIND, "")
	})
	if err != nil {
		return fmt.Errorf("make namespace %s: %w", name, err)
	}
	return nil
}

// shareMounts lets mounts in the folder of namespaces be seen, and end, in other mount namespaces too, as `ip netns add` does.
func shareMounts() error {
	if err := os.MkdirAll(namespaces, 0o755); err != nil {
		return fmt.Errorf("make the folder of namespaces: %w", err)
	}
	share := func() error { return unix.Mount("", namespaces, "", unix.MS_SHARED|unix.MS_REC, "") }
	err := share()
	if errors.Is(err, unix.EINVAL) { // it is no mount of its own
		if err := unix.Mount(namespaces, namespaces, "", unix.MS_BIND|unix.MS_REC, ""); err != nil {
			return fmt.Errorf("mount the folder of namespaces: %w", err)
		}
		err = share()
	}
	if err != nil {
		return fmt.Errorf("share the folder of namespaces: %w", err)
	}
	return nil
}

// isNamespace tells a mounted namespace from the file that waits for one.
func isNamespace(name string) bool {
	var fs unix.Statfs_t
	return unix.Statfs(filepath.Join(namespaces, name), &fs) == nil && fs.Type == unix.NSFS_MAGIC
}

// openNamespace opens a named namespace.
func openNamespace(name string, step func(string)) (*space, error) {
	ns, err := netns.GetFromPath(filepath.Join(namespaces, name))
	if err != nil {
		return nil, fmt.Errorf("open namespace %s: %w", name, err)
	}
	return openSpace(ns, step)
}

// dropNamespace takes away a namespace's name. It ends when nothing is in it any more.
func dropNamespace(name string) error {
	path := filepath.Join(namespaces, name)
	for isNamespace(name) { // may be mounted twice, by one that was killed
		if err := unix.Unmount(path, unix.MNT_DETACH); err != nil {
			return fmt.Errorf("unmount namespace %s: %w", name, err)
		}
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("remove namespace %s: %w", name, err)
	}
	return nil
}
