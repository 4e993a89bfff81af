package docker_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/moby/moby/api/types/container"

	"berth/internal/agent"
	"berth/internal/agent/docker"
)

// runLogging runs a container whose log the engine keeps in files of the size that is asked for, and removes it when the test ends.
func runLogging(t *testing.T, e *docker.Engine, terminal bool, script string) string {
	t.Helper()
	id, err := e.Create(t.Context(), agent.Spec{
		Name:   fmt.Sprintf("%s-logs-%d", installation(), time.Now().UnixNano()),
		Config: &container.Config{Image: busybox, Cmd: []string{"/bin/sh", "-c", script}, Tty: terminal},
		HostConfig: &container.HostConfig{NetworkMode: "none", LogConfig: container.LogConfig{Type: "json-file", Config: map[string]string{
			"max-size": "20m", "max-file": "2"}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		if err := e.Remove(ctx, id); err != nil {
			t.Error(err)
		}
	})
	if err := e.Start(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	return id
}

// read reads a log to its end; where stop is not nil, until it says so.
func read(t *testing.T, e *docker.Engine, id string, since time.Time, stop func(line string) bool) (lines []agent.LogLine) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	enough := errors.New("enough")
	err := e.Lines(ctx, id, since, func(l agent.LogLine) error {
		lines = append(lines, agent.LogLine{At: l.At, Text: slices.Clone(l.Text)})
		if stop != nil && stop(string(l.Text)) {
			return enough
		}
		return nil
	})
	if err != nil && !errors.Is(err, enough) {
		t.Fatal(err)
	}
	return lines
}

func texts(lines []agent.LogLine) (out []string) {
	for _, l := range lines {
		out = append(out, string(l.Text))
	}
	return out
}

// TestLogLines: what a container writes is read as it is written, from a line on, and to its end.
func TestLogLines(t *testing.T) {
	e := open(t)
	id := runLogging(t, e, false, `echo one; echo two >&2; /bin/sleep 2; echo three; printf four`)
	begun := texts(read(t, e, id, time.Time{}, func(string) bool { return true }))
	if len(begun) != 1 || begun[0] != "one" && begun[0] != "two" {
		t.Errorf("while it runs: %q", begun)
	}
	all := read(t, e, id, time.Time{}, nil)
	got := texts(all)
	slices.Sort(got[:min(2, len(got))]) // of two streams
	if want := []string{"one", "two", "three", "four"}; !slices.Equal(got, want) {
		t.Fatalf("read %q", got)
	}
	if again := texts(read(t, e, id, all[2].At, nil)); !slices.Equal(again, []string{"three", "four"}) {
		t.Errorf("from the third on: %q", again)
	}
}

func TestLogLinesOfATerminal(t *testing.T) {
	e := open(t)
	id := runLogging(t, e, true, `echo one; echo two`)
	if got := texts(read(t, e, id, time.Time{}, nil)); !slices.Equal(got, []string{"one", "two"}) {
		t.Errorf("read %q", got)
	}
}

// TestLongLogLine: a line that the engine keeps in pieces is one.
func TestLongLogLine(t *testing.T) {
	e := open(t)
	id := runLogging(t, e, false, `x=0123456789; for i in 1 2 3 4 5 6 7 8 9 10 11 12; do x=$x$x; done; echo $x; echo end`)
	got := texts(read(t, e, id, time.Time{}, nil))
	if len(got) != 2 || got[0] != strings.Repeat("0123456789", 4096) || got[1] != "end" {
		t.Errorf("read %d lines, the first of %d bytes", len(got), len(got[0]))
	}
}

func TestLogLinesOfNobody(t *testing.T) {
	e := open(t)
	if err := e.Lines(t.Context(), "nobody", time.Time{}, func(agent.LogLine) error { return nil }); !errors.Is(err, agent.ErrNotFound) {
		t.Errorf("a container that is not there: %v", err)
	}
}
