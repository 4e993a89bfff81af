package faults

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"
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

// TestRestore takes the state back to a snapshot under a running fleet. The control plane has forgotten what came after the snapshot; the
// machines have not. What was stopped must not run again, what runs unknown must stop, and what was there then must go on as it is.
func TestRestore(t *testing.T) {
	t.Parallel()
	s := open(t, 1)
	server := s.members[0]
	l := &ledger{is: map[string]string{}, ran: map[string]int{}}
	fleet := server.startFleet(4, l.taken)
	definition := s.define()
	steady := s.serve(definition, 6)
	early := s.runTasks(definition, 4)
	eventually(t, "tasks run", func() error { return l.are("RUNNING", early) })

	file := filepath.Join(t.TempDir(), "snapshot")
	server.run("snapshot", "save", file)
	stopped := early[:2]
	for _, task := range stopped {
		if _, err := server.client().StopTask(t.Context(), &awsecs.StopTaskInput{Task: &task}); err != nil {
			t.Fatal(err)
		}
	}
	late := s.runTasks(definition, 2)
	eventually(t, "tasks stop", func() error { return l.are("STOPPED", stopped) })
	eventually(t, "tasks run", func() error { return l.are("RUNNING", late) })

	server.kill()
	server.run("snapshot", "restore", file)
	sessions := fleet.Manifests.Load()
	server.start("--listen", server.listen())
	server.waitReady()
	eventually(t, "the sessions are back", func() error {
		if n := fleet.Manifests.Load() - sessions; n < 4 {
			return fmt.Errorf("%d of 4", n)
		}
		return nil
	})
	eventually(t, "what the control plane does not know is stopped", func() error { return l.are("STOPPED", late) })
	newer := s.runTasks(definition, 2) // orders reach the instances again
	eventually(t, "new tasks run", func() error { return l.are("RUNNING", newer) })
	if *soak > 0 { // telemetry has two minutes to prove that a task lives
		began := time.Now()
		for s.status(stopped) != "STOPPED STOPPED" {
			if time.Since(began) > 4*time.Minute {
				t.Fatalf("the tasks that nobody has are %s", s.status(stopped))
			}
			time.Sleep(time.Second)
		}
	}
	if after := s.served(6); !slices.Equal(after, steady) {
		t.Errorf("the service's tasks were\n%v\nand are\n%v", steady, after)
	}
	if err := l.are("RUNNING", slices.Concat(steady, early[2:])); err != nil {
		t.Error(err)
	}
	if err := l.are("STOPPED", stopped); err != nil {
		t.Error(err)
	}
	for task, n := range l.ran {
		if n != 1 {
			t.Errorf("%s was started %d times", task, n)
		}
	}
}

// runTasks runs so many tasks.
func (s *site) runTasks(definition string, count int32) (tasks []string) {
	s.t.Helper()
	out, err := s.members[0].client().RunTask(context.Background(), &awsecs.RunTaskInput{TaskDefinition: &definition, Count: &count})
	if err != nil || len(out.Tasks) != int(count) {
		s.t.Fatalf("run %d tasks: %+v, %v", count, out, err)
	}
	for _, t := range out.Tasks {
		tasks = append(tasks, *t.TaskArn)
	}
	return tasks
}

// status is the last status of each of the tasks.
func (s *site) status(tasks []string) (text string) {
	s.t.Helper()
	out, err := s.members[0].client().DescribeTasks(context.Background(), &awsecs.DescribeTasksInput{Tasks: tasks})
	if err != nil {
		s.t.Fatal(err)
	}
	for i, t := range out.Tasks {
		if i > 0 {
			text += " "
		}
		text += aws.ToString(t.LastStatus)
	}
	return text
}
