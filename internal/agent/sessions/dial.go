package sessions

import (
	"context"
	"fmt"
	"net"
	"runtime"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// dialTime is how long a server in a container may take to accept a connection.
const dialTime = 10 * time.Second

// Within connects to a port of this machine as a process sees it: on the loopback device of its network namespace. pid is the machine's number of it.
func Within(ctx context.Context, pid int, port int32) (conn net.Conn, err error) {
	type result struct {
		conn net.Conn
		err  error
	}
	done := make(chan result, 1)
	go func() { // the thread is given up, because it is in another namespace
		runtime.LockOSThread()
		c, err := within(ctx, pid, port)
		done <- result{c, err}
	}()
	r := <-done
	return r.conn, r.err
}

func within(ctx context.Context, pid int, port int32) (net.Conn, error) {
	ns, err := unix.Open(fmt.Sprintf("/proc/%d/ns/net", pid), unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("network namespace of process %d: %w", pid, err)
	}
	defer unix.Close(ns) //nolint:errcheck // it was only read
	if err := unix.Setns(ns, unix.CLONE_NEWNET); err != nil {
		return nil, fmt.Errorf("enter the network namespace of process %d: %w", pid, err)
	}
	d := net.Dialer{Timeout: dialTime}
	return d.DialContext(ctx, "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(int(port))))
}
