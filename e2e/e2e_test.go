// Package e2e drives a real berth with the real aws CLI and real containers, by scripts in testdata.
package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/google/nftables"
	"github.com/rogpeppe/go-internal/testscript"

	"berth/e2e/awscli"
	"berth/e2e/site"
	"berth/internal/agent"
	"berth/internal/agent/agenttest"
	"berth/internal/agent/docker"
)

// cli is the aws CLI of all scripts and tours. Its waiters look once a second; e2e/clients shows them as they are.
var cli = awscli.CLI{Delay: time.Second}

// TestMain runs the tests, of which most wait most of the time.
func TestMain(m *testing.M) { os.Exit(site.Main(awscli.Tests{M: m, CLI: &cli}, 4)) }

// image is what the scripts' containers run: busybox, under a name that no registry has.
const image = "berth-test/busybox:1"

// world is the installation that scripts share.
type world struct {
	berth, data, bin string
	env              map[string]string
	s3               *agenttest.S3 // from which environment files come
}

// Scripts of one folder share an installation and run at the same time. What would disturb others has an installation of its own. Installations are there at
// the same time too, but for those that are to have the machine's way to the default VPC: TestVPC and the tours.
func TestScripts(t *testing.T) { t.Parallel(); scripts(t, "testdata/together") }
func TestFaults(t *testing.T)  { t.Parallel(); scripts(t, "testdata/faults") }
func TestDrain(t *testing.T)   { t.Parallel(); scripts(t, "testdata/drain") }

// Agents that are killed.
func TestKilled(t *testing.T) { t.Parallel(); scripts(t, "testdata/killed") }

// Tasks with network interfaces of their own, in both modes.
func TestVPC(t *testing.T)       { scripts(t, "testdata/vpc") }
func TestFargate(t *testing.T)   { t.Parallel(); scripts(t, "testdata/fargate") }
func TestVPCFaults(t *testing.T) { t.Parallel(); scripts(t, "testdata/vpcfaults") }

func scripts(t *testing.T, dir string) {
	w, ask := start(t), site.Ask(t)
	testscript.Run(t, testscript.Params{
		Dir: dir, UpdateScripts: os.Getenv("UPDATE") != "", RequireExplicitExec: true,
		Setup: func(e *testscript.Env) error {
			for k, v := range w.env {
				e.Setenv(k, v)
			}
			e.Setenv("PATH", w.bin+":"+os.Getenv("PATH"))
			e.Setenv("PYENV_ROOT", os.Getenv("PYENV_ROOT"))
			e.Setenv("HOME", os.Getenv("HOME"))
			e.Setenv("DATA", w.data)
			e.Setenv("IMAGE", image)
			e.Setenv("ASK", ask)
			e.Setenv("FREE", freeAddress(t))
			lib, err := os.ReadFile("testdata/lib.sh")
			if err != nil {
				return err
			}
			if err := os.WriteFile(filepath.Join(e.WorkDir, "lib.sh"), lib, 0o644); err != nil {
				return err
			}
			e.Defer(func() { // what a script that failed left behind
				for _, name := range []string{"other", "m1", "m2", "m3"} {
					other := filepath.Join(e.WorkDir, name)
					if _, err := os.Stat(other); err != nil {
						continue
					}
					if out, err := exec.Command(w.berth, "down", "--data", other, "--purge").CombinedOutput(); err != nil {
						t.Errorf("berth down: %v\n%s", err, out)
					}
				}
			})
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"kill9": w.kill9, "containers": w.containers, "eventually": eventually, "s3": w.putObject, "plugin": pluginOf(t),
		},
	})
}

// pluginOf puts the Session Manager plugin at the end of a script's path.
func pluginOf(t *testing.T) func(*testscript.TestScript, bool, []string) {
	return func(ts *testscript.TestScript, _ bool, _ []string) {
		ts.Setenv("PATH", ts.Getenv("PATH")+":"+filepath.Dir(site.Plugin(t)))
	}
}

// defaultVPCIsFree reports whether the machine has no route to the default VPC yet. Where another installation has it, that is the one that is reached.
func defaultVPCIsFree() bool {
	out, err := exec.Command("ip", "route", "show", "172.31.0.0/16").Output()
	return err == nil && len(out) == 0
}

// start runs the berth of this tree.
func start(t testing.TB) *world {
	t.Helper()
	dir := t.TempDir()
	w := &world{berth: site.Berth(t), data: filepath.Join(dir, "data"), bin: filepath.Join(dir, "bin"),
		s3: &agenttest.S3{Region: "us-east-1", Key: aws.Credentials{AccessKeyID: "STORE", SecretAccessKey: "key of the store"}}}
	store := httptest.NewServer(w.s3)
	t.Cleanup(store.Close)
	if err := importBusybox(); err != nil {
		t.Fatal(err)
	}
	listen := freeAddress(t)
	t.Cleanup(func() { w.stop(t) })
	up := exec.Command(w.berth, "up", "--detach", "--data", w.data, "--listen", listen, "--instances", "2", "--s3-endpoint", store.URL)
	up.Env = append(os.Environ(), "BERTH_S3_ACCESS_KEY_ID="+w.s3.Key.AccessKeyID, "BERTH_S3_SECRET_ACCESS_KEY="+w.s3.Key.SecretAccessKey)
	if out, err := up.CombinedOutput(); err != nil {
		t.Fatalf("berth up: %v\n%s%s", err, out, w.logs())
	}
	out, err := exec.Command(w.berth, "env", "--data", w.data, "--output", "json").Output()
	if err != nil {
		t.Fatalf("berth env: %v", err)
	}
	if err := json.Unmarshal(out, &w.env); err != nil {
		t.Fatal(err)
	}
	if err := w.wrapCLI(t); err != nil {
		t.Fatal(err)
	}
	return w
}

// wrapCLI puts berth and an aws on the scripts' path that works with old CLIs as well.
func (w *world) wrapCLI(t testing.TB) error {
	if err := os.MkdirAll(w.bin, 0o755); err != nil {
		return err
	}
	if err := os.Symlink(w.berth, filepath.Join(w.bin, "berth")); err != nil {
		return err
	}
	script := fmt.Sprintf("#!/bin/sh\nexec %s --endpoint-url \"$AWS_ENDPOINT_URL\" \"$@\"\n", cli.Path(t))
	return os.WriteFile(filepath.Join(w.bin, "aws"), []byte(script), 0o755)
}

func importBusybox() error {
	e, err := docker.Open("", "")
	if err != nil {
		return err
	}
	defer e.Close()
	return e.ImportImage(context.Background(), image, "/bin/busybox", docker.ImageConfig{Links: []string{"/bin/sh", "/bin/sleep", "/bin/true"}})
}

// freeAddress is one of this machine that nobody listens at.
func freeAddress(t testing.TB) string {
	listen, _ := site.Ports(t)
	return listen
}

// stop takes the installation down and checks that nothing of it is left.
func (w *world) stop(t testing.TB) {
	if t.Failed() {
		t.Log(w.logs())
	}
	b, _ := os.ReadFile(filepath.Join(w.data, "berth.json"))
	out, err := exec.Command(w.berth, "down", "--data", w.data, "--purge").CombinedOutput()
	if err != nil {
		t.Errorf("berth down: %v\n%s", err, out)
	}
	var in struct{ ID string }
	if json.Unmarshal(b, &in) != nil || in.ID == "" {
		return
	}
	e, err := docker.Open("", in.ID)
	if err != nil {
		t.Error(err)
		return
	}
	defer e.Close()
	if left, err := e.List(context.Background()); err != nil || len(left) > 0 {
		t.Errorf("%d containers are left, %v", len(left), err)
	}
	tables, err := new(nftables.Conn).ListTables()
	if err != nil {
		t.Error(err)
	}
	for _, one := range tables {
		if strings.Contains(one.Name, in.ID) {
			t.Errorf("the packet filter's table %s is left", one.Name)
		}
	}
	for _, list := range []string{"netns", "-d link"} {
		out, err := exec.Command("ip", strings.Fields(list)...).CombinedOutput()
		if err != nil {
			t.Errorf("ip %s: %v\n%s", list, err, out)
		}
		if strings.Contains(string(out), in.ID) {
			t.Errorf("of the installation %s is left, by ip %s:\n%s", in.ID, list, out)
		}
	}
}

// logs is the end of each log, for a test that failed.
func (w *world) logs() string {
	var out strings.Builder
	for _, name := range []string{"up.log", "server.log", "agent.log"} {
		b, _ := os.ReadFile(filepath.Join(w.data, name))
		fmt.Fprintf(&out, "== %s\n%s\n", name, b[max(0, len(b)-4000):])
	}
	return out.String()
}

// kill9 kills the process of a role (server, agent) and waits until its successor has written its pid.
func (w *world) kill9(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: kill9 server|agent")
	}
	pid := w.pid(args[0])
	if pid == 0 {
		ts.Fatalf("no %s runs", args[0])
	}
	ts.Check(syscall.Kill(pid, syscall.SIGKILL))
	for range 600 {
		if now := w.pid(args[0]); now != 0 && now != pid {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	ts.Fatalf("%s was not started again", args[0])
}

func (w *world) pid(role string) int {
	b, err := os.ReadFile(filepath.Join(w.data, role+".pid"))
	if err != nil {
		return 0
	}
	pid, _ := strconv.Atoi(strings.TrimSpace(string(b)))
	return pid
}

// putObject makes an object of the S3-compatible store: a file of the script.
func (w *world) putObject(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: s3 BUCKET/KEY FILE")
	}
	w.s3.Put(args[0], ts.ReadFile(args[1]))
}

// containers prints the ids of the installation's containers of a family that run, in order, to stdout; with -kill it kills the first, and with
// -restart it kills the first, starts it again, and waits until it has ended.
func (w *world) containers(ts *testscript.TestScript, neg bool, args []string) {
	restart := len(args) == 2 && args[0] == "-restart"
	kill := len(args) == 2 && args[0] == "-kill" || restart
	if neg || len(args) == 0 {
		ts.Fatalf("usage: containers [-kill|-restart] FAMILY")
	}
	var in struct{ ID string }
	b, err := os.ReadFile(filepath.Join(w.data, "berth.json"))
	ts.Check(err)
	ts.Check(json.Unmarshal(b, &in))
	e, err := docker.Open("", in.ID)
	ts.Check(err)
	defer e.Close()
	list, err := e.List(context.Background())
	ts.Check(err)
	for _, c := range list {
		if c.Labels["com.amazonaws.ecs.task-definition-family"] != args[len(args)-1] {
			continue
		}
		// The engine lists a container as running until shortly after it told of its end.
		if now, err := e.Inspect(context.Background(), c.ID); errors.Is(err, agent.ErrNotFound) || err == nil && now.State.String() != "running" {
			continue
		}
		fmt.Fprintln(ts.Stdout(), c.ID)
		if kill {
			ts.Check(e.Stop(context.Background(), c.ID, 0))
			if restart {
				restarted(ts, e, c.ID)
			}
			return
		}
	}
}

// restarted starts a container that has ended, and waits until it has ended again.
func restarted(ts *testscript.TestScript, e *docker.Engine, id string) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	first, err := e.Inspect(ctx, id)
	ts.Check(err)
	ts.Check(e.Start(ctx, id))
	for {
		o, err := e.Inspect(ctx, id)
		if err != nil {
			ts.Fatalf("a container that was started again has not ended within a minute: %v", err)
		}
		if o.State.String() == "exited" && o.StartedAt.After(first.StartedAt) {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// eventually runs a shell command until it succeeds, for at most a minute.
func eventually(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: eventually COMMAND")
	}
	deadline := time.Now().Add(time.Minute)
	for {
		err := ts.Exec("sh", "-c", strings.Join(args, " "))
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			ts.Fatalf("not within a minute: %s: %v", strings.Join(args, " "), err)
		}
		time.Sleep(300 * time.Millisecond)
	}
}
