package faults

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/e2e/site"
	"berth/internal/agent/docker"
)

// container is one that the engine started, and the task it is of.
type container struct{ id, task, name string }

// machine is a real agent of the installation, on the machine's engine.
type machine struct {
	t            testing.TB
	installation string
	mu           sync.Mutex
	started      map[container]int // as the engine itself tells
}

// startMachine joins an agent that reaches the engine as it is told to.
func startMachine(s *site.Site, engine *site.Engine) *machine {
	t := s.T
	t.Helper()
	server, data := s.Members[0], t.TempDir()
	agent := exec.Command(site.Berth(t), "agent", "--data", data, "--server", "http://"+server.Listen, "--token", strings.TrimSpace(server.Run("token")),
		"--docker", engine.Address, "--cpu", "4096", "--memory", "2048")
	log, err := os.Create(filepath.Join(data, "log"))
	if err != nil {
		t.Fatal(err)
	}
	agent.Stdout, agent.Stderr = log, log
	if err := agent.Start(); err != nil {
		t.Fatal(err)
	}
	m := &machine{t: t, started: map[container]int{}}
	t.Cleanup(func() {
		_ = agent.Process.Kill() // it may have ended
		_ = agent.Wait()         // it was killed
		log.Close()
		m.clear()
		if t.Failed() {
			b, _ := os.ReadFile(log.Name()) // none
			t.Logf("== the agent\n%s", b[max(0, len(b)-6000):])
		}
	})
	site.Eventually(t, "the machine has joined", func() error {
		var in struct{ ID string }
		b, err := os.ReadFile(filepath.Join(data, "berth.json"))
		if err == nil {
			err = json.Unmarshal(b, &in)
		}
		m.installation = in.ID
		return err
	})
	m.watch()
	return m
}

func (m *machine) label() string { return "label=berth.installation=" + m.installation }

// watch hears from the engine itself, not through the agent's socket, which containers it starts.
func (m *machine) watch() {
	m.t.Helper()
	events := exec.Command("docker", "events", "--filter", "type=container", "--filter", "event=start", "--filter", m.label(), "--format", "{{json .Actor}}")
	out, err := events.StdoutPipe()
	if err == nil {
		err = events.Start()
	}
	if err != nil {
		m.t.Fatal(err)
	}
	var reading sync.WaitGroup
	reading.Go(func() {
		for lines := bufio.NewScanner(out); lines.Scan(); {
			var a struct {
				ID         string
				Attributes map[string]string
			}
			if json.Unmarshal(lines.Bytes(), &a) == nil {
				m.mu.Lock()
				m.started[container{a.ID, a.Attributes["com.amazonaws.ecs.task-arn"], a.Attributes["com.amazonaws.ecs.container-name"]}]++
				m.mu.Unlock()
			}
		}
	})
	m.t.Cleanup(func() {
		_ = events.Process.Kill() // it may have ended
		reading.Wait()
		_ = events.Wait() // it was killed
	})
}

// runs are the tasks whose containers run.
func (m *machine) runs() (tasks []string, err error) {
	out, err := exec.Command("docker", "ps", "--filter", m.label(), "--format", `{{.Label "com.amazonaws.ecs.task-arn"}}`).Output()
	tasks = strings.Fields(string(out))
	slices.Sort(tasks)
	return tasks, err
}

// clear removes the installation's containers.
func (m *machine) clear() {
	out, err := exec.Command("docker", "ps", "-aq", "--filter", m.label()).Output()
	if ids := strings.Fields(string(out)); err == nil && len(ids) > 0 && m.installation != "" {
		out, err = exec.Command("docker", append([]string{"rm", "-f"}, ids...)...).CombinedOutput()
	}
	if err != nil {
		m.t.Errorf("remove containers: %v: %s", err, out)
	}
}

// once checks that no container was started twice, and no task has two of one name.
func (m *machine) once() {
	m.t.Helper()
	m.mu.Lock()
	defer m.mu.Unlock()
	of := map[[2]string]string{}
	for c, n := range m.started {
		if n != 1 {
			m.t.Errorf("%+v was started %d times", c, n)
		}
		key := [2]string{c.task, c.name}
		if other := of[key]; other != "" {
			m.t.Errorf("%s has the containers %s and %s, both started", c.task, other, c.id)
		}
		of[key] = c.id
	}
	m.t.Logf("%d containers were started", len(m.started))
}

// TestEngine is a real agent on an engine whose answers come late, are lost and stand still while tasks start and stop: each container is
// started once, no status goes back, and all is as it should be when the engine is quick again.
func TestEngine(t *testing.T) {
	t.Parallel()
	const image = "berth-test/busybox:1"
	real, err := docker.Open("", "")
	if err == nil {
		err = real.ImportImage(t.Context(), image, "/bin/busybox", docker.ImageConfig{Links: []string{"/bin/sh", "/bin/sleep", "/bin/true"}})
	}
	if err != nil {
		t.Fatal(err)
	}
	defer real.Close()
	engine := site.NewEngine(t)
	s := site.Open(t, 1, nil)
	api := s.Members[0].Client()
	m := startMachine(s, engine)
	_, err = api.RegisterTaskDefinition(t.Context(), &awsecs.RegisterTaskDefinitionInput{
		Family: aws.String("slow"), ContainerDefinitions: []types.ContainerDefinition{{
			Name: aws.String("main"), Image: aws.String(image), EntryPoint: []string{"/bin/sleep"}, Command: []string{"3600"},
			Cpu: 64, Memory: aws.Int32(32), StopTimeout: aws.Int32(2),
		}},
	})
	if err == nil {
		_, err = api.CreateService(t.Context(), &awsecs.CreateServiceInput{ServiceName: aws.String("slow"), TaskDefinition: aws.String("slow"), DesiredCount: aws.Int32(2)})
	}
	if err != nil {
		t.Fatal(err)
	}
	rest := func(count int) {
		t.Helper()
		site.Eventually(t, fmt.Sprintf("%d tasks run", count), func() error { return atRest(t, api, m, count) })
	}
	scale := func(count int32) {
		t.Helper()
		if _, err := api.UpdateService(t.Context(), &awsecs.UpdateServiceInput{Service: aws.String("slow"), DesiredCount: &count}); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	var watch sync.WaitGroup
	watch.Go(func() { neverBack(ctx, t, api) })
	defer func() { cancel(); watch.Wait() }()
	rest(2)

	engine.Late(500 * time.Millisecond)
	scale(4)
	rest(4)

	engine.Lose(0.3)
	for n := range int32(6) {
		scale(2 + 3*(n%2))
		time.Sleep(apart)
	}
	engine.Heal()
	rest(5)

	engine.Stall()
	scale(3)
	time.Sleep(2 * apart)
	scale(6)
	time.Sleep(5 * apart)
	engine.Heal()
	rest(6)

	scale(0)
	rest(0)
	m.once()
}

// atRest says what is not as it should be: the service has its tasks, all run, and the engine runs just these.
func atRest(t *testing.T, api *awsecs.Client, m *machine, count int) error {
	out, err := api.DescribeServices(t.Context(), &awsecs.DescribeServicesInput{Services: []string{"slow"}})
	if err != nil {
		return err
	}
	if s := out.Services[0]; int(s.RunningCount) != count || s.PendingCount != 0 {
		return fmt.Errorf("%d run and %d are pending", s.RunningCount, s.PendingCount)
	}
	list, err := api.ListTasks(t.Context(), &awsecs.ListTasksInput{ServiceName: aws.String("slow")})
	if err != nil {
		return err
	}
	slices.Sort(list.TaskArns)
	tasks, err := m.runs()
	if err == nil && !slices.Equal(tasks, list.TaskArns) {
		err = fmt.Errorf("containers run of\n%v\nand the tasks are\n%v", tasks, list.TaskArns)
	}
	return err
}

// neverBack looks at all tasks until ctx ends, and finds those whose status goes back.
func neverBack(ctx context.Context, t *testing.T, api *awsecs.Client) {
	was := map[string]int{}
	for ; ctx.Err() == nil; pause(ctx, 100*time.Millisecond) {
		var all []string
		for _, desired := range []types.DesiredStatus{types.DesiredStatusRunning, types.DesiredStatusStopped} {
			if list, err := api.ListTasks(ctx, &awsecs.ListTasksInput{DesiredStatus: desired}); err == nil {
				all = append(all, list.TaskArns...)
			}
		}
		if len(all) == 0 {
			continue
		}
		out, err := api.DescribeTasks(ctx, &awsecs.DescribeTasksInput{Tasks: all[:min(100, len(all))]})
		if err != nil {
			continue // the next look tells
		}
		for _, x := range out.Tasks {
			now := rank(*x.LastStatus)
			if now < was[*x.TaskArn] {
				t.Errorf("%s went back to %s", *x.TaskArn, *x.LastStatus)
			}
			was[*x.TaskArn] = now
		}
	}
}
