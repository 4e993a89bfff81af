package etcd

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"berth/internal/ecs"
	"berth/internal/state"
)

func lead(t *testing.T, b *Backend) *Term {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	term, err := b.Campaign(ctx, "here")
	if err != nil {
		t.Fatal(err)
	}
	return term.(*Term)
}

func put(key string, size int) state.Write {
	return state.Write{Kind: ecs.KindTask, Key: key, Value: []byte(strings.Repeat("v", size))}
}

func commit(t *testing.T, term *Term, n uint64, writes ...state.Write) {
	t.Helper()
	if err := term.Commit(t.Context(), n, writes); err != nil {
		t.Fatal(err)
	}
}

func keys(t *testing.T, b *Backend) (names []string, m state.Mark) {
	t.Helper()
	m, err := b.Load(t.Context(), func(w state.Write) error {
		names = append(names, w.Key)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return names, m
}

func TestConfigIsChecked(t *testing.T) {
	for _, c := range []Config{{}, {Dir: "x", Endpoints: []string{"http://127.0.0.1:1"}}} {
		if b, err := Open(t.Context(), c); err == nil {
			closeTest(t, b)
			t.Errorf("opened with %+v", c)
		}
	}
}

func TestUnreachableCluster(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if b, err := Open(ctx, Config{Endpoints: []string{"http://" + freePort(t)}}); err == nil {
		closeTest(t, b)
		t.Error("opened where nobody listens")
	}
}

// TestListensNowhere looks at this process's sockets: the embedded server opens none.
func TestListensNowhere(t *testing.T) {
	before := listeners(t)
	b := openTest(t, Config{Dir: t.TempDir()})
	commit(t, lead(t, b), 1, put("k", 1))
	if now := listeners(t); now != before {
		t.Errorf("this process listens on:\n%s\nand before on:\n%s", now, before)
	}
}

// listeners are the sockets of this process that listen on TCP.
func listeners(t *testing.T) string {
	t.Helper()
	open := map[string]bool{}
	fds, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	for _, fd := range fds {
		if to, err := os.Readlink("/proc/self/fd/" + fd.Name()); err == nil { // some are closed meanwhile
			open[strings.Trim(strings.TrimPrefix(to, "socket:"), "[]")] = true
		}
	}
	var found strings.Builder
	for _, table := range []string{"/proc/self/net/tcp", "/proc/self/net/tcp6"} {
		f, err := os.Open(table)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		for lines := bufio.NewScanner(f); lines.Scan(); {
			if c := strings.Fields(lines.Text()); len(c) > 9 && c[3] == "0A" && open[c[9]] {
				fmt.Fprintln(&found, c[1])
			}
		}
		f.Close()
	}
	return found.String()
}

func TestSocket(t *testing.T) {
	dir, err := os.MkdirTemp("", "s") // a socket's path has at most 107 bytes
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	socket := filepath.Join(dir, "etcd.sock")
	b := openTest(t, Config{Dir: dir, Socket: socket})
	commit(t, lead(t, b), 1, put("k", 1))
	s, err := os.Stat(socket)
	if err != nil || s.Mode() != fs.ModeSocket|0o700 {
		t.Fatalf("socket: %v, %v", s, err)
	}
	other := openTest(t, Config{Endpoints: []string{"unix://" + socket}})
	if got, _ := keys(t, other); len(got) != 1 {
		t.Errorf("keys through the socket: %q", got)
	}
	program, err := exec.LookPath("etcdctl")
	if err != nil {
		t.Skip("there is no etcdctl on this machine")
	}
	cmd := exec.Command(program, "--endpoints", "unix://"+socket, "get", commitKey, "--print-value-only")
	cmd.Env = append(os.Environ(), "ETCDCTL_API=3")
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), `"n":1}`) {
		t.Errorf("etcdctl: %v\n%s", err, out)
	}
}

// TestReopen: what was committed is there after a restart, and the leader of before is nobody to wait for.
func TestReopen(t *testing.T) {
	dir := t.TempDir()
	b := openTest(t, Config{Dir: dir})
	term := lead(t, b)
	commit(t, term, 1, put("a", 1))
	commit(t, term, 2, put("b", 1), state.Write{Kind: ecs.KindTask, Key: "a"})
	closeTest(t, b)
	if err := term.Commit(t.Context(), 3, nil); !errors.Is(err, state.ErrUnknown) {
		t.Errorf("commit to a closed store: %v, want ErrUnknown", err)
	}

	b = openTest(t, Config{Dir: dir})
	start := time.Now()
	term = lead(t, b)
	if took := time.Since(start); took > Lease/2 {
		t.Errorf("leading again took %v", took)
	}
	if got, m := keys(t, b); len(got) != 1 || got[0] != "b" || m.N != 2 {
		t.Errorf("loaded %q as of %+v", got, m)
	}
	commit(t, term, 3)
}

func TestCampaignAfterClose(t *testing.T) {
	b := openTest(t, Config{Dir: t.TempDir()})
	closeTest(t, b)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	if _, err := b.Campaign(ctx, "x"); err == nil {
		t.Error("a closed backend leads")
	}
}

// TestStrangeKeys: what somebody writes into etcd by hand is neither a commit nor a reason to stop.
func TestStrangeKeys(t *testing.T) {
	b := openTest(t, Config{Dir: t.TempDir()})
	term := lead(t, b)
	if _, err := b.client.Put(t.Context(), "/berth/v1/strange", "x"); err != nil {
		t.Fatal(err)
	}
	commit(t, term, 1, put("k", 1))
	if _, err := b.client.Put(t.Context(), prefix+"task/by hand", "x"); err != nil {
		t.Fatal(err)
	}
	commit(t, term, 2, put("l", 1))
	enough := errors.New("enough")
	err := b.Follow(t.Context(), state.Mark{}, func(m state.Mark, w []state.Write) error {
		if len(w) != 1 {
			t.Errorf("commit %d has %d writes", m.N, len(w))
		}
		if m.N == 2 {
			return enough
		}
		return nil
	})
	if !errors.Is(err, enough) {
		t.Error(err)
	}
}
