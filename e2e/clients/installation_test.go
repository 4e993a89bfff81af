// Package clients drives one installation with unmodified clients: the aws CLI, the SDKs for Go, JavaScript and Python, and the sequences of
// tools that are built on them.
package clients

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"

	"berth/e2e/awscli"
	"berth/e2e/site"
	"berth/internal/agent/docker"
	"berth/internal/sdkhttp"
)

// image is what all containers run: busybox, under a name that no registry has.
const image = "berth-test/busybox:1"

// instances is how many container instances the installation has.
const instances = 3

// TestMain runs the tests, of which most wait most of the time, and then takes down the installation that they shared.
func TestMain(m *testing.M) {
	code := site.Main(awscli.Tests{M: m, CLI: &cli}, 16)
	if err := takeDown(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// cli is the aws CLI, whose waiters are as they are.
var cli awscli.CLI

// installation is a berth up on this machine.
type installation struct {
	dir, berth, data string
	env              map[string]string // what berth env says
	guard            *exec.Cmd
	alive            io.Closer // the guard takes the installation down when this is closed, or this process ends in any way
}

// opened is the installation that all tests of this package share, once one has asked for it.
var (
	mu     sync.Mutex
	opened *installation
)

// here is the installation. It is started for the first test that asks.
func here(t *testing.T) *installation {
	t.Helper()
	mu.Lock()
	defer mu.Unlock()
	if opened == nil {
		in, err := guardedDir()
		if err != nil {
			t.Fatal(err)
		}
		opened = in
		if err := in.up(t); err != nil {
			t.Fatalf("%v\n%s", err, in.logs())
		}
	}
	if opened.env == nil {
		t.Fatal("the installation could not be started")
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(opened.logs())
		}
	})
	return opened
}

// guardedDir makes the installation's directory, and a process that ends the installation and removes the directory when this process has ended.
func guardedDir() (*installation, error) {
	dir, err := os.MkdirTemp("/tmp", "berth-clients")
	if err != nil {
		return nil, err
	}
	in := &installation{dir: dir, berth: filepath.Join(dir, "berth"), data: filepath.Join(dir, "data")}
	const script = `cat >/dev/null; if [ -e "$1/data" ]; then "$1/berth" down --data "$1/data" --purge >"$1/down.log" 2>&1 || exit 1; fi; rm -rf "$1"`
	in.guard = exec.Command("sh", "-c", script, "guard", dir)
	in.guard.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // Ctrl-C is not for it
	if in.alive, err = in.guard.StdinPipe(); err != nil {
		return nil, err
	}
	return in, in.guard.Start()
}

// up starts the installation.
func (in *installation) up(t *testing.T) error {
	program, err := os.ReadFile(site.Berth(t))
	if err == nil {
		err = os.WriteFile(in.berth, program, 0o755)
	}
	if err == nil {
		err = importBusybox()
	}
	if err != nil {
		return err
	}
	listen, _ := site.Ports(t)
	up := exec.Command(in.berth, "up", "--detach", "--data", in.data, "--listen", listen, "--instances", fmt.Sprint(instances))
	if out, err := up.CombinedOutput(); err != nil {
		return fmt.Errorf("berth up: %w\n%s", err, out)
	}
	out, err := exec.Command(in.berth, "env", "--data", in.data, "--output", "json").Output()
	if err != nil {
		return fmt.Errorf("berth env: %w", err)
	}
	return json.Unmarshal(out, &in.env)
}

func importBusybox() error {
	e, err := docker.Open("", "")
	if err != nil {
		return fmt.Errorf("no container engine answers (make deps starts it): %w", err)
	}
	defer e.Close()
	return e.ImportImage(context.Background(), image, "/bin/busybox", docker.ImageConfig{Links: []string{"/bin/sh", "/bin/sleep", "/bin/true"}})
}

// takeDown ends the installation, if there is one, and checks that nothing of it is left.
func takeDown() error {
	in := opened
	if in == nil {
		return nil
	}
	about, _ := os.ReadFile(filepath.Join(in.data, "berth.json")) // it is not there where berth up did not come so far
	in.alive.Close()                                              //nolint:errcheck // it tells by its end
	if err := in.guard.Wait(); err != nil {
		out, _ := os.ReadFile(filepath.Join(in.dir, "down.log"))
		return fmt.Errorf("berth down: %w\n%s", err, out)
	}
	var id struct{ ID string }
	if json.Unmarshal(about, &id) != nil || id.ID == "" {
		return nil
	}
	e, err := docker.Open("", id.ID)
	if err != nil {
		return err
	}
	defer e.Close()
	left, err := e.List(context.Background())
	if err == nil && len(left) > 0 {
		err = fmt.Errorf("%d containers are left", len(left))
	}
	return err
}

// logs is the end of each log, for a test that failed.
func (in *installation) logs() string {
	var out strings.Builder
	for _, name := range []string{"up.log", "server.log", "agent.log"} {
		b, _ := os.ReadFile(filepath.Join(in.data, name))
		fmt.Fprintf(&out, "== %s\n%s\n", name, b[max(0, len(b)-3000):])
	}
	return out.String()
}

// environ is the environment of clients: the test's own without what it says about AWS, and the installation's.
func (in *installation) environ() []string {
	env := slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "AWS_") })
	for k, v := range in.env {
		env = append(env, k+"="+v)
	}
	return append(env, "AWS_PAGER=", "AWS_CONFIG_FILE=/dev/null", "AWS_SHARED_CREDENTIALS_FILE=/dev/null", "AWS_EC2_METADATA_DISABLED=true")
}

// client is the SDK for Go's, as a user makes it: with the SDK's own retries.
func (in *installation) client() *awsecs.Client {
	return awsecs.New(awsecs.Options{
		Region: in.env["AWS_DEFAULT_REGION"], BaseEndpoint: aws.String(in.env["AWS_ENDPOINT_URL"]), HTTPClient: sdkhttp.New(),
		Credentials: credentials.NewStaticCredentialsProvider(in.env["AWS_ACCESS_KEY_ID"], in.env["AWS_SECRET_ACCESS_KEY"], ""),
	})
}

// aws runs the aws CLI, which must succeed, and returns what it prints.
func (in *installation) aws(t *testing.T, args ...string) string {
	t.Helper()
	out, said, err := in.tryAWS(t, args...)
	if err != nil {
		t.Fatalf("aws %s: %v\n%s", strings.Join(args, " "), err, said)
	}
	return out
}

// tryAWS runs the aws CLI, with the endpoint as a flag since old ones do not read it from the environment, and returns what it prints and what
// it says of errors.
func (in *installation) tryAWS(t *testing.T, args ...string) (out, said string, err error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), cli.Path(t), append([]string{"--endpoint-url", in.env["AWS_ENDPOINT_URL"]}, args...)...)
	cmd.Env = in.environ()
	var stderr strings.Builder
	cmd.Stderr = &stderr
	b, err := cmd.Output()
	return strings.TrimSpace(string(b)), stderr.String(), err
}

// script runs a test that is written in another language, with one more variable in its environment; it tells by its exit code.
func (in *installation) script(t *testing.T, variable, interpreter, file string, args ...string) {
	t.Helper()
	began := time.Now()
	cmd := exec.CommandContext(t.Context(), program(t, interpreter), append([]string{file}, args...)...)
	cmd.Env = append(in.environ(), variable)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", file, err, out)
	}
	t.Logf("%s took %v", file, time.Since(began).Round(time.Millisecond))
}

// program is the path of an installed one.
func program(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Fatalf("%s is missing (make deps installs it): %v", name, err)
	}
	return path
}
