package agent_test

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"berth/internal/acsproto"
	"berth/internal/agent"
	"berth/internal/agent/agenttest"
)

const (
	fileOne = "arn:aws:s3:::b/one.env"
	fileTwo = "arn:aws:s3:::b/two.env"
)

// withFiles gives a container environment files.
func withFiles(c acsproto.Container, files ...string) acsproto.Container {
	for _, f := range files {
		c.EnvironmentFiles = append(c.EnvironmentFiles, acsproto.EnvironmentFile{Value: f, Type: "s3"})
	}
	return c
}

// executed gives a task an execution role.
func executed(t acsproto.Task) acsproto.Task {
	t.ExecutionRoleCredentials = &acsproto.RoleCredentials{CredentialsID: "e", AccessKeyID: "ASIA"}
	return t
}

// TestEnvironmentFiles: the first file that names a variable has it, the container's own environment and its secrets come before; nothing else has it.
func TestEnvironmentFiles(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		var log strings.Builder
		w.config.Log = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
		f := &agenttest.Files{}
		f.Set(fileOne, map[string]string{"A": hush, "B": "of one", "PLAIN": "of one", "SECRET": "of one", "AWS_EXECUTION_ENV": "x"})
		f.Set(fileTwo, map[string]string{"A": "of two", "C": "c c"})
		w.config.EnvironmentFiles, w.config.Secrets = f, &agenttest.Secrets{}
		w.start()
		defer func() { w.kill() }()
		a := withFiles(withSecrets(essential("a", "app"), secret("SECRET", "/p", "CONTAINER")), fileOne, fileTwo)
		a.Environment = map[string]string{"PLAIN": "plain", "AWS_EXECUTION_ENV": "AWS_ECS_EC2"}
		b := withFiles(essential("b", "app"), fileTwo)
		one := executed(task(1, a, b))
		w.control.Run(one)
		time.Sleep(time.Second)
		w.expect(one.ARN, "RUNNING a:RUNNING b:RUNNING")
		for _, c := range [][3]string{{"a", "A", hush}, {"a", "B", "of one"}, {"a", "C", "c c"}, {"a", "PLAIN", "plain"}, {"a", "SECRET", "value of /p"},
			{"a", "AWS_EXECUTION_ENV", "AWS_ECS_EC2"}, {"b", "A", "of two"}, {"b", "B", ""}} {
			if got := w.engine.Variable(w.name(c[0]), c[1]); got != c[2] {
				t.Errorf("container %s has %s=%q, want %q", c[0], c[1], got, c[2])
			}
		}
		if n := f.Calls(); n != 1 {
			t.Errorf("files were read %d times, want once", n)
		}
		if !slices.Contains(attributeNames(w), "ecs.capability.env-files.s3") {
			t.Error("the instance has no attribute of environment files")
		}
		time.Sleep(time.Minute)
		told := fmt.Sprintf("%+v", w.control.Reports(one.ARN))
		for what, text := range map[string]string{"the ledger": w.ledger.Text(), "a report": told, "the log": log.String()} {
			if strings.Contains(text, hush) {
				t.Errorf("%s has the variable: %s", what, text)
			}
		}
	})
}

// TestEnvironmentFilesThatCannotBe: a task whose files are not to be had never starts, for the reason that ECS gives, which differs by launch type.
func TestEnvironmentFilesThatCannotBe(t *testing.T) {
	const fargate = "ResourceInitializationError: failed to download env files: file download command: non empty error stream: "
	const onEC2 = "unable to download env file with key f.env from bucket b, error: "
	fault := agent.FileFault{Bucket: "b", Key: "f.env", Reason: "AccessDenied: Access Denied"}
	busy := fault
	busy.Later, busy.Reason = true, "SlowDown: x"
	for _, c := range []struct {
		name, launch string
		err          error
		role         bool
		want         string
	}{
		{"denied", "EC2", &fault, true, onEC2 + "AccessDenied: Access Denied"},
		{"denied", "FARGATE", &fault, true, fargate + "AccessDenied: Access Denied"},
		{"busy", "EC2", &busy, true, onEC2 + "SlowDown: x"},
		{"hangs", "EC2", context.DeadlineExceeded, true, onEC2 + "RequestCanceled: request context canceled caused by: context deadline exceeded"},
		{"hangs", "FARGATE", context.DeadlineExceeded, true, fargate + "RequestCanceled: request context canceled caused by: context deadline exceeded"},
		{"no control plane", "EC2", agent.ErrNoCredentials, true, "environment file resource: " + agent.ErrNoCredentials.Error()},
		{"no role", "EC2", nil, false, "environment file resource: unable to find execution role credentials"},
	} {
		t.Run(c.name+" "+c.launch, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				f := &agenttest.Files{}
				f.Refuse(c.err)
				w.config.EnvironmentFiles = f
				w.start()
				defer func() { w.kill() }()
				one := task(1, essential("a", "app"), withFiles(essential("b", "app"), fileOne))
				if one.LaunchType = c.launch; c.role {
					one = executed(one)
				}
				w.control.Run(one)
				time.Sleep(4 * time.Minute)
				w.expect(one.ARN, "STOPPED a:STOPPED b:STOPPED "+c.want)
				if n := w.engine.Containers(agent.Created) + w.engine.Containers(agent.Running) + w.engine.Containers(agent.Exited); n > 0 {
					t.Errorf("%d containers were created", n)
				}
			})
		})
	}
}

// TestEnvironmentFilesLater: a store that is busy for a moment is asked again, and a task that is stopped meanwhile waits no longer.
func TestEnvironmentFilesLater(t *testing.T) {
	for name, c := range map[string]struct {
		do   func(w *world, f *agenttest.Files)
		want string
	}{
		"it comes back": {func(_ *world, f *agenttest.Files) { f.Refuse(nil); time.Sleep(20 * time.Second) }, "RUNNING a:RUNNING"},
		"the control plane comes back": {func(_ *world, f *agenttest.Files) {
			f.Refuse(agent.ErrNoCredentials)
			time.Sleep(2 * time.Minute)
			f.Refuse(nil)
			time.Sleep(time.Minute)
		}, "RUNNING a:RUNNING"},
		"stopped meanwhile": {func(w *world, _ *agenttest.Files) { w.control.Stop(task(1).ARN); time.Sleep(time.Second) }, "STOPPED a:STOPPED"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				f := &agenttest.Files{}
				f.Refuse(context.DeadlineExceeded)
				w.config.EnvironmentFiles = f
				w.start()
				defer func() { w.kill() }()
				one := executed(task(1, withFiles(essential("a", "app"), fileOne)))
				w.control.Run(one)
				time.Sleep(5 * time.Second)
				c.do(w, f)
				w.expect(one.ARN, c.want)
			})
		})
	}
}

// TestEnvironmentFilesRefused: a file that this agent cannot read is refused by name.
func TestEnvironmentFilesRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.config.EnvironmentFiles = &agenttest.Files{}
		w.start()
		defer func() { w.kill() }()
		c := withFiles(essential("a", "app"), fileOne)
		c.EnvironmentFiles[0].Type = "gs"
		one := executed(task(1, c))
		w.control.Run(one)
		time.Sleep(time.Second)
		w.expect(one.ARN, `STOPPED UnrecogniedTaskError: Error loading task - container a: environment file "`+fileOne+`": type "gs" is not served by this agent`)
	})
}
