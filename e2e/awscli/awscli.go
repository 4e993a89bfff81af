// Package awscli makes calls of the installed aws CLI cheap for tests. Most of such a call's time goes into what every call does again: a version
// manager's shim, a hundred imports, the models of services. Here one process of the CLI's own interpreter does that once, and each call is a copy of it
// (server.py). What runs is the CLI as it is installed. Where it cannot be had so (a CLI that is one program, as version 2 from AWS is), its calls are its own.
package awscli

import (
	"bufio"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

//go:embed server.py
var server string

//go:embed which.py
var which string

// limit is how long the CLI may take to be ready.
const limit = time.Minute

// CLI is the aws CLI for the tests of a package, which close it when all have run. The zero value is ready, and starts what it needs at the first call.
type CLI struct {
	// Delay, if it is not zero, is how long the CLI's waiters wait between two looks, instead of their 6 or 15 seconds. They give up as late as ever.
	Delay time.Duration

	mu     sync.Mutex
	path   string
	dir    string
	server *exec.Cmd
	said   strings.Builder // by the server, of what went wrong
	alive  io.Closer       // the server ends when this is closed, or this process ends in any way
}

// Tests are those of a package that call the CLI, for its TestMain. It is closed when they have run.
type Tests struct {
	*testing.M
	CLI *CLI
}

// Run runs the tests, and returns their exit code.
func (t Tests) Run() int {
	code := t.M.Run()
	if err := t.CLI.Close(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}

// Path is the path of a program that is the aws CLI.
func (c *CLI) Path(t testing.TB) string {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.path != "" {
		return c.path
	}
	installed, err := exec.LookPath("aws")
	if err != nil {
		t.Fatalf("the aws CLI is missing (make deps installs it): %v", err)
	}
	if err := c.start(installed); err != nil {
		t.Logf("each call of %s starts it anew: %v", installed, err)
		if err := c.end(); err != nil {
			t.Fatal(err)
		}
		c.path = installed
		return c.path
	}
	c.path = filepath.Join(c.dir, "aws")
	return c.path
}

// Close ends the server with all calls, and removes its files.
func (c *CLI) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.path = ""
	return c.end()
}

func (c *CLI) end() error {
	var err error
	if c.server != nil {
		c.alive.Close() //nolint:errcheck // it tells by its end
		if err = c.server.Wait(); err != nil {
			err = fmt.Errorf("the fork server of the aws CLI: %w\n%s", err, c.said.String())
		}
		c.server = nil
	}
	if c.dir != "" {
		err = errors.Join(err, os.RemoveAll(c.dir))
		c.dir = ""
	}
	return err
}

// start makes a folder with the client, as "aws", and a server of the installed CLI that is ready.
func (c *CLI) start(installed string) (err error) {
	if c.dir, err = os.MkdirTemp("", "berth-aws"); err != nil {
		return err
	}
	for name, text := range map[string]string{"server.py": server, "sitecustomize.py": which} {
		if err := os.WriteFile(filepath.Join(c.dir, name), []byte(text), 0o644); err != nil {
			return err
		}
	}
	interpreter, script, err := behind(installed, c.dir)
	if err != nil {
		return err
	}
	build := exec.Command("go", "build", "-o", filepath.Join(c.dir, "aws"), "berth/e2e/awscli/client")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("build the client: %w\n%s", err, out)
	}
	return c.serve(interpreter, script)
}

// behind is the interpreter, with its flags, and the script that run when a program is called, which may be the script itself or a version manager's shim.
// The interpreter is asked, by a module in dir that each Python takes for its site's; one that takes none is an error.
func behind(program, dir string) (interpreter []string, script string, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, "--version")
	cmd.Env = append(os.Environ(), "PYTHONPATH="+dir)
	out, err := cmd.Output()
	if err != nil {
		return nil, "", fmt.Errorf("%s --version: %w", program, err)
	}
	line := strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00")
	if n := len(line); n < 3 || line[n-1] != "--version" {
		return nil, "", fmt.Errorf("%s is no script of a Python", program)
	}
	return line[:len(line)-2], line[len(line)-2], nil
}

// serve starts the server and waits until it is ready.
func (c *CLI) serve(interpreter []string, script string) error {
	delay := strconv.FormatFloat(c.Delay.Seconds(), 'f', -1, 64)
	args := append(interpreter[1:], filepath.Join(c.dir, "server.py"), filepath.Join(c.dir, "socket"), script, delay)
	cmd := exec.Command(interpreter[0], args...)
	cmd.Stderr = &c.said
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // Ctrl-C is not for it
	alive, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	late := time.AfterFunc(limit, func() { _ = cmd.Process.Kill() }) // it may have ended
	word, err := bufio.NewReader(out).ReadString('\n')
	if late.Stop() && err == nil && word == "ready\n" {
		c.server, c.alive = cmd, alive
		return nil
	}
	_ = cmd.Process.Kill() // it may have ended
	return fmt.Errorf("its fork server did not come up: %w\n%s", cmd.Wait(), c.said.String())
}
