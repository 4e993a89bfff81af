package main

import (
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// up runs `berth up` with arguments that are refused, and returns why.
func up(t *testing.T, args ...string) error {
	t.Helper()
	c := root()
	c.SetArgs(append([]string{"up"}, args...))
	c.SetErr(io.Discard)
	err := c.ExecuteContext(t.Context())
	if err == nil {
		t.Fatalf("up %q was not refused", args)
	}
	return err
}

func TestUpRefusesFlagsAndMakesNothing(t *testing.T) {
	for _, args := range [][]string{
		{"--listen", "foo"}, {"--listen", "127.0.0.1:99999"}, {"--instances", "-3"}, {"--instances", "0"}, {"--instances", "255"}, {"--auth", "none"},
	} {
		d := filepath.Join(t.TempDir(), "new")
		if err := up(t, append(args, "--data", d)...); !strings.Contains(err.Error(), args[0]) {
			t.Errorf("%q: %v", args, err)
		}
		if _, err := os.Stat(d); err == nil {
			t.Errorf("%q made the data directory", args)
		}
	}
}

// kept is an installation in a new directory, as `berth up` stores it.
func kept(t *testing.T, in installation) dataDir {
	t.Helper()
	d, err := openData(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := d.save("berth.json", in); err != nil {
		t.Fatal(err)
	}
	return d
}

func TestUpStoresNothingWithoutAnEngine(t *testing.T) {
	d := kept(t, installation{ID: "x", Listen: "127.0.0.1:1", Instances: 2})
	before, _ := os.ReadFile(d.path("berth.json"))
	t.Setenv("DOCKER_HOST", "unix://"+d.path("no.sock"))
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	if err := up(t, "--data", string(d), "--instances", "4", "--listen", l.Addr().String()); !strings.Contains(err.Error(), "DOCKER_HOST") || !strings.Contains(err.Error(), "no.sock") {
		t.Errorf("%v", err)
	}
	if after, _ := os.ReadFile(d.path("berth.json")); string(after) != string(before) {
		t.Errorf("stored %s", after)
	}
	if d.owned("up") {
		t.Error("the role is still taken")
	}
}

func TestUpLeavesAnAgentsMachineAlone(t *testing.T) {
	d := kept(t, installation{ID: "x", Listen: "http://10.0.0.1:3270"})
	if err := up(t, "--data", string(d)); !strings.Contains(err.Error(), "http://10.0.0.1:3270") || !strings.Contains(err.Error(), "--data") {
		t.Errorf("%v", err)
	}
}

func TestEngineAdvice(t *testing.T) {
	refused := engineAdvice(errors.New("permission denied while trying to connect to the docker API"))
	if !strings.Contains(refused, "root") || !strings.Contains(refused, "usermod -aG docker") {
		t.Errorf("%s", refused)
	}
	t.Setenv("DOCKER_HOST", "")
	if off := engineAdvice(errors.New("Cannot connect")); !strings.Contains(off, "start Docker Engine") {
		t.Errorf("%s", off)
	}
}

// A second `berth up` of other flags is told what the first was started with; one of the same flags is not refused.
func TestOtherThanWhatRuns(t *testing.T) {
	runs := installation{Listen: "127.0.0.1:3270", Region: "us-east-1", Account: "000000000000", Auth: "iam", Instances: 3,
		Flags: map[string]string{"api-rate": "100", "quota": ""}}
	for _, c := range []struct {
		role, want string
		flags      []string
	}{
		{role: "up"},
		{role: "up", flags: []string{"--instances", "3", "--listen", "127.0.0.1:3270", "--api-rate", "100"}},
		{role: "up", flags: []string{"--instances", "5"}, want: "--instances 3, not 5"},
		{role: "up", flags: []string{"--listen", "127.0.0.1:1"}, want: "--listen 127.0.0.1:3270, not 127.0.0.1:1"},
		{role: "up", flags: []string{"--auth", "dev", "--api-rate", "1"}, want: "--auth iam, not dev|--api-rate 100, not 1"},
		{role: "up", flags: []string{"--quota", "clusters=5"}, want: `--quota "", not clusters=5`},
		{role: "server", flags: []string{"--instances", "5"}},
		{role: "server", flags: []string{"--listen", "127.0.0.1:1"}, want: "--listen 127.0.0.1:3270, not 127.0.0.1:1"},
		{role: "agent", flags: []string{"--instances", "5"}, want: "--instances 3, not 5"},
		{role: "agent", flags: []string{"--listen", "127.0.0.1:1"}},
	} {
		o := upOptions{limits: defaultLimits()}
		command := upFlags(&o)
		if err := command.ParseFlags(c.flags); err != nil {
			t.Fatal(err)
		}
		got, err := o.otherThan(c.role, runs, command.Flags().Changed)
		if err != nil || strings.Join(got, "|") != c.want {
			t.Errorf("%s %q: %q, %v; want %q", c.role, c.flags, got, err, c.want)
		}
	}
}

func TestUpOfOtherFlagsWhileItRuns(t *testing.T) {
	d := kept(t, installation{ID: "x", Listen: "127.0.0.1:3270", Region: "us-east-1", Account: "000000000000", Auth: "iam", Instances: 3})
	release, err := d.own("up")
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	before, _ := os.ReadFile(d.path("berth.json"))
	for _, args := range [][]string{{"--instances", "5"}, {"--listen", "127.0.0.1:3999", "--detach"}} {
		err := up(t, append(args, "--data", string(d))...)
		if text := err.Error(); !strings.Contains(text, "berth up runs already") || !strings.Contains(text, args[0]) || !strings.Contains(text, "down --data "+string(d)) {
			t.Errorf("%q: %v", args, err)
		}
	}
	if after, _ := os.ReadFile(d.path("berth.json")); string(after) != string(before) {
		t.Errorf("stored %s", after)
	}
}

// What an older version stored that cannot be is not kept.
func TestUpForgetsImpossibleInstances(t *testing.T) {
	in := installation{Instances: -3}
	o := upOptions{limits: defaultLimits(), instances: 2}
	if err := o.keepIn(func(string) bool { return false }, &in); err != nil || in.Instances != 2 {
		t.Errorf("%d instances, %v", in.Instances, err)
	}
}

// However many claim a role, one has it, and the others learn who.
func TestOneClaimsUp(t *testing.T) {
	d := dataDir(t.TempDir())
	var all sync.WaitGroup
	won := make(chan *claim, 20)
	for range 20 {
		all.Go(func() {
			role, pid, err := d.claimUp(t.Context())
			switch {
			case err != nil:
				t.Error(err)
			case role == nil && pid != os.Getpid():
				t.Errorf("pid %d has it", pid)
			case role != nil:
				won <- role
				if err := role.announce(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if len(won) != 1 {
		t.Fatalf("%d have it", len(won))
	}
	(<-won).release()
	if d.pid("up") != 0 || d.owned("up") {
		t.Error("it was not given up")
	}
}

// However many make a data directory, it has one key.
func TestOneKey(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new")
	var all sync.WaitGroup
	keys := make(chan string, 20)
	for range 20 {
		all.Go(func() {
			d, err := openData(dir)
			if err != nil {
				t.Error(err)
				return
			}
			k, err := os.ReadFile(d.path("key"))
			if err != nil {
				t.Error(err)
			}
			keys <- string(k)
		})
	}
	all.Wait()
	close(keys)
	first := <-keys
	for k := range keys {
		if k != first {
			t.Error("two keys")
		}
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "key.*")); len(left) > 0 {
		t.Errorf("%q are left", left)
	}
}

func TestLastLine(t *testing.T) {
	log := filepath.Join(t.TempDir(), "server.log")
	if err := os.WriteFile(log, []byte("level=INFO msg=first\nberth: open the store: it is gone\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := lastLine(log); got != "open the store: it is gone" {
		t.Errorf("%q", got)
	}
}

func TestShellWord(t *testing.T) {
	for word, want := range map[string]string{"bin/berth": "bin/berth", "./other": "./other", "/a b/berth": "'/a b/berth'", "it's": `'it'\''s'`, "": "''"} {
		if got := shellWord(word); got != want {
			t.Errorf("%q: %s, want %s", word, got, want)
		}
	}
}
