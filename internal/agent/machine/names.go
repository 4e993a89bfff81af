package machine

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"berth/internal/agent"
)

// Names keeps the files by which tasks know names below a directory, one folder a task. It implements agent.Names.
type Names struct{ Dir string }

// ipv6 is there where the kernel has IPv6.
const ipv6 = "/proc/sys/net/ipv6/conf/all/disable_ipv6"

// Write implements agent.Names.
func (n Names) Write(task string, texts agent.NameTexts) (agent.NameFiles, error) {
	dir := filepath.Join(n.Dir, task)
	f := agent.NameFiles{Hosts: filepath.Join(dir, "hosts"), Resolver: filepath.Join(dir, "resolv.conf")}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return agent.NameFiles{}, err
	}
	for path, text := range map[string]string{f.Hosts: texts.Hosts, f.Resolver: texts.Resolver} {
		if err := writeOnce(path, text); err != nil {
			return agent.NameFiles{}, err
		}
	}
	_, err := os.Stat(ipv6)
	f.IPv6 = err == nil
	return f, nil
}

// writeOnce writes a file that everyone may read, unless it is there. It is there as a whole or not at all.
func writeOnce(path, text string) error {
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	draft := path + ".new" // may be there, of an attempt that was cut off
	if err := os.WriteFile(draft, []byte(text), 0o644); err != nil {
		return err
	}
	if err := os.Chmod(draft, 0o644); err != nil { // whatever the process's umask is
		return err
	}
	if err := os.Rename(draft, path); err != nil {
		return fmt.Errorf("put %s in place: %w", path, err)
	}
	return nil
}

// Remove implements agent.Names.
func (n Names) Remove(task string) error { return os.RemoveAll(filepath.Join(n.Dir, task)) }
