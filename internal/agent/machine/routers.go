package machine

import (
	"fmt"
	"os"
	"path/filepath"

	"berth/internal/agent"
)

// Routers keeps the files of tasks' log routers below a directory. It implements agent.Routers.
type Routers struct{ Dir string }

// longestSocket is how long the path of a unix socket may be.
const longestSocket = 107

// Files implements agent.Routers.
func (r Routers) Files(task string) agent.RouterFiles {
	dir := filepath.Join(r.Dir, task)
	return agent.RouterFiles{Config: filepath.Join(dir, "router.conf"), Socket: filepath.Join(dir, "run")}
}

// Prepare implements agent.Routers. What an attempt that was cut off has left is written over.
func (r Routers) Prepare(task string, config []byte) error {
	f := r.Files(task)
	if n := len(f.Socket + "/fluent.sock"); n > longestSocket {
		return fmt.Errorf("the path of the log router's socket in %s is %d bytes long, of at most %d", f.Socket, n, longestSocket)
	}
	if err := os.MkdirAll(filepath.Dir(f.Config), 0o700); err != nil {
		return err
	}
	if err := os.MkdirAll(f.Socket, 0o700); err != nil {
		return err
	}
	if err := os.Chmod(f.Socket, 0o777); err != nil { // the router's user makes its socket in it; the directory above keeps others out
		return err
	}
	return os.WriteFile(f.Config, config, 0o644)
}

// Remove implements agent.Routers.
func (r Routers) Remove(task string) error { return os.RemoveAll(filepath.Join(r.Dir, task)) }
