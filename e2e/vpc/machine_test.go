package vpc

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"

	"berth/e2e/site"
)

// machine is one with an engine and an agent of its own.
type machine struct {
	t        *testing.T
	on       *site.Network
	number   int
	engine   *engine
	data     string
	instance string // its ARN
	agent    *exec.Cmd
}

// newMachine joins machine number n.
func newMachine(s *site.Site, c *control, n int) *machine {
	t := c.t
	t.Helper()
	data := t.TempDir()
	t.Cleanup(func() { removeGroups(data) }) // after the engine
	m := &machine{t: t, on: s.Network, number: n, engine: newEngine(t, s.Network, n), data: data}
	known := c.instances()
	t.Cleanup(m.clear)
	m.start("--token", strings.TrimSpace(s.Members[0].Run("token")))
	site.Eventually(t, fmt.Sprintf("machine %d has joined", n), func() error {
		for _, arn := range c.instances() {
			if !slices.Contains(known, arn) {
				m.instance = arn
				return nil
			}
		}
		return fmt.Errorf("there are %d instances", len(known))
	})
	return m
}

// start starts the agent.
func (m *machine) start(flags ...string) {
	m.t.Helper()
	log, err := os.OpenFile(filepath.Join(m.data, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		m.t.Fatal(err)
	}
	defer log.Close()
	m.agent = m.on.Command(m.number, site.Berth(m.t), append([]string{"agent", "--data", m.data, "--server", "http://" + m.on.Address(1) + ":3270", "--docker", m.engine.host,
		"--underlay-address", m.on.Address(m.number), "--cpu", "2048", "--memory", "1024"}, flags...)...)
	m.agent.Stdout, m.agent.Stderr = log, log
	if err := m.agent.Start(); err != nil {
		m.t.Fatal(err)
	}
}

// kill ends the agent without a word.
func (m *machine) kill() {
	if m.agent == nil || m.agent.Process == nil {
		return // it could not be started
	}
	_ = m.agent.Process.Kill() // it may have ended
	_ = m.agent.Wait()         // it was killed
}

// clear ends the agent, and removes what a test that failed has left of VPCs.
func (m *machine) clear() {
	m.kill()
	if m.t.Failed() {
		text, _ := os.ReadFile(filepath.Join(m.data, "log")) // none
		m.t.Logf("== agent of machine %d\n%s", m.number, text[max(0, len(text)-4000):])
	}
	for _, name := range site.VPCs(m.data) {
		if out, err := exec.Command("ip", "netns", "delete", name).CombinedOutput(); err != nil {
			m.t.Errorf("remove %s: %v %s", name, err, out)
		}
	}
}

// running is a task that runs, with its interface.
type running struct {
	*machine
	arn, address string
	family       string
	pid          int
}

// run starts a task on the machine, and waits until it runs.
func (m *machine) run(c *control, definition, subnet string, groups ...string) *running {
	m.t.Helper()
	out, err := c.ecs.StartTask(context.Background(), &awsecs.StartTaskInput{TaskDefinition: &definition, ContainerInstances: []string{m.instance}, NetworkConfiguration: network(subnet, groups...)})
	if err != nil {
		m.t.Fatalf("start a task on machine %d: %v", m.number, err)
	}
	for _, f := range out.Failures {
		m.t.Fatalf("start a task on machine %d: %s %s", m.number, aws.ToString(f.Reason), aws.ToString(f.Detail))
	}
	return m.find(c, *out.Tasks[0].TaskArn)
}

// find waits until a task of the machine runs.
func (m *machine) find(c *control, arn string) *running {
	m.t.Helper()
	t := c.waitTasks("RUNNING", arn)[0]
	pid, err := m.engine.pid(arn)
	if err != nil {
		m.t.Fatal(err)
	}
	_, family, _ := strings.Cut(*t.Group, ":")
	return &running{m, arn, detail(t, "privateIPv4Address"), family, pid}
}

// name is what a task says: its family, or that of its service, and the host name of its address.
func (r *running) name() string {
	return r.family + " of ip-" + strings.ReplaceAll(r.address, ".", "-")
}

// says is what whoever has an address answers a task at port 80.
func (r *running) says(address string) (string, error) {
	out, err := exec.Command("nsenter", fmt.Sprintf("--net=/proc/%d/ns/net", r.pid), "busybox", "nc", "-w", "2", address, "80").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%s asks %s: %w: %s", r.name(), address, err, out)
	}
	return strings.TrimSpace(string(out)), nil
}

// asks is one try to reach another task.
func (r *running) asks(o *running) error {
	got, err := r.says(o.address)
	if err == nil && got != o.name() {
		err = fmt.Errorf("%s asks %s and is answered by %q", r.name(), o.address, got)
	}
	return err
}

// reaches waits until a task reaches others: their programs may have started only now.
func (r *running) reaches(others ...*running) {
	r.t.Helper()
	for _, o := range others {
		site.Eventually(r.t, fmt.Sprintf("%s on machine %d reaches %s on machine %d", r.name(), r.number, o.name(), o.number), func() error { return r.asks(o) })
	}
}

// reachesNot fails if a task reaches an address.
func (r *running) reachesNot(address string) {
	r.t.Helper()
	if got, err := r.says(address); err == nil {
		r.t.Errorf("%s on machine %d reaches %s, where %q answers", r.name(), r.number, address, got)
	}
}
