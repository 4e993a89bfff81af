package statefile

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// InUseError says who has the directory.
type InUseError struct {
	Path  string
	Owner string // "berth agent (pid 4711)", as its owner wrote it
}

func (e *InUseError) Error() string {
	return fmt.Sprintf("%s is held by another agent, %s: stop it first, or give this one a directory of its own", e.Path, e.Owner)
}

// lock is a locked file. The kernel lets go of it when the process ends, however it does.
type lock struct{ file *os.File }

func takeLock(path string) (*lock, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the agent's lock: %w", err)
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		defer f.Close()
		if !errors.Is(err, unix.EWOULDBLOCK) {
			return nil, fmt.Errorf("lock %s: %w", path, err)
		}
		owner := "of unknown name"
		if text, err := os.ReadFile(path); err == nil && len(text) > 0 {
			owner = strings.TrimSpace(string(text))
		}
		return nil, &InUseError{path, owner}
	}
	text := fmt.Sprintf("%s (pid %d)\n", strings.Join(os.Args[:min(2, len(os.Args))], " "), os.Getpid())
	err = f.Truncate(0)
	if err == nil {
		_, err = f.WriteAt([]byte(text), 0)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("write %s: %w", path, err), f.Close())
	}
	return &lock{f}, nil
}

func (l *lock) release() error { return l.file.Close() }
