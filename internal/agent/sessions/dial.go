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

// dialTime is how long a server may take to accept a connection.
const dialTime = 10 * time.Second

// Within connects to a port as a process sees it, from its network namespace: on the loopback device where host is "", else on the host of that address or
// name, which is looked up as the process would. pid is the machine's number of it.
func Within(ctx context.Context, pid int, host string, port int32) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTime)
	defer cancel()
	address := "127.0.0.1"
	if host != "" {
		var err error
		if address, err = resolve(ctx, pid, host); err != nil {
			return nil, err
		}
	}
	return dialWithin(ctx, pid, "tcp", net.JoinHostPort(address, strconv.Itoa(int(port))))
}

// dialWithin connects to an address, which is no name: looking one up would leave the thread.
func dialWithin(ctx context.Context, pid int, network, address string) (net.Conn, error) {
	type result struct {
		conn net.Conn
		err  error
	}
	done := make(chan result, 1)
	go func() { // the thread is given up, because it is in another namespace
		runtime.LockOSThread()
		c, err := enterAndDial(ctx, pid, network, address)
		done <- result{c, err}
	}()
	r := <-done
	return r.conn, r.err
}

func enterAndDial(ctx context.Context, pid int, network, address string) (net.Conn, error) {
	ns, err := unix.Open(fmt.Sprintf("/proc/%d/ns/net", pid), unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("network namespace of process %d: %w", pid, err)
	}
	defer unix.Close(ns) //nolint:errcheck // it was only read
	if err := unix.Setns(ns, unix.CLONE_NEWNET); err != nil {
		return nil, fmt.Errorf("enter the network namespace of process %d: %w", pid, err)
	}
	var d net.Dialer
	return d.DialContext(ctx, network, address)
}
