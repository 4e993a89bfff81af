package awscli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// limitOfTest ends what a test waits for in vain.
const limitOfTest = 2 * time.Minute

// call is one of a program: what it printed, what it said of errors, and its status.
type call struct {
	out, said string
	status    int
}

// run calls a program in a folder, with what it reads and an environment that says nothing of AWS but what is given.
func run(t *testing.T, program, dir, input string, env []string, args ...string) call {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limitOfTest)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir, cmd.Stdin = dir, strings.NewReader(input)
	cmd.Env = append(clean(), env...)
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	err := cmd.Run()
	var ended *exec.ExitError
	if err != nil && !errors.As(err, &ended) {
		t.Fatal(err)
	}
	return call{out.String(), said.String(), cmd.ProcessState.ExitCode()}
}

// clean is the test's environment without what it says of AWS.
func clean() (env []string) {
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "AWS_") {
			env = append(env, v)
		}
	}
	return append(env, "AWS_CONFIG_FILE=/dev/null", "AWS_SHARED_CREDENTIALS_FILE=/dev/null", "AWS_EC2_METADATA_DISABLED=true")
}

// open is a CLI with a fork server, which the installed one must be able to have. It is closed at the test's end.
func open(t *testing.T, c *CLI) string {
	t.Helper()
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	path := c.Path(t)
	if c.server == nil {
		t.Skip("the installed CLI has calls of its own only")
	}
	return path
}

var keys = []string{"AWS_ACCESS_KEY_ID=x", "AWS_SECRET_ACCESS_KEY=x", "AWS_DEFAULT_REGION=eu-west-1"}

// A call is as one of the installed CLI, whatever it is called with.
func TestSame(t *testing.T) {
	ours := open(t, &CLI{})
	theirs, err := exec.LookPath("aws")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name, text := range map[string]string{"in.json": `{"cluster": "über"}`, "config": "[profile p]\nregion = xx-north-1\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || !bytes.Contains(body, []byte("cluster")) {
			w.WriteHeader(http.StatusBadRequest)
			io.WriteString(w, `{"__type": "ClientException", "message": "no cluster"}`) //nolint:errcheck // the client tells
			return
		}
		io.WriteString(w, `{"taskArns": ["a", "b"]}`) //nolint:errcheck // the client tells
	}))
	t.Cleanup(api.Close)
	for name, c := range map[string]struct {
		args   []string
		env    []string
		input  string
		out    string
		status int
	}{
		"version":    {args: []string{"--version"}, out: "aws-cli/"},
		"usage":      {args: []string{"ecs", "wait", "nothing"}, status: 252},
		"no region":  {args: []string{"ecs", "list-tasks"}, status: 253},
		"region":     {args: []string{"configure", "get", "region", "--profile", "p"}, env: []string{"AWS_CONFIG_FILE=config"}, out: "xx-north-1\n"},
		"wrong file": {args: []string{"ecs", "list-tasks", "--cli-input-json", "file://none.json"}, env: keys, status: 255},
		"a file":     {args: []string{"ecs", "list-tasks", "--cli-input-json", "file://in.json", "--endpoint-url", api.URL}, env: keys, out: `"b"`},
		"text":       {args: []string{"ecs", "list-tasks", "--cluster", "c", "--endpoint-url", api.URL, "--output", "text"}, env: keys, out: "TASKARNS\ta\n"},
		"query":      {args: []string{"ecs", "list-tasks", "--cluster", "ü", "--endpoint-url", api.URL, "--query", "length(taskArns)"}, env: keys, out: "2\n"},
		"format":     {args: []string{"ecs", "list-tasks", "--cluster", "c", "--endpoint-url", api.URL}, env: append(keys, "AWS_DEFAULT_OUTPUT=text"), out: "TASKARNS\tb\n"},
		"error":      {args: []string{"ecs", "list-tasks", "--endpoint-url", api.URL}, env: keys, status: 254},
		"standard input": {args: []string{"configure", "--profile", "q"}, env: []string{"AWS_CONFIG_FILE=" + dir + "/new", "AWS_SHARED_CREDENTIALS_FILE=" + dir + "/new"},
			input: "\n\n\n\n", out: "region name"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, want := run(t, ours, dir, c.input, c.env, c.args...), run(t, theirs, dir, c.input, c.env, c.args...)
			if got != want {
				t.Errorf("by the fork server: %+v\nby itself:          %+v", got, want)
			}
			if !strings.Contains(got.out, c.out) {
				t.Errorf("%+v, want %q in what it prints", got, c.out)
			}
			if (got.status == 0) != (c.status == 0) {
				t.Errorf("%+v, want status %d", got, c.status)
			}
		})
	}
}

// hold is an API that answers nothing, and tells of requests and of their clients' ends.
func hold(t *testing.T) (url string, begun, ended chan struct{}) {
	begun, ended = make(chan struct{}, 1), make(chan struct{}, 1)
	api := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // the end is only seen behind it
		begun <- struct{}{}
		<-r.Context().Done()
		ended <- struct{}{}
	}))
	t.Cleanup(api.Close)
	return api.URL, begun, ended
}

func within(t *testing.T, c chan struct{}, what string) {
	t.Helper()
	select {
	case <-c:
	case <-time.After(limitOfTest):
		t.Fatalf("%s has not come", what)
	}
}

// A call ends with whoever called.
func TestKilled(t *testing.T) {
	path := open(t, &CLI{})
	url, begun, ended := hold(t)
	cmd := exec.Command(path, "ecs", "list-tasks", "--cli-read-timeout", "0", "--endpoint-url", url)
	cmd.Env = append(clean(), keys...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	within(t, begun, "the request")
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // it was killed
	within(t, ended, "the end of the call")
	if got := run(t, path, "", "", nil, "--version"); got.status != 0 {
		t.Errorf("after that, a call is %+v", got)
	}
}

// Calls end with the server, and nothing of it is left.
func TestClosed(t *testing.T) {
	c := &CLI{}
	path := open(t, c)
	url, begun, ended := hold(t)
	cmd := exec.Command(path, "ecs", "list-tasks", "--cli-read-timeout", "0", "--endpoint-url", url)
	cmd.Env = append(clean(), keys...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	within(t, begun, "the request")
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err == nil {
		t.Error("the call succeeded")
	}
	within(t, ended, "the end of the call")
	if _, err := os.Stat(filepath.Dir(path)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the folder is left: %v", err)
	}
}

// tasks is an API whose only task is PENDING when it is asked about so many times, and then RUNNING.
func tasks(t *testing.T, pending int64) (url string) {
	var asked atomic.Int64
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		status := "PENDING"
		if asked.Add(1) > pending {
			status = "RUNNING"
		}
		fmt.Fprintf(w, `{"tasks": [{"lastStatus": %q}], "failures": []}`, status) //nolint:errcheck // the client tells
	}))
	t.Cleanup(api.Close)
	return api.URL
}

// Waiters look as often as they are told: by their own clock, these looks would take longer than the test may.
func TestDelay(t *testing.T) {
	path := open(t, &CLI{Delay: 10 * time.Millisecond})
	got := run(t, path, "", "", keys, "ecs", "wait", "tasks-running", "--tasks", "t", "--endpoint-url", tasks(t, 50))
	if got.status != 0 {
		t.Errorf("the waiter: %+v", got)
	}
}

// They wait as long in all: one that may look once in all its time gives up after that.
func TestLongDelay(t *testing.T) {
	path := open(t, &CLI{Delay: 10 * time.Minute})
	got := run(t, path, "", "", keys, "ecs", "wait", "tasks-running", "--tasks", "t", "--endpoint-url", tasks(t, 1))
	if got.status != 255 || !strings.Contains(got.said, "Max attempts exceeded") {
		t.Errorf("the waiter: %+v", got)
	}
}

// A CLI that is no script of a Python is called as it is, and so is one whose Python does not know it.
func TestWithoutServer(t *testing.T) {
	for name, text := range map[string]string{
		"a program":  "#!/bin/sh\necho aws-cli/2.0.0\n",
		"broken":     "#!/bin/sh\nexit 1\n",
		"a stranger": "#!/usr/bin/env python3\nimport awscli.nowhere\n",
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			program := filepath.Join(dir, "aws")
			if err := os.WriteFile(program, []byte(text), 0o755); err != nil {
				t.Fatal(err)
			}
			t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
			t.Setenv("TMPDIR", t.TempDir())
			c := &CLI{}
			if got := c.Path(t); got != program {
				t.Errorf("the CLI is %s", got)
			}
			if err := c.Close(); err != nil {
				t.Error(err)
			}
			if left, err := os.ReadDir(os.Getenv("TMPDIR")); err != nil || len(left) > 0 {
				t.Errorf("%v is left, %v", left, err)
			}
		})
	}
}
