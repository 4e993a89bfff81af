package main

import (
	"errors"
	"fmt"
	"net"
	"strconv"

	"golang.org/x/sys/unix"
)

// checkAddress fails unless the value of a flag is HOST:PORT with a port that can be listened on. The host may be empty.
func checkAddress(flag, address string) error {
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		return fmt.Errorf("--%s %q is not HOST:PORT", flag, address)
	}
	if n, err := strconv.Atoi(port); err != nil || n < 1 || n > 65535 {
		return fmt.Errorf("--%s %q: the port is not a number from 1 to 65535", flag, address)
	}
	return nil
}

// checkFree fails if the address of a flag cannot be listened on now.
func checkFree(flag, address string) error {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return cannotListen(flag, address, err)
	}
	return l.Close()
}

// cannotListen says which flag an address that cannot be listened on comes from, and what to do.
func cannotListen(flag, address string, err error) error {
	switch {
	case errors.Is(err, unix.EADDRINUSE):
		return fmt.Errorf("the address %s is in use by another process (%w); choose another one with --%s", address, unix.EADDRINUSE, flag)
	case errors.Is(err, unix.EADDRNOTAVAIL):
		return fmt.Errorf("%s is no address of this machine (%w); choose one with --%s", address, unix.EADDRNOTAVAIL, flag)
	}
	return fmt.Errorf("--%s %s: %w", flag, address, err)
}
