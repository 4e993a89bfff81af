package agent_test

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/smithy-go"

	"berth/internal/acs"
	"berth/internal/acsproto"
	"berth/internal/agent"
	"berth/internal/agent/agenttest"
)

// logBuffer takes what several write.
type logBuffer struct {
	mu  sync.Mutex
	all bytes.Buffer
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.all.Write(p)
}

// lines are those with all of some texts in them.
func (b *logBuffer) lines(texts ...string) (n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for line := range strings.Lines(b.all.String()) {
		is := true
		for _, text := range texts {
			is = is && strings.Contains(line, text)
		}
		if is {
			n++
		}
	}
	return n
}

func lacks(action string) error {
	return &smithy.GenericAPIError{Code: "AccessDeniedException", Message: "User: arn:aws:sts::123456789012:assumed-role/weak/AKIA1 is not authorized to perform: " + action +
		" on resource: arn:aws:ecs:us-east-1:123456789012:cluster/demo because no identity-based policy allows the " + action + " action"}
}

// TestRoleWithoutRights: an agent that may not do something says it once, however often it tries, and once that it may again; nothing else is said of these tries.
func TestRoleWithoutRights(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		defer func() { w.kill() }()
		log := &logBuffer{}
		w.config.Log = slog.New(slog.NewTextHandler(log, nil))
		calls := []struct{ call, action string }{
			{"register", "ecs:RegisterContainerInstance"}, {"discover", "ecs:DiscoverPollEndpoint"}, {"poll", "ecs:Poll"}, {"telemetry", "ecs:StartTelemetrySession"},
		}
		for _, c := range calls {
			err := lacks(c.action)
			if c.call == "poll" || c.call == "telemetry" {
				err = &acs.Denied{Message: lacks(c.action).(*smithy.GenericAPIError).Message}
			}
			w.control.Deny(c.call, err)
		}
		w.control.Refuse(lacks("ecs:SubmitTaskStateChange"))
		one := task(1, essential("a", "app"))
		w.control.Run(one)
		w.start()
		for _, c := range calls {
			time.Sleep(10 * time.Minute)
			if n := log.lines("level=ERROR", "action="+c.action, "role=arn:aws:iam::123456789012:role/weak", "AmazonEC2ContainerServiceforEC2Role"); n != 1 {
				t.Errorf("%s: told %d times", c.action, n)
			}
			if n := log.lines("allows it again", c.action); n != 0 {
				t.Errorf("%s: told %d times that it is back, and it is not", c.action, n)
			}
			w.control.Deny(c.call, nil)
			time.Sleep(time.Minute)
			if n := log.lines("level=INFO", "allows it again", "action="+c.action); n != 1 {
				t.Errorf("%s: told %d times that it is back", c.action, n)
			}
		}
		time.Sleep(10 * time.Minute)
		if n := log.lines("level=ERROR", "action=ecs:SubmitTaskStateChange"); n != 1 {
			t.Errorf("reports: told %d times", n)
		}
		w.control.Refuse(nil)
		time.Sleep(time.Minute)
		if n := log.lines("level=INFO", "allows it again", "action=ecs:SubmitTaskStateChange"); n != 1 || w.story(one.ARN) != "RUNNING a:RUNNING" {
			t.Errorf("reports: told %d times that they are taken again: %s", n, w.story(one.ARN))
		}
		if n := log.lines("trying again"); n != 0 {
			t.Errorf("%d lines about tries", n)
		}
	})
}

// TestKeyThatIsNotTaken: a key that the control plane does not know is told of once, with what to do.
func TestKeyThatIsNotTaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		defer func() { w.kill() }()
		log := &logBuffer{}
		w.config.Log = slog.New(slog.NewTextHandler(log, nil))
		w.control.Deny("register", &smithy.GenericAPIError{Code: "UnrecognizedClientException", Message: "The security token included in the request is invalid."})
		w.start()
		time.Sleep(time.Hour)
		if n, all := log.lines("level=ERROR", "berth token"), log.lines(""); n != 1 || all != 1 {
			t.Errorf("told %d times, in %d lines", n, all)
		}
	})
}

// TestRoleWithoutRightsForTasks: what an agent does for a task with its container instance's role is told as its own calls; with the task's it is the task's matter.
func TestRoleWithoutRightsForTasks(t *testing.T) {
	for _, c := range []struct {
		name   string
		ofTask bool // the task has a role for it
		action string
		fault  *agent.RegistryFault
		pull   error
		lines  int
	}{
		{"token", false, "ecr:GetAuthorizationToken", &agent.RegistryFault{Reason: "AccessDeniedException: " + lacks("ecr:GetAuthorizationToken").Error()}, nil, 1},
		{"token of the task's role", true, "ecr:GetAuthorizationToken", &agent.RegistryFault{Reason: "AccessDeniedException: " + lacks("ecr:GetAuthorizationToken").Error()}, nil, 0},
		{"layer", false, "ecr:GetDownloadUrlForLayer", nil, &agent.PullRefusedError{Err: errors.New("denied: " + lacks("ecr:GetDownloadUrlForLayer").Error())}, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				defer func() { w.kill() }()
				log := &logBuffer{}
				w.config.Log = slog.New(slog.NewTextHandler(log, nil))
				w.config.Endpoints = []string{"http://127.0.0.1:3270"}
				r := &agenttest.Registries{Logins: []agent.Login{right}}
				w.config.Registries = r
				if c.fault != nil {
					r.Refuse(c.fault)
				}
				w.engine.Registry[ownImage] = agenttest.Image{Digest: "sha256:new"}
				w.engine.PullErrors[ownImage] = c.pull
				for n := range 3 {
					one := task(n, pulledWith(ownImage, ofECR))
					if c.ofTask {
						one.ExecutionRoleCredentials = &acsproto.RoleCredentials{CredentialsID: "1"}
					}
					w.control.Run(one)
				}
				w.start()
				time.Sleep(time.Minute)
				if n := log.lines("level=ERROR", "action="+c.action, "role/weak"); n != c.lines {
					t.Errorf("told %d times, want %d", n, c.lines)
				}
			})
		})
	}
}
