package provider_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"berth/internal/provider"
)

// patience is how long a test waits for what must come.
const patience = 30 * time.Second

// eventually waits until ok.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s: not within %s", what, patience)
		}
	}
}

// pids reads the process ids that a script wrote down, n of them, and ends them with the test.
func pids(t *testing.T, file string, n int) (out []int) {
	t.Helper()
	eventually(t, "process ids", func() bool {
		text, _ := os.ReadFile(file) // it is not there yet
		if bytes.Count(text, []byte("\n")) < n {
			return false
		}
		for _, f := range strings.Fields(string(text)) {
			pid, err := strconv.Atoi(f)
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, pid)
		}
		return true
	})
	t.Cleanup(func() {
		for _, pid := range out {
			if alive(pid) {
				_ = syscall.Kill(pid, syscall.SIGKILL) // it may have ended just now
			}
		}
	})
	return out
}

// alive reports whether a process runs. One that has ended and that nobody has asked for does not.
func alive(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false
	}
	_, rest, _ := bytes.Cut(stat, []byte(") "))
	return len(rest) > 0 && rest[0] != 'Z'
}

func wantGone(t *testing.T, pids []int) {
	t.Helper()
	eventually(t, fmt.Sprintf("the end of %v", pids), func() bool {
		for _, pid := range pids {
			if alive(pid) {
				return false
			}
		}
		return true
	})
}

// TestStopped: whatever a command does about it, it and what it started have ended when its call was cancelled or took too long.
func TestStopped(t *testing.T) {
	const (
		children = `sleep 60 & echo $! >>FILE; sh -c 'echo $$ >>FILE; sleep 60; :' & echo $$ >>FILE; echo working >&2; `
		deaf     = `trap '' TERM; `
	)
	for _, c := range []struct {
		name, script string
		timeout      time.Duration
		err          error
		reason       string
	}{
		{"cancelled", children + `wait`, 0, context.Canceled, "cancelled; last it said: working"},
		{"cancelled and deaf", deaf + children + `while :; do wait; done`, 0, context.Canceled, "cancelled; last it said: working"},
		{"cancelled, and says so", `trap 'echo interrupted >&2; exit 0' TERM; ` + children + `wait`, 0, context.Canceled, "cancelled; last it said: interrupted"},
		{"too long", children + `wait`, time.Second, context.DeadlineExceeded, "not done within 1s; last it said: working"},
		{"too long and deaf", deaf + children + `while :; do wait; done`, time.Second, context.DeadlineExceeded, "not done within 1s; last it said: working"},
		{"failed with children", children + `exit 1`, 0, nil, "working"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(t.TempDir(), "pids")
			p := newCommand(t, provider.Config{
				Path: "sh", Args: []string{"-c", strings.ReplaceAll(c.script, "FILE", file), "sh"}, Timeout: c.timeout, Grace: 200 * time.Millisecond})
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			done := make(chan error, 1)
			go func() { done <- p.Launch(ctx, provider.Order{ID: "m-1"}) }()
			started := pids(t, file, 3)
			if errors.Is(c.err, context.Canceled) {
				cancel()
			}
			err := <-done
			var f *provider.Failure
			if !errors.As(err, &f) || f.Reason != c.reason || c.err != nil && !errors.Is(err, c.err) {
				t.Errorf("%v, want %q", err, c.reason)
			}
			wantGone(t, started)
		})
	}
}

// TestLeftRunning: what a command leaves running when it succeeds goes on, also while it holds the command's output.
func TestLeftRunning(t *testing.T) {
	for name, redirect := range map[string]string{"holds the output": "", "does not": ">/dev/null 2>&1"} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "pids")
			p := script(t, `sleep 60 `+redirect+` & echo $! >`+file+`; echo m-1`)
			got, err := p.List(t.Context())
			if err != nil || len(got) != 1 {
				t.Errorf("%v, %v", got, err)
			}
			for _, pid := range pids(t, file, 1) {
				if !alive(pid) {
					t.Error("what it started was ended")
				}
			}
		})
	}
}

// TestMuchOutput: however much a command prints, it neither blocks nor is kept.
func TestMuchOutput(t *testing.T) {
	p := script(t, `head -c 30000000 /dev/zero; head -c 30000000 /dev/zero >&2; echo >&2; echo done >&2; [ "$BERTH_MEMBER_ID" = m-1 ]`)
	if err := p.Launch(t.Context(), provider.Order{ID: "m-1"}); err != nil {
		t.Error(err)
	}
	if err := p.Terminate(t.Context(), "m-2"); err == nil || err.Error() != "terminate member m-2: done" {
		t.Error(err)
	}
}

// TestAtOnce: only so many calls run at a time, the others wait, and one that waits can be cancelled.
func TestAtOnce(t *testing.T) {
	dir := t.TempDir()
	p := newCommand(t, provider.Config{AtOnce: 2, Path: "sh", Args: []string{"-c", `cd "$0"; touch began.$BERTH_MEMBER_ID; while [ ! -e go ]; do sleep 0.01; done`, dir}})
	began := func() int {
		names, err := filepath.Glob(filepath.Join(dir, "began.*"))
		if err != nil {
			t.Fatal(err)
		}
		return len(names)
	}
	var g errgroup.Group
	t.Cleanup(func() { _ = g.Wait() }) // of no interest where the test has failed
	for i := range 5 {
		g.Go(func() error { return p.Launch(t.Context(), provider.Order{ID: fmt.Sprintf("m-%d", i)}) })
	}
	eventually(t, "two calls", func() bool { return began() >= 2 })
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := p.Terminate(ctx, "waits"); !errors.Is(err, context.DeadlineExceeded) || began() != 2 {
		t.Errorf("%v, and %d calls run", err, began())
	}
	if err := os.WriteFile(filepath.Join(dir, "go"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := g.Wait(); err != nil {
		t.Error(err)
	}
	if began() != 5 {
		t.Errorf("%d calls ran", began())
	}
}
