package provider_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"berth/internal/provider"
	"berth/internal/provider/providertest"
)

// TestCommand holds a command to the contract.
func TestCommand(t *testing.T) {
	providertest.Run(t, func(t *testing.T) providertest.Site {
		dir := t.TempDir()
		c := newCommand(t, provider.Config{Path: "sh", Args: []string{"testdata/provider.sh", dir}, Grace: 100 * time.Millisecond})
		set := func(name, text string, on bool) {
			t.Helper()
			var err error
			if on {
				err = os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600)
			} else {
				err = os.Remove(filepath.Join(dir, name))
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		return providertest.Site{
			Provider: c, Order: func(id string) (provider.Order, bool) { return ordered(t, filepath.Join(dir, "members", id)) },
			Refuse: func(reason string) { set("reason", reason+"\n\n", reason != "") },
			Full:   func(full bool) { set("full", "", full) }, Hold: func() { set("hold", "", true) },
		}
	})
}

func newCommand(t *testing.T, c provider.Config) *provider.Command {
	t.Helper()
	c.Server, c.Region, c.Installation = "http://10.0.0.1:3270,http://10.0.0.2:3270", "us-east-1", "0123abcd"
	p, err := provider.NewCommand(c)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// script is a provider that runs a shell script with the verb as $1.
func script(t *testing.T, text string) *provider.Command {
	t.Helper()
	return newCommand(t, provider.Config{Path: "sh", Args: []string{"-c", text, "sh"}, Grace: 100 * time.Millisecond})
}

// ordered reads what the environment of a launch said.
func ordered(t *testing.T, file string) (o provider.Order, ok bool) {
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return o, false
	}
	env := map[string]string{}
	for line := range strings.Lines(string(text)) {
		k, v, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "=")
		env[k] = v
	}
	cpu, err1 := strconv.Atoi(env["BERTH_CPU"])
	mib, err2 := strconv.Atoi(env["BERTH_MEMORY"])
	if err := errors.Join(err, err1, err2); err != nil {
		t.Fatal(err)
	}
	return provider.Order{
		ID: env["BERTH_MEMBER_ID"], Zone: env["BERTH_ZONE"], Architecture: env["BERTH_ARCHITECTURE"], CPUUnits: cpu, MemoryMiB: mib, Token: provider.Secret(env["BERTH_TOKEN"]),
	}, true
}

// TestEnvironment: a command is told what it needs and nothing of Berth's own environment, and keeps the rest.
func TestEnvironment(t *testing.T) {
	t.Setenv("BERTH_SECRET_OF_THE_SERVER", "x")
	t.Setenv("BERTH_TOKEN", "another")
	t.Setenv("OF_THE_OPERATOR", "kept")
	file := filepath.Join(t.TempDir(), "env")
	c := script(t, `env | grep -e ^BERTH_ -e ^OF_THE | sort >`+file+`; echo "$0 $*" >>`+file)
	for _, run := range []struct {
		call func() error
		want string
	}{
		{
			func() error {
				return c.Launch(t.Context(), provider.Order{ID: "m-1", Zone: "us-east-1a", Architecture: "arm64", CPUUnits: 256, MemoryMiB: 512, Token: "t0p"})
			},
			`BERTH_ARCHITECTURE=arm64
BERTH_CPU=256
BERTH_INSTALLATION=0123abcd
BERTH_MEMBER_ID=m-1
BERTH_MEMORY=512
BERTH_REGION=us-east-1
BERTH_SERVER=http://10.0.0.1:3270,http://10.0.0.2:3270
BERTH_TOKEN=t0p
BERTH_ZONE=us-east-1a
OF_THE_OPERATOR=kept
sh launch
`},
		{
			func() error { return c.Terminate(t.Context(), "m-1") },
			`BERTH_INSTALLATION=0123abcd
BERTH_MEMBER_ID=m-1
BERTH_REGION=us-east-1
BERTH_SERVER=http://10.0.0.1:3270,http://10.0.0.2:3270
OF_THE_OPERATOR=kept
sh terminate
`},
	} {
		if err := run.call(); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(run.want, string(got)); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
	}
}

// TestReasons: what a failed launch says is its last word, in one line, without the token.
func TestReasons(t *testing.T) {
	const token = "bjt-0123456789"
	for _, c := range []struct {
		name, script, want string
		err                error
	}{
		{"last line", `echo a >&2; echo " b c " >&2; echo >&2; exit 1`, "b c", nil},
		{"without a newline", `printf 'a\nb' >&2; exit 1`, "b", nil},
		{"nothing", `exit 3`, "exit status 3", nil},
		{"on stdout", `echo a; exit 3`, "exit status 3", nil},
		{"no capacity", `echo no g5 in this zone >&2; exit 75`, "no g5 in this zone", provider.ErrNoCapacity},
		{"no capacity without a word", `exit 75`, "no capacity now", provider.ErrNoCapacity},
		{"unknown verb", `exit 64`, "exit status 64", nil},
		{"killed", `kill -9 $$`, "signal: killed", nil},
		{"token", `echo "cannot join with $BERTH_TOKEN, $BERTH_TOKEN" >&2; exit 1`, "cannot join with (secret), (secret)", nil},
		{"trace", `set -x; : token=$BERTH_TOKEN; exit 1`, "+ exit 1", nil},
		{"colours", `printf 'a\033[31m\tb\000\n' >&2; exit 1`, "a[31m b", nil},
		{"progress", `printf '10%%\r20%%\rfailed\r' >&2; exit 1`, "failed", nil},
		{"no UTF-8", `printf 'a\377b\n' >&2; exit 1`, "a?b", nil},
		{"long", `head -c 100000 /dev/zero | tr '\0' x >&2; exit 1`, strings.Repeat("x", 255), nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := script(t, c.script).Launch(t.Context(), provider.Order{ID: "m-1", Token: token})
			var f *provider.Failure
			if !errors.As(err, &f) || f.Reason != c.want || c.err != nil && !errors.Is(err, c.err) || c.err == nil && errors.Is(err, provider.ErrNoCapacity) {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
}

func TestProgramThatCannotRun(t *testing.T) {
	dir := t.TempDir()
	plain, empty := filepath.Join(dir, "plain"), filepath.Join(dir, "empty")
	for file, mode := range map[string]fs.FileMode{plain: 0o644, empty: 0o755} {
		if err := os.WriteFile(file, nil, mode); err != nil {
			t.Fatal(err)
		}
	}
	for path, want := range map[string]error{
		filepath.Join(dir, "missing"): fs.ErrNotExist, "no-such-program-anywhere": nil, plain: fs.ErrPermission, dir: nil, "": nil,
	} {
		if _, err := provider.NewCommand(provider.Config{Path: path}); err == nil || want != nil && !errors.Is(err, want) {
			t.Errorf("%s: %v", path, err)
		}
	}
	c := newCommand(t, provider.Config{Path: empty})
	if err := c.Launch(t.Context(), provider.Order{ID: "m"}); !errors.Is(err, syscall.ENOEXEC) {
		t.Errorf("a file without a program: %v", err)
	}
	if err := os.Remove(empty); err != nil {
		t.Fatal(err)
	}
	if err := c.Terminate(t.Context(), "m"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a program that is gone: %v", err)
	}
}

// TestLists: what a list may look like.
func TestLists(t *testing.T) {
	for _, c := range []struct {
		name, script string
		want         []string
		reason       string
		err          error
	}{
		{"nothing", ``, nil, "", nil},
		{"spaces and twins", `printf 'b\n\n a \r\nb'`, []string{"a", "b"}, "", nil},
		{"no list", `exit 64`, nil, "members cannot be listed", provider.ErrNoList},
		{"no id", `echo a; echo 'b c'`, nil, `line 2 of the list is "b c": an id has 1 to 64 letters, digits, ".", "_" and "-", and begins with a letter or digit`, nil},
		{"too long", `yes m | head -c 1100000`, nil, "it printed more than 1048576 bytes", nil},
		{"failed", `echo a; echo no >&2; exit 1`, nil, "no", nil},
		{"launch's exit code", `exit 75`, nil, "exit status 75", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := script(t, c.script).List(t.Context())
			var f *provider.Failure
			if errors.As(err, &f) != (c.reason != "") || f != nil && f.Reason != c.reason || c.err != nil && !errors.Is(err, c.err) || errors.Is(err, provider.ErrNoCapacity) {
				t.Errorf("%v", err)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestSecret: however it is printed, a token is not shown.
func TestSecret(t *testing.T) {
	o := provider.Order{ID: "m-1", Token: "t0p"}
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("launch", "order", o, "token", o.Token)
	slog.New(slog.NewJSONHandler(&log, nil)).Info("launch", "order", o, "token", o.Token)
	text, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		log.WriteString(fmt.Sprintf(verb, o) + fmt.Sprintf(verb, &o) + fmt.Sprintf(verb, o.Token))
	}
	log.Write(text)
	for _, shown := range []string{"t0p", fmt.Sprintf("%x", "t0p")} {
		if strings.Contains(log.String(), shown) {
			t.Errorf("%q is in %s", shown, log.String())
		}
	}
	if strings.Count(log.String(), "(secret)") != 26 {
		t.Errorf("%d times hidden in %s", strings.Count(log.String(), "(secret)"), log.String())
	}
}
