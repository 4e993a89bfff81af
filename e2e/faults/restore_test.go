package faults

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"

	"berth/e2e/site"
	"berth/internal/simulate"
)

// ledger is what the agents did, as they reported it.
type ledger struct {
	mu  sync.Mutex
	is  map[string]string // the last report of each task
	ran map[string]int
}

func (l *ledger) taken(task, status string, _ time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.is[task] = status
	if status == "RUNNING" {
		l.ran[task]++
	}
}

// are says which of the tasks were not last reported to be so.
func (l *ledger) are(status string, tasks []string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, t := range tasks {
		if l.is[t] != status {
			return fmt.Errorf("%s is %s, want %s", t, l.is[t], status)
		}
	}
	return nil
}

// TestRestore takes the state of one server back to a snapshot, under a running fleet.
func TestRestore(t *testing.T) {
	t.Parallel()
	s := site.Open(t, 1, site.NewNetwork(t, 1))
	takeBack(s, func(file string) {
		server := s.Members[0]
		server.Kill()
		server.Run("snapshot", "restore", file)
		server.Start()
	})
}

// TestRestoreOfThree does it as docs/operations.md tells to do it with a cluster: all replicas are stopped, one is restored and begins a new
// cluster, the others join it with empty data directories.
func TestRestoreOfThree(t *testing.T) {
	t.Parallel()
	s := site.Open(t, 3, site.NewNetwork(t, 3))
	takeBack(s, func(file string) {
		for _, r := range s.Members {
			r.Drain()
		}
		first := s.Members[0]
		first.Run("snapshot", "restore", file)
		first.Start("--cluster-init")
		first.WaitReady()
		for _, r := range s.Members[1:] {
			if err := os.RemoveAll(r.Data); err != nil {
				t.Fatal(err)
			}
			r.Join(first)
		}
	})
	leader := s.Leader()
	leader.Kill() // it is a cluster again: two of the three go on
	for _, r := range s.Without(leader) {
		r.WaitWritable()
	}
}

// takeBack restores a snapshot. The control plane has forgotten what came after the snapshot; the machines have not. What was stopped must not
// run again, what runs unknown must stop, and what was there then must go on as it is.
func takeBack(s *site.Site, restore func(file string)) {
	t := s.T
	l := &ledger{is: map[string]string{}, ran: map[string]int{}}
	var fleets []*simulate.Fleet
	for _, r := range s.Members {
		fleets = append(fleets, startFleet(r, 4/len(s.Members)+1, l.taken))
	}
	definition := define(s)
	steady := serve(s, definition, 6)
	early := runTasks(s, definition, 4)
	site.Eventually(t, "tasks run", func() error { return l.are("RUNNING", early) })

	file := filepath.Join(t.TempDir(), "snapshot")
	s.Members[len(s.Members)-1].Run("snapshot", "save", file)
	stopped := early[:2]
	for _, task := range stopped {
		if _, err := s.Members[0].Client().StopTask(context.Background(), &awsecs.StopTaskInput{Task: &task}); err != nil {
			t.Fatal(err)
		}
	}
	late := runTasks(s, definition, 2)
	site.Eventually(t, "tasks stop", func() error { return l.are("STOPPED", stopped) })
	site.Eventually(t, "tasks run", func() error { return l.are("RUNNING", late) })

	var sessions []int64
	for _, f := range fleets {
		sessions = append(sessions, f.Manifests.Load())
	}
	restore(file)
	s.WaitReady()
	for i, f := range fleets {
		s.WaitSessions(f, sessions[i])
	}
	site.Eventually(t, "what the control plane does not know is stopped", func() error { return l.are("STOPPED", late) })
	newer := runTasks(s, definition, 2) // orders reach the instances again
	site.Eventually(t, "new tasks run", func() error { return l.are("RUNNING", newer) })
	if site.Soak() > 0 { // telemetry has two minutes to prove that a task lives
		began := time.Now()
		for status(s, stopped) != "STOPPED STOPPED" {
			if time.Since(began) > 4*time.Minute {
				t.Fatalf("the tasks that nobody has are %s", status(s, stopped))
			}
			time.Sleep(time.Second)
		}
	}
	if after := served(s, 6); !slices.Equal(after, steady) {
		t.Errorf("the service's tasks were\n%v\nand are\n%v", steady, after)
	}
	if err := l.are("RUNNING", slices.Concat(steady, early[2:])); err != nil {
		t.Error(err)
	}
	if err := l.are("STOPPED", stopped); err != nil {
		t.Error(err)
	}
	l.once(t)
}

// once checks that no task was started twice.
func (l *ledger) once(t testing.TB) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	for task, n := range l.ran {
		if n != 1 {
			t.Errorf("%s was started %d times", task, n)
		}
	}
}

// runTasks runs so many tasks.
func runTasks(s *site.Site, definition string, count int32) (tasks []string) {
	s.T.Helper()
	out, err := s.Members[0].Client().RunTask(context.Background(), &awsecs.RunTaskInput{TaskDefinition: &definition, Count: &count})
	if err != nil || len(out.Tasks) != int(count) {
		s.T.Fatalf("run %d tasks: %+v, %v", count, out, err)
	}
	for _, t := range out.Tasks {
		tasks = append(tasks, *t.TaskArn)
	}
	return tasks
}

// status is the last status of each of the tasks.
func status(s *site.Site, tasks []string) (text string) {
	s.T.Helper()
	out, err := s.Members[0].Client().DescribeTasks(context.Background(), &awsecs.DescribeTasksInput{Tasks: tasks})
	if err != nil {
		s.T.Fatal(err)
	}
	for i, t := range out.Tasks {
		if i > 0 {
			text += " "
		}
		text += aws.ToString(t.LastStatus)
	}
	return text
}
