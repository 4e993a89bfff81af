package vpc

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"golang.org/x/sys/unix"

	"berth/e2e/site"
)

// local is a `berth up` on a machine of its own.
type local struct {
	t      *testing.T
	on     *site.Network
	engine *engine
	data   string
	up     *exec.Cmd
}

func newLocal(t *testing.T) *local {
	t.Helper()
	on, data := site.NewNetwork(t, 1), t.TempDir()
	t.Cleanup(func() { removeGroups(data) }) // after the engine
	l := &local{t: t, on: on, engine: newEngine(t, on, 1), data: data}
	t.Cleanup(l.clear)
	l.start()
	return l
}

// start starts it, and waits until its instances are there.
func (l *local) start() {
	l.t.Helper()
	log, err := os.OpenFile(filepath.Join(l.data, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		l.t.Fatal(err)
	}
	defer log.Close()
	l.up = l.on.Command(1, site.Berth(l.t), "up", "--data", l.data, "--listen", l.on.Address(1)+":3270", "--instances", "2", "--clean-up-after", "1s")
	l.up.Env = append(os.Environ(), "DOCKER_HOST="+l.engine.host)
	l.up.Stdout, l.up.Stderr = log, log
	if err := l.up.Start(); err != nil {
		l.up = nil
		l.t.Fatal(err)
	}
	site.Eventually(l.t, "two instances are connected", func() error {
		if c := l.control(); c == nil || l.pid("agent") == 0 {
			return errors.New("it has not started")
		} else if n := len(c.instances()); n != 2 {
			return fmt.Errorf("%d are", n)
		}
		return nil
	})
}

// control is its control plane, nil while it is not ready.
func (l *local) control() *control {
	at := "http://" + l.on.Address(1) + ":3270"
	resp, err := http.Get(at + "/readyz")
	if err != nil {
		return nil
	}
	resp.Body.Close()
	var key struct{ AccessKeyID, SecretAccessKey string }
	b, err := os.ReadFile(filepath.Join(l.data, "credentials.json"))
	if resp.StatusCode != http.StatusOK || err != nil || json.Unmarshal(b, &key) != nil {
		return nil
	}
	return newControl(l.t, at, key.AccessKeyID, key.SecretAccessKey)
}

// pid of one of its processes, 0 if there is none.
func (l *local) pid(role string) int {
	b, err := os.ReadFile(filepath.Join(l.data, role+".pid"))
	if err != nil {
		return 0
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(b)))
	if err != nil || unix.Kill(pid, 0) != nil {
		return 0
	}
	return pid
}

// kill ends processes without a word.
func (l *local) kill(roles ...string) {
	l.t.Helper()
	for _, role := range roles {
		if pid := l.pid(role); pid != 0 {
			_ = unix.Kill(pid, unix.SIGKILL) // it may have ended
		}
	}
	if slices.Contains(roles, "up") && l.up != nil {
		_ = l.up.Wait() // it was killed
	}
}

func (l *local) clear() {
	l.kill("up", "agent", "server")
	for _, role := range []string{"agent.log", "log"} {
		if text, err := os.ReadFile(filepath.Join(l.data, role)); err == nil && l.t.Failed() {
			l.t.Logf("== %s\n%s", role, text[max(0, len(text)-6000):])
		}
	}
	for _, name := range site.VPCs(l.data) {
		if out, err := exec.Command("ip", "netns", "delete", name).CombinedOutput(); err != nil {
			l.t.Errorf("remove %s: %v %s", name, err, out)
		}
	}
}

// expires is how long an element of a set still is there.
var expires = regexp.MustCompile(` expires [^ ]+`)

// traces are everything on the machine that tasks leave: devices, addresses, routes, tables, namespaces of VPCs, containers.
func (l *local) traces() string {
	l.t.Helper()
	var out strings.Builder
	for _, c := range [][]string{{"ip", "-br", "link"}, {"ip", "-br", "-4", "address"}, {"ip", "route", "show", "table", "all"}, {"ip", "rule"}, {"ip", "neigh", "show", "nud", "permanent"}, {"nft", "list", "ruleset"}} {
		text, err := l.on.Command(1, c[0], c[1:]...).CombinedOutput()
		if err != nil {
			l.t.Fatalf("%v: %v %s", c, err, text)
		}
		fmt.Fprintf(&out, "-- %s --\n%s", strings.Join(c, " "), expires.ReplaceAllString(string(text), ""))
	}
	fmt.Fprintf(&out, "-- VPCs --\n%v\n-- containers --\n%v\n-- control groups --\n%v\n", site.VPCs(l.data), l.engine.containers(), groups(l.data))
	return out.String()
}

// TestSweep kills agent, supervisor and engine while tasks with interfaces start and stop. When all are back and nothing is wanted any more, nothing is left.
func TestSweep(t *testing.T) {
	t.Parallel()
	l := newLocal(t)
	c := l.control()
	web := c.define("web")
	anywhere := &types.NetworkConfiguration{AwsvpcConfiguration: &types.AwsVpcConfiguration{Subnets: c.ec2("DescribeSubnets").Subnets}}
	warm := c.begin(web, anywhere, 1) // the first task makes what stays as long as the agent runs
	c.waitTasks("RUNNING", warm...)
	c.stop(warm...)
	before := l.swept(c, "")
	if _, err := c.ecs.CreateService(context.Background(), &awsecs.CreateServiceInput{
		ServiceName: aws.String("web"), TaskDefinition: &web, DesiredCount: aws.Int32(5), NetworkConfiguration: anywhere,
	}); err != nil {
		t.Fatal(err)
	}
	old := c.begin(web, anywhere, 10)
	c.waitTasks("RUNNING", old...)
	c.begin(web, anywhere, 5)
	for _, arn := range old {
		if _, err := c.ecs.StopTask(context.Background(), &awsecs.StopTaskInput{Task: &arn}); err != nil {
			t.Fatal(err)
		}
	}
	site.Eventually(t, "the storm is in its middle", func() error {
		for _, task := range c.describe(old...) {
			if *task.LastStatus == "STOPPED" {
				return nil
			}
		}
		return errors.New("no task has stopped")
	})
	l.kill("agent", "up", "server")
	l.engine.kill()
	if len(site.VPCs(l.data)) == 0 || len(l.engine.left()) == 0 {
		t.Fatal("the storm was over: the test does not show what it should")
	}
	l.engine.start()
	l.start()
	c = l.control()
	if _, err := c.ecs.DeleteService(context.Background(), &awsecs.DeleteServiceInput{Service: aws.String("web"), Force: aws.Bool(true)}); err != nil {
		t.Fatal(err)
	}
	for _, arn := range c.tasks(types.DesiredStatusRunning) {
		if _, err := c.ecs.StopTask(context.Background(), &awsecs.StopTaskInput{Task: &arn}); err != nil {
			t.Fatal(err)
		}
	}
	l.swept(c, before)
}

// begin runs tasks.
func (c *control) begin(definition string, on *types.NetworkConfiguration, count int32) (arns []string) {
	c.t.Helper()
	out, err := c.ecs.RunTask(context.Background(), &awsecs.RunTaskInput{TaskDefinition: &definition, Count: &count, NetworkConfiguration: on})
	if err != nil {
		c.t.Fatal(err)
	}
	for _, f := range out.Failures {
		c.t.Fatalf("run a task: %s %s", aws.ToString(f.Reason), aws.ToString(f.Detail))
	}
	for _, task := range out.Tasks {
		arns = append(arns, *task.TaskArn)
	}
	return arns
}

// left are the processes of the engine's containers, which run on without it.
func (e *engine) left() (pids []int) {
	all, err := filepath.Glob("/proc/[0-9]*/mountinfo")
	if err != nil {
		e.t.Fatal(err)
	}
	for _, file := range all {
		text, err := os.ReadFile(file)
		if err != nil {
			continue
		}
		for line := range strings.Lines(string(text)) {
			var pid int
			if f := strings.Fields(line); len(f) > 4 && f[4] == "/" && strings.Contains(line, e.dir+"/") {
				if _, err := fmt.Sscanf(file, "/proc/%d/", &pid); err == nil {
					pids = append(pids, pid)
				}
			}
		}
	}
	return pids
}

// swept waits until no interface is left, nor a trace of a task beyond what was there before; "" does not ask that. It returns the traces.
func (l *local) swept(c *control, before string) (now string) {
	l.t.Helper()
	deadline := time.Now().Add(site.Patience)
	for ; ; time.Sleep(200 * time.Millisecond) {
		interfaces, tasks := c.interfaces(), len(site.VPCs(l.data))+len(l.engine.containers())+len(l.engine.left())+len(groups(l.data))
		now = l.traces() // after that: what was gone then is not in it
		if len(interfaces) == 0 && tasks == 0 && (before == "" || now == before) {
			return now
		}
		if time.Now().After(deadline) {
			l.t.Fatalf("there are still the interfaces %v, %d processes of containers, and on the machine\n%s\nwhere there was before\n%s", interfaces, len(l.engine.left()), now, before)
		}
	}
}
