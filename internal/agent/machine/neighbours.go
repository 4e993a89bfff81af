package machine

import (
	"bufio"
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Neighbour is a process that listens where agents do.
type Neighbour struct {
	Port int
	PID  int    // 0 where it cannot be told
	Name string // its command
}

func (n Neighbour) String() string {
	if n.PID == 0 {
		return fmt.Sprintf("port %d is held by a process that cannot be told", n.Port)
	}
	return fmt.Sprintf("port %d is held by %s (pid %d)", n.Port, n.Name, n.PID)
}

// Neighbours finds who listens on any of the ports, TCP over IPv4 or IPv6. proc is usually /proc.
func Neighbours(proc string, ports ...int) (list []Neighbour, err error) {
	inodes := map[string]int{} // of sockets -> port
	for _, name := range []string{"net/tcp", "net/tcp6"} {
		text, err := os.ReadFile(filepath.Join(proc, name))
		if os.IsNotExist(err) { // no IPv6
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("look who listens: %w", err)
		}
		listeners(text, ports, inodes)
	}
	if len(inodes) == 0 {
		return nil, nil
	}
	found, err := owners(proc, inodes)
	if err != nil {
		return nil, err
	}
	for inode, port := range inodes {
		if n, ok := found[inode]; ok {
			list = append(list, n)
		} else {
			list = append(list, Neighbour{Port: port})
		}
	}
	return list, nil
}

// listeners reads the kernel's table of sockets: "sl local_address rem_address st ... inode", addresses in hexadecimal, state 0A listening.
func listeners(text []byte, ports []int, inodes map[string]int) {
	for s := bufio.NewScanner(bytes.NewReader(text)); s.Scan(); {
		f := strings.Fields(s.Text())
		if len(f) < 10 || f[3] != "0A" {
			continue
		}
		_, hex, _ := strings.Cut(f[1], ":")
		n, err := strconv.ParseUint(hex, 16, 16)
		for _, p := range ports {
			if err == nil && int(n) == p {
				inodes[f[9]] = p
			}
		}
	}
}

// owners finds the processes that have the sockets open. Those that may not be looked into are passed over.
func owners(proc string, inodes map[string]int) (map[string]Neighbour, error) {
	found := map[string]Neighbour{}
	processes, err := fs.Glob(os.DirFS(proc), "[0-9]*")
	if err != nil {
		return nil, fmt.Errorf("look who listens: %w", err)
	}
	for _, p := range processes {
		pid, err := strconv.Atoi(p)
		if err != nil {
			continue
		}
		files, err := os.ReadDir(filepath.Join(proc, p, "fd"))
		if err != nil {
			continue
		}
		for _, f := range files {
			target, err := os.Readlink(filepath.Join(proc, p, "fd", f.Name()))
			inode, ok := strings.CutPrefix(target, "socket:[")
			if err != nil || !ok {
				continue
			}
			inode = strings.TrimSuffix(inode, "]")
			if port, ok := inodes[inode]; ok {
				found[inode] = Neighbour{Port: port, PID: pid, Name: command(proc, p)}
			}
		}
	}
	return found, nil
}

func command(proc, pid string) string {
	text, err := os.ReadFile(filepath.Join(proc, pid, "cmdline"))
	if err != nil || len(text) == 0 {
		return "?"
	}
	words := strings.Split(strings.TrimRight(string(text), "\x00"), "\x00")
	return strings.Join(words[:min(3, len(words))], " ")
}
