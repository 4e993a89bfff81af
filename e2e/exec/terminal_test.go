package exec

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// terminal is a program on a terminal of its own.
type terminal struct {
	t    *testing.T
	main *os.File
	done chan error
	kill func()

	mu    sync.Mutex
	shown string
}

// run starts a program on a terminal, and ends it with the test.
func run(t *testing.T, c *exec.Cmd, cols, rows uint16) *terminal {
	t.Helper()
	main, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetPointerInt(int(main.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(int(main.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	side, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer side.Close()
	x := &terminal{t: t, main: main, done: make(chan error, 1)}
	x.resize(cols, rows)
	c.Stdin, c.Stdout, c.Stderr = side, side, side
	c.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true, Pdeathsig: syscall.SIGKILL}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	var reading sync.WaitGroup
	reading.Go(x.read)
	x.kill = func() { c.Process.Kill() } //nolint:errcheck // it may have ended
	ended := make(chan struct{})
	go func() { x.done <- c.Wait(); close(ended) }()
	t.Cleanup(func() {
		x.kill()
		<-ended
		main.Close()
		reading.Wait()
	})
	return x
}

func (x *terminal) read() {
	b := make([]byte, 4096)
	for {
		n, err := x.main.Read(b)
		x.mu.Lock()
		x.shown += string(b[:n])
		x.mu.Unlock()
		if err != nil { // nobody has the other side any more
			return
		}
	}
}

func (x *terminal) screen() string {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.shown
}

func (x *terminal) resize(cols, rows uint16) {
	x.t.Helper()
	if err := unix.IoctlSetWinsize(int(x.main.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: rows, Col: cols}); err != nil {
		x.t.Fatal(err)
	}
}

func (x *terminal) types(text string) {
	x.t.Helper()
	if _, err := x.main.WriteString(text); err != nil {
		x.t.Fatal(err)
	}
}

// sees waits until a text is shown.
func (x *terminal) sees(text string) {
	x.t.Helper()
	for range 600 {
		if strings.Contains(x.screen(), text) {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	x.t.Fatalf("%q is not shown after half a minute:\n%s", text, x.screen())
}

// ends waits until the program has ended.
func (x *terminal) ends() error {
	x.t.Helper()
	select {
	case err := <-x.done:
		return err
	case <-time.After(30 * time.Second):
		x.t.Fatalf("it does not end:\n%s", x.screen())
		return nil
	}
}
