// Command client is the aws of tests: it hands what it was called with to the CLI's fork server beside it, and ends with the call's status. It is
// started for each call, and so has no package that it can do without.
package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

func main() {
	status, err := call()
	if err != nil {
		fmt.Fprintf(os.Stderr, "aws: the fork server of the CLI: %v\n", err)
		status = 255
	}
	os.Exit(status)
}

// call has the server run this call, on the files that this process has, and returns its status. The end of this process is the end of the call.
func call() (int, error) {
	me, err := os.Executable()
	if err != nil {
		return 0, err
	}
	folder, err := os.Getwd()
	if err != nil {
		return 0, err
	}
	socket, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, fmt.Errorf("socket: %w", err)
	}
	if err := syscall.Connect(socket, &syscall.SockaddrUnix{Name: filepath.Join(filepath.Dir(me), "socket")}); err != nil {
		return 0, fmt.Errorf("connect: %w", err)
	}
	body := request(folder)
	head := binary.BigEndian.AppendUint32(nil, uint32(len(body)))
	if err := syscall.Sendmsg(socket, head, syscall.UnixRights(0, 1, 2), nil, 0); err != nil {
		return 0, fmt.Errorf("send: %w", err)
	}
	connection := os.NewFile(uintptr(socket), "socket")
	if _, err := connection.Write(body); err != nil {
		return 0, err
	}
	status := make([]byte, 1)
	if _, err := connection.Read(status); err != nil {
		return 0, errors.Join(errors.New("it has ended before the call"), err)
	}
	return int(status[0]), nil
}

// request is the folder, the number of arguments, the arguments and the environment, each ended by a zero byte.
func request(folder string) []byte {
	parts := append([]string{folder, strconv.Itoa(len(os.Args) - 1)}, os.Args[1:]...)
	parts = append(parts, os.Environ()...)
	return []byte(strings.Join(parts, "\x00") + "\x00")
}
