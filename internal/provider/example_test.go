package provider_test

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"berth/internal/provider"
)

// fakeSSH writes down what it is asked to run on which machine and what it gets on standard input, and checks that a shell could read it.
const fakeSSH = `#!/bin/sh
set -eu
[ "$1 $3" = "-o -o" ] || exit 2
if [ "$5" = "root@$(cat "$POOL_DIR/down" 2>/dev/null)" ]; then
	echo "ssh: connect to host ${5#root@} port 22: No route to host" >&2
	exit 255
fi
sh -n -c "$6"
printf '%s: %s\n' "$5" "$(printf %s "$6" | tr -s '\n\t ' ' ')" >>"$POOL_DIR/ran"
case $6 in *'$(cat)'*) cat >"$POOL_DIR/stdin" ;; esac
`

// exampleSite is the example of docs/fargate-pool.md with machines that answer to fakeSSH.
func exampleSite(t *testing.T) (c *provider.Command, dir string) {
	t.Helper()
	page, err := os.ReadFile("../../docs/fargate-pool.md")
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile("(?s)```sh\n(#!/bin/sh\n.*?)```").FindSubmatch(page)
	if found == nil {
		t.Fatal("the page has no script")
	}
	dir, bin := t.TempDir(), t.TempDir()
	write := func(file, text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	write(filepath.Join(bin, "provider"), string(found[1]))
	write(filepath.Join(bin, "ssh"), fakeSSH)
	write(filepath.Join(dir, "machines"), "10.0.0.11 a x86_64 8192 32768\n10.0.0.12 a x86_64 8192 32768\n10.0.0.13 b arm64 16384 65536\n")
	t.Setenv("PATH", bin+":"+os.Getenv("PATH"))
	t.Setenv("POOL_DIR", dir)
	return newCommand(t, provider.Config{Path: filepath.Join(bin, "provider")}), dir
}

// TestExample: the script of the documentation keeps the contract.
func TestExample(t *testing.T) {
	c, dir := exampleSite(t)
	member := func(id string) provider.Order {
		return provider.Order{ID: id, Zone: "a", Architecture: "x86_64", CPUUnits: 4096, MemoryMiB: 8192, Token: "bjt-of-" + provider.Secret(id)}
	}
	check := func(what string, err error) {
		t.Helper()
		if err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	wantFile := func(name, want string) {
		t.Helper()
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Error(err)
		}
		if diff := cmp.Diff(want, string(text)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	wantList := func(want ...string) {
		t.Helper()
		got, err := c.List(t.Context())
		check("list", err)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("list (-want +got):\n%s", diff)
		}
	}
	wantList()
	check("terminate what never was", c.Terminate(t.Context(), "m-0"))
	check("launch", c.Launch(t.Context(), member("m-1")))
	wantFile("ran", "root@10.0.0.11: systemctl is-active --quiet berth-member || systemd-run --quiet --unit berth-member berth agent "+
		"--data /var/lib/berth-member --name m-1 --member m-1 --server http://10.0.0.1:3270,http://10.0.0.2:3270 --zone a --cpu 4096 --memory 8192 --token \"$(cat)\"\n")
	wantFile("stdin", "bjt-of-m-1")
	check("launch again", c.Launch(t.Context(), member("m-1")))
	check("launch another", c.Launch(t.Context(), member("m-2")))
	wantFile("taken/m-2", "10.0.0.12\n")
	wantList("m-1", "m-2")

	for what, o := range map[string]provider.Order{
		"all have one":   member("m-3"),
		"too small":      {ID: "m-3", Zone: "b", Architecture: "arm64", CPUUnits: 32768, MemoryMiB: 512},
		"another kind":   {ID: "m-3", Zone: "b", Architecture: "x86_64", CPUUnits: 256, MemoryMiB: 512},
		"an unknown one": {ID: "m-3", Zone: "c", Architecture: "x86_64", CPUUnits: 256, MemoryMiB: 512},
	} {
		if err := c.Launch(t.Context(), o); !errors.Is(err, provider.ErrNoCapacity) || !strings.HasSuffix(err.Error(), " in "+o.Zone+" is free") {
			t.Errorf("%s: %v", what, err)
		}
	}
	wantList("m-1", "m-2")

	down := filepath.Join(dir, "down")
	if err := os.WriteFile(down, []byte("10.0.0.11"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := c.Terminate(t.Context(), "m-1"); err == nil || !strings.HasSuffix(err.Error(), "10.0.0.11 port 22: No route to host") {
		t.Errorf("terminate on a machine that does not answer: %v", err)
	}
	wantList("m-1", "m-2")
	if err := os.Remove(down); err != nil {
		t.Fatal(err)
	}
	check("terminate", c.Terminate(t.Context(), "m-1"))
	check("terminate again", c.Terminate(t.Context(), "m-1"))
	wantList("m-2")
	check("launch where another one was", c.Launch(t.Context(), member("m-4")))
	wantFile("taken/m-4", "10.0.0.11\n")
}
