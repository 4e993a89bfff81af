// Command router is a log router for tests: it takes messages of the Forward protocol from a unix socket, as Fluent Bit does, and writes each
// one's tag and log line into a file. It starts only where it is given a configuration.
package main

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
)

func main() {
	if err := run("/fluent-bit/etc/fluent-bit.conf", "/var/run/fluent.sock", "/out/lines"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(config, socket, out string) error {
	text, err := os.ReadFile(config)
	if err != nil || !strings.Contains(string(text), "unix_path "+socket) {
		return fmt.Errorf("configuration %q, %v", text, err)
	}
	f, err := os.OpenFile(out, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	l, err := net.Listen("unix", socket)
	if err != nil {
		return err
	}
	for {
		c, err := l.Accept()
		if err != nil {
			return err
		}
		go func() {
			defer c.Close()
			r := bufio.NewReader(c)
			for {
				v, err := read(r)
				if err != nil {
					return
				}
				m, ok := v.([]any) // tag, time, record
				if !ok || len(m) < 3 {
					fmt.Fprintf(f, "not a message: %v\n", v)
					continue
				}
				record, _ := m[2].(map[string]any)
				fmt.Fprintf(f, "%v %v\n", m[0], record["log"])
			}
		}()
	}
}

// read reads one value of MessagePack; numbers and extensions are skipped over.
func read(r *bufio.Reader) (any, error) {
	b, err := r.ReadByte()
	if err != nil {
		return nil, err
	}
	switch {
	case b < 0x80 || b >= 0xe0:
		return int64(int8(b)), nil
	case b < 0x90:
		return dict(r, int(b&0xf))
	case b < 0xa0:
		return list(r, int(b&0xf))
	case b < 0xc0:
		return text(r, int(b&0x1f))
	}
	switch b {
	case 0xc0, 0xc2, 0xc3:
		return nil, nil
	case 0xc4, 0xd9:
		return sized(r, 1, text)
	case 0xc5, 0xda:
		return sized(r, 2, text)
	case 0xc6, 0xdb:
		return sized(r, 4, text)
	case 0xcc, 0xd0:
		return text(r, 1)
	case 0xcd, 0xd1:
		return text(r, 2)
	case 0xce, 0xd2, 0xca:
		return text(r, 4)
	case 0xcf, 0xd3, 0xcb:
		return text(r, 8)
	case 0xd7: // EventTime
		return text(r, 9)
	case 0xdc:
		return sized(r, 2, list)
	case 0xde:
		return sized(r, 2, dict)
	}
	return nil, fmt.Errorf("MessagePack %#x", b)
}

func sized[T any](r *bufio.Reader, width int, read func(*bufio.Reader, int) (T, error)) (any, error) {
	var b [4]byte
	if _, err := io.ReadFull(r, b[4-width:]); err != nil {
		return nil, err
	}
	return read(r, int(binary.BigEndian.Uint32(b[:])))
}

func text(r *bufio.Reader, n int) (string, error) {
	b := make([]byte, n)
	_, err := io.ReadFull(r, b)
	return string(b), err
}

func list(r *bufio.Reader, n int) (out []any, err error) {
	for range n {
		v, err := read(r)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, nil
}

func dict(r *bufio.Reader, n int) (map[string]any, error) {
	out := map[string]any{}
	for range n {
		k, err := read(r)
		if err != nil {
			return nil, err
		}
		if out[fmt.Sprint(k)], err = read(r); err != nil {
			return nil, err
		}
	}
	return out, nil
}
