package agent_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"berth/internal/acsproto"
)

func roleCredentials(id, key string) *acsproto.RoleCredentials {
	return &acsproto.RoleCredentials{CredentialsID: id, RoleARN: "arn:aws:iam::123456789012:role/r", AccessKeyID: key, SecretAccessKey: "s3cr3t",
		SessionToken: "t0ken", Expiration: "2031-01-01T00:00:00Z"}
}

// TestCredentials: containers of a task with a role are told where its credentials are; those change under the same id, are gone with the task, and are
// never written down.
func TestCredentials(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.config.Front = front("http://169.254.170.2")
		w.start()
		defer func() { w.kill() }()
		one, two := task(1, essential("a", "app")), task(2, essential("b", "app"))
		one.RoleCredentials, one.ExecutionRoleCredentials = roleCredentials("app-id", "ASIA1"), roleCredentials("exec-id", "ASIA9")
		w.control.Run(one)
		w.control.Run(two)
		time.Sleep(time.Second)
		for name, want := range map[string]string{"a": "/v2/credentials/app-id", "b": ""} {
			if got := w.engine.Variable(w.name(name), "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"); got != want {
				t.Errorf("container %s has %q", name, got)
			}
		}
		look := func(when, key string) {
			t.Helper()
			v, known := w.agent.Credentials("app-id")
			if !known || v.AccessKeyID != key || v.Task != one.ARN || v.Networked {
				t.Errorf("%s: %v, %+v", when, known, v)
			}
		}
		look("at first", "ASIA1")
		w.control.Vend(acsproto.IAMRoleCredentials{Task: one.ARN, RoleType: "TaskApplication", Credentials: *roleCredentials("app-id", "ASIA2")})
		time.Sleep(time.Second)
		look("renewed", "ASIA2")
		for _, id := range []string{"", "exec-id", "app-i", "none"} { // the execution role's are not for containers
			if _, known := w.agent.Credentials(id); known {
				t.Errorf("credentials under %q", id)
			}
		}
		err := w.ledger.Read(func(key string, value []byte) error {
			for _, secret := range []string{"s3cr3t", "t0ken", "ASIA"} {
				if strings.Contains(string(value), secret) {
					t.Errorf("the ledger has %s in %s", secret, key)
				}
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
		w.kill()
		w.start()
		time.Sleep(time.Second)
		look("after a restart", "")
		w.control.Vend(acsproto.IAMRoleCredentials{Task: one.ARN, RoleType: "TaskApplication", Credentials: *roleCredentials("app-id", "ASIA3")})
		time.Sleep(time.Second)
		look("sent again", "ASIA3")
		w.control.Stop(one.ARN)
		time.Sleep(time.Minute)
		if _, known := w.agent.Credentials("app-id"); known {
			t.Error("a stopped task still has credentials")
		}
	})
}
