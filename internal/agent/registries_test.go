package agent_test

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"berth/internal/acsproto"
	"berth/internal/agent"
	"berth/internal/agent/agenttest"
)

const ownImage = "127.0.0.1:3270/123456789012/us-east-1/app:1"

var (
	loginSecret = "arn:aws:secretsmanager:us-east-1:123456789012:secret:login-abcdef"
	right       = agent.Login{User: "AWS", Password: "right-password"}
	stale       = agent.Login{User: "AWS", Password: "stale-password"}
	ofECR       = &acsproto.RegistryAuthentication{Type: "ecr", ECR: &acsproto.ECRAuthData{RegistryID: "123456789012", Region: "us-east-1"}}
	ofSecret    = &acsproto.RegistryAuthentication{Type: "asm", ASM: &acsproto.SecretAuthData{CredentialsParameter: loginSecret, Region: "us-east-1"}}
)

func pulledWith(image string, with *acsproto.RegistryAuthentication) acsproto.Container {
	c := essential("a", image)
	c.RegistryAuthentication = with
	return c
}

// Images are pulled with the login of the task, in the words of its launch type where that cannot be had or does not do.
func TestRegistries(t *testing.T) {
	const fine = "RUNNING a:RUNNING"
	const before = "STOPPED a:STOPPED ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: "
	denied := &agent.RegistryFault{Reason: "AccessDeniedException: no"}
	unread := &agent.RegistryFault{Secret: loginSecret, Reason: "AccessDeniedException: no"}
	malformed := &agent.RegistryFault{Secret: loginSecret, Read: true, Reason: "asm fetching username: AuthorizationData is malformed, empty field"}
	const mayNot = "Error response from daemon: pull access denied for x, repository does not exist or may require 'docker login': denied: User: u is not authorized to perform: ecr:BatchGetImage on resource: r"
	for _, c := range []struct {
		name      string
		image     string
		with      *acsproto.RegistryAuthentication
		onFargate bool
		local     bool
		logins    []agent.Login
		login     error
		registry  error
		pulls     int
		want      string
	}{
		{"own", ownImage, ofECR, false, false, []agent.Login{right}, nil, nil, 1, fine},
		{"own, by name", "localhost:3270/123456789012/us-east-1/app:1", ofECR, false, false, []agent.Login{right}, nil, nil, 1, fine},
		{"own, of another replica", "10.0.0.2:3270/123456789012/us-east-1/app:1", ofECR, false, false, []agent.Login{right}, nil, nil, 1, fine},
		{"a stale token", ownImage, ofECR, false, false, []agent.Login{stale, right}, nil, nil, 2, fine},
		{"a stale token, an old image", ownImage, ofECR, false, true, []agent.Login{stale, right}, nil, nil, 2, fine},
		{"no right login", ownImage, ofECR, false, false, []agent.Login{stale}, nil, nil, 1, "STOPPED a:STOPPED CannotPullContainerError: unauthorized: authentication required"},
		{"denied", ownImage, ofECR, false, false, nil, denied, nil, 0, "STOPPED a:STOPPED CannotPullECRContainerError: AccessDeniedException: no"},
		{"denied, on the machine", ownImage, ofECR, false, true, nil, denied, nil, 0, fine},
		{"denied on Fargate", ownImage, ofECR, true, true, nil, denied, nil, 0, before + "unable to retrieve ecr registry auth: service call has been retried 1 time(s): AccessDeniedException: no"},
		{"denied the image", ownImage, ofECR, false, false, []agent.Login{right}, nil, &agent.PullRefusedError{Err: errors.New(mayNot)}, 1,
			"STOPPED a:STOPPED CannotPullContainerError: The task can’t pull the image. Check that the role has the permissions to pull images from the registry. " + mayNot},
		{"denied the image on Fargate", ownImage, ofECR, true, true, []agent.Login{right}, nil, &agent.PullRefusedError{Err: errors.New("Error response from daemon: denied: no")}, 1,
			"STOPPED a:STOPPED CannotPullContainerError: pull image manifest has been retried 1 time(s): failed to resolve ref " + ownImage + ": denied: no"},
		{"down on Fargate", ownImage, ofECR, true, false, []agent.Login{right}, nil, errors.New("connection refused"), 5,
			"STOPPED a:STOPPED CannotPullContainerError: pull image manifest has been retried 5 time(s): failed to resolve ref " + ownImage + ": connection refused"},
		{"a public image on Fargate", "web", nil, true, false, nil, nil, errors.New("connection refused"), 5,
			"STOPPED a:STOPPED CannotPullContainerError: pull image manifest has been retried 5 time(s): failed to resolve ref docker.io/library/web:latest: connection refused"},
		{"another's registry", "other.example:3270/123456789012/us-east-1/app:1", ofECR, false, false, nil, denied, nil, 1, fine},
		{"private", "private.example/app:1", ofSecret, false, false, []agent.Login{right}, nil, nil, 1, fine},
		{"private, unread", "private.example/app:1", ofSecret, false, true, nil, unread, nil, 0,
			"STOPPED a:STOPPED Asm fetching secret from the service for " + loginSecret + ": AccessDeniedException: no"},
		{"private, unread on Fargate", "private.example/app:1", ofSecret, true, true, nil, unread, nil, 0,
			before + "unable to get registry auth from asm: service call has been retried 1 time(s): asm fetching secret from the service for " + loginSecret + ": AccessDeniedException: no"},
		{"private, malformed", "private.example/app:1", ofSecret, false, false, nil, malformed, nil, 0, "STOPPED a:STOPPED Asm fetching username: AuthorizationData is malformed, empty field"},
		{"no answer", ownImage, ofECR, false, false, nil, agent.ErrUnavailable, nil, 0, "STOPPED a:STOPPED CannotPullECRContainerError: RequestCanceled: request context canceled caused by: context deadline exceeded"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				var log strings.Builder
				w.config.Log = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
				w.config.Endpoints = []string{"http://127.0.0.1:3270", "http://10.0.0.2:3270"}
				r := &agenttest.Registries{Logins: c.logins}
				r.Refuse(c.login)
				w.config.Registries = r
				w.engine.Registry[c.image] = agenttest.Image{Digest: "sha256:new"}
				if len(c.logins) > 0 {
					w.engine.Logins[c.image] = right
				}
				if c.local {
					w.engine.AddImage(c.image, agenttest.Image{Digest: "sha256:old"})
				}
				if c.registry != nil {
					w.engine.PullErrors[c.image] = c.registry
				}
				w.start()
				defer func() { w.kill() }()
				one := task(1, pulledWith(c.image, c.with))
				if c.onFargate {
					one.LaunchType = "FARGATE"
				}
				w.control.Run(one)
				time.Sleep(5 * time.Minute)
				w.expect(one.ARN, c.want)
				if n := w.engine.Done()["pull "+c.image]; n != c.pulls {
					t.Errorf("pulled %d times, want %d", n, c.pulls)
				}
				told := fmt.Sprintf("%+v", w.control.Reports(one.ARN))
				for what, text := range map[string]string{"the ledger": w.ledger.Text(), "a report": told, "the log": log.String()} {
					if strings.Contains(text, "-password") {
						t.Errorf("%s has a password: %s", what, text)
					}
				}
			})
		})
	}
}

// One pull serves all who want the same image with the same login.
func TestOnePullForOneLogin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.config.Endpoints = []string{"http://127.0.0.1:3270"}
		w.config.Registries = &agenttest.Registries{Logins: []agent.Login{right}}
		w.engine.Registry[ownImage] = agenttest.Image{Digest: "sha256:new"}
		w.engine.Delay["pull"] = 10 * time.Second
		w.start()
		defer func() { w.kill() }()
		for i := range 10 {
			w.control.Run(task(i, pulledWith(ownImage, ofECR)))
		}
		time.Sleep(time.Minute)
		if n := w.engine.Done()["pull "+ownImage]; n != 1 {
			t.Errorf("pulled %d times", n)
		}
	})
}
