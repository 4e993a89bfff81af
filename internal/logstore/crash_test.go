package logstore

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"berth/internal/logs"
)

// TestCrashes: a disk that loses what was not flushed loses no event that was acknowledged, and numbers are not given twice.
func TestCrashes(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	fs := vfs.NewCrashableMem()
	acked := map[string]bool{}
	for round := range 5 {
		s := open(t, fs)
		var mu sync.Mutex
		var writers sync.WaitGroup
		for w := range 4 {
			name := fmt.Sprintf("s%d-%d", round, w)
			s.mustCreate(t, name)
			writers.Go(func() {
				for i := range 20 {
					message := fmt.Sprintf("%s/%d", name, i)
					if err := s.Append(t.Context(), stream(name), []logs.Event{{Time: logs.Time(i), Message: message}}, 1); err != nil {
						t.Error(err)
					}
					mu.Lock()
					acked[message] = true
					mu.Unlock()
				}
			})
		}
		writers.Wait()
		crashed := fs.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: 50, RNG: random})
		next := s.next
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		fs = crashed
		after := open(t, fs)
		checkAcked(t, after, acked)
		if after.next < next {
			t.Errorf("after the crash the next number is %d, it was %d", after.next, next)
		}
		if err := after.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// checkAcked looks for all acknowledged messages, each once.
func checkAcked(t *testing.T, s *Store, acked map[string]bool) {
	t.Helper()
	found := map[string]int{}
	for e, err := range s.Events(t.Context(), logs.Query{Group: group}) {
		if err != nil {
			t.Fatal(err)
		}
		found[e.Message]++
	}
	for message := range acked {
		if found[message] != 1 {
			t.Errorf("%s is there %d times", message, found[message])
		}
	}
}

// TestKilled: a process that writes is killed, three times, and what it said it had written is there.
func TestKilled(t *testing.T) {
	dir := t.TempDir()
	acked := map[string]bool{}
	for round := range 3 {
		for _, message := range killWriter(t, dir, round) {
			acked[message] = true
		}
		if len(acked) == 0 {
			t.Fatal("nothing was acknowledged")
		}
		s, err := Open(Config{Dir: filepath.Join(dir, "logs"), MinFree: 1})
		if err != nil {
			t.Fatal(err)
		}
		checkAcked(t, s, acked)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// killWriter runs TestWriter in a process of its own, kills it when it has acknowledged some hundred messages, and returns those.
func killWriter(t *testing.T, dir string, round int) (acked []string) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel() // kills it
	cmd := exec.CommandContext(ctx, os.Args[0], "-test.run=^TestWriter$")
	cmd.Env = append(os.Environ(), "LOGSTORE_DIR="+dir, fmt.Sprintf("LOGSTORE_ROUND=%d", round))
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		message, is := strings.CutPrefix(lines.Text(), "acked ")
		if is {
			acked = append(acked, message)
		}
		if len(acked) == 300 {
			cancel()
		}
	}
	if err := cmd.Wait(); err == nil && len(acked) < 300 {
		t.Fatalf("the writer ended by itself after %d", len(acked))
	}
	return acked
}

// TestWriter is the process that TestKilled kills.
func TestWriter(t *testing.T) {
	dir := os.Getenv("LOGSTORE_DIR")
	if dir == "" {
		t.Skip("TestKilled runs it")
	}
	s, err := Open(Config{Dir: filepath.Join(dir, "logs"), MinFree: 1})
	if err != nil {
		t.Fatal(err)
	}
	var writers sync.WaitGroup
	for w := range 8 {
		name := stream(fmt.Sprintf("s%s-%d", os.Getenv("LOGSTORE_ROUND"), w))
		if err := s.Create(t.Context(), name, 1); err != nil {
			t.Fatal(err)
		}
		writers.Go(func() {
			for i := 0; ; i++ {
				message := fmt.Sprintf("%s/%d", name.Name, i)
				if err := s.Append(t.Context(), name, []logs.Event{{Time: logs.Time(i), Message: message}}, 1); err != nil {
					t.Error(err)
					return
				}
				fmt.Println("acked " + message)
			}
		})
	}
	writers.Wait()
}

func TestFull(t *testing.T) {
	s := opened(t)
	s.mustCreate(t, "a")
	s.config.MaxBytes = 1
	s.written = lookAfter
	if err := s.Append(t.Context(), stream("a"), parse(t, "1 x"), 1); !errors.Is(err, logs.ErrFull) {
		t.Errorf("a full store answers %v", err)
	}
	if err := s.Create(t.Context(), stream("b"), 1); !errors.Is(err, logs.ErrFull) || !s.Full() {
		t.Errorf("a full store answers %v", err)
	}
	if err := s.Drop(t.Context(), logs.Span{Group: group, Stream: "a"}); err != nil {
		t.Errorf("what makes room is refused: %v", err)
	}
	if n := len(texts(t, s.Events(t.Context(), logs.Query{Group: group}))); n != 0 {
		t.Errorf("%d events are there", n)
	}
}

func TestClosed(t *testing.T) {
	s := open(t, vfs.NewMem())
	s.mustCreate(t, "a")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := s.Append(t.Context(), stream("a"), parse(t, "1 x"), 1); !errors.Is(err, errClosed) {
		t.Errorf("append: %v", err)
	}
	for _, err := range s.Events(t.Context(), logs.Query{Group: group}) {
		if !errors.Is(err, errClosed) {
			t.Errorf("events: %v", err)
		}
	}
	if _, err := s.Groups(t.Context()); !errors.Is(err, errClosed) {
		t.Errorf("groups: %v", err)
	}
	if _, err := s.Stored(group); !errors.Is(err, errClosed) || s.Size() != 0 {
		t.Errorf("stored: %v", err)
	}
}
