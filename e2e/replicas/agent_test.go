package replicas

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"

	"berth/e2e/site"
)

// TestAgentOfThreeReplicas: an agent that knows all replicas goes on with another one when its own dies, and starts again without flags while
// that is away.
func TestAgentOfThreeReplicas(t *testing.T) {
	t.Parallel()
	s := embedded(t)
	var all []string
	for _, r := range s.Members {
		all = append(all, "http://"+r.Listen)
	}
	a := &agent{t: t, data: t.TempDir()}
	token := strings.TrimSpace(s.Members[0].Run("token"))
	a.start("--server", strings.Join(all[:2], ","), "--server", all[2], "--token", token)
	t.Cleanup(a.kill)
	reachable(s, s.Members)
	a.kill()
	a.start() // without the connection over which it joined, which may be another replica's
	reachable(s, s.Members)
	one := a.uses(s)
	if len(one) != 1 {
		t.Fatalf("it is connected to %v", one)
	}
	own := one[0]
	own.Kill()
	reachable(s, s.Without(own))
	if next := a.uses(s); len(next) == 0 || slices.Contains(next, own) { // one that takes no sessions yet may have been asked on the way to the other
		t.Errorf("it is connected to %v, %v is dead", next, own)
	}
	a.kill()
	a.start()
	reachable(s, s.Without(own))
}

// uses are the replicas that the agent is connected to.
func (a *agent) uses(s *site.Site) (all []*site.Replica) {
	a.t.Helper()
	sockets := map[string]bool{}
	process := fmt.Sprintf("/proc/%d/", a.process.Process.Pid)
	files, err := os.ReadDir(process + "fd")
	if err != nil {
		a.t.Fatal(err)
	}
	for _, f := range files {
		if to, err := os.Readlink(process + "fd/" + f.Name()); err == nil { // it may be closed by now
			sockets[strings.TrimSuffix(strings.TrimPrefix(to, "socket:["), "]")] = true
		}
	}
	table, err := os.ReadFile(process + "net/tcp")
	if err != nil {
		a.t.Fatal(err)
	}
	const remote, state, inode, established = 2, 3, 9, "01"
	for line := range strings.Lines(string(table)) {
		f := strings.Fields(line)
		if len(f) <= inode || f[state] != established || !sockets[f[inode]] {
			continue
		}
		for _, r := range s.Members {
			_, port, _ := net.SplitHostPort(r.Listen)
			n, _ := strconv.Atoi(port)
			if strings.HasSuffix(f[remote], fmt.Sprintf(":%04X", n)) && !slices.Contains(all, r) {
				all = append(all, r)
			}
		}
	}
	return all
}

// agent is a real agent's process, on the machine's own container engine.
type agent struct {
	t       *testing.T
	data    string
	log     bytes.Buffer
	process *exec.Cmd
}

func (a *agent) start(flags ...string) {
	a.t.Helper()
	a.process = exec.Command(site.Berth(a.t), append([]string{"agent", "--data", a.data}, flags...)...)
	a.process.Stdout, a.process.Stderr = &a.log, &a.log
	if err := a.process.Start(); err != nil {
		a.t.Fatal(err)
	}
}

// kill ends the process without a word.
func (a *agent) kill() {
	if a.process == nil {
		return
	}
	if err := a.process.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		a.t.Error(err)
	}
	_ = a.process.Wait() // killed
	a.process = nil
	if a.t.Failed() {
		a.t.Logf("== agent\n%s", a.log.String())
	}
}

// reachable waits until the one container instance has both sessions with the leader among the replicas, and keeps them for a moment: the
// sessions through a replica that has just died end at once.
func reachable(s *site.Site, among []*site.Replica) {
	s.T.Helper()
	since := time.Time{}
	site.Eventually(s.T, "the agent has its sessions", func() error {
		leader := s.Leader(among...)
		err := connectedTo(leader)
		switch {
		case err != nil:
			since = time.Time{}
			return err
		case since.IsZero():
			since = time.Now()
		}
		if time.Since(since) < 500*time.Millisecond {
			return errors.New("it has them only now")
		}
		return nil
	})
}

func connectedTo(leader *site.Replica) error {
	_, metrics := leader.Get("/metrics")
	for _, kind := range []string{"acs", "tcs"} {
		if !strings.Contains(metrics, fmt.Sprintf("berth_agent_sessions{kind=%q} 1", kind)) {
			return fmt.Errorf("no session of kind %s", kind)
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	list, err := leader.Client().ListContainerInstances(ctx, &awsecs.ListContainerInstancesInput{})
	if err != nil {
		return err
	}
	if len(list.ContainerInstanceArns) != 1 {
		return fmt.Errorf("container instances %v, want one", list.ContainerInstanceArns)
	}
	out, err := leader.Client().DescribeContainerInstances(ctx, &awsecs.DescribeContainerInstancesInput{ContainerInstances: list.ContainerInstanceArns})
	if err != nil {
		return err
	}
	if i := out.ContainerInstances[0]; !i.AgentConnected || aws.ToString(i.Status) != "ACTIVE" {
		return fmt.Errorf("%s, connected %v", aws.ToString(i.Status), i.AgentConnected)
	}
	return nil
}
