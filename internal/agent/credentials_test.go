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
		for variable, want := range map[string]string{"AWS_ENDPOINT_URL": "http://169.254.170.2", "AWS_REGION": "us-east-1", "AWS_DEFAULT_REGION": "us-east-1"} {
			if got := w.engine.Variable(w.name("a"), variable); got != want {
				t.Errorf("%s is %q", variable, got)
			}
			if got := w.engine.Variable(w.name("b"), variable); got != "" { // it has no role
				t.Errorf("without a role %s is %q", variable, got)
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

// TestEndpointVariables: a container with a role is told where the APIs are, but not if it has keys or an endpoint of its own; its region wins.
func TestEndpointVariables(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.config.Front = front("http://169.254.170.2")
		w.start()
		defer func() { w.kill() }()
		own := map[string]map[string]string{"e": {"AWS_ENDPOINT_URL": "http://own"}, "k": {"AWS_ACCESS_KEY_ID": "AKIA"}, "i": {"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"},
			"r": {"AWS_DEFAULT_REGION": "eu-west-1"}, "s": {"AWS_ENDPOINT_URL_S3": "http://s3"}}
		for n, name := range []string{"e", "k", "i", "r", "s"} {
			one := task(n+1, essential(name, "app"))
			one.RoleCredentials, one.Containers[0].Environment = roleCredentials("id-"+name, "ASIA1"), own[name]
			w.control.Run(one)
		}
		time.Sleep(time.Second)
		for name, want := range map[string]string{"e": "http://own ,,id-e", "k": " ,,id-k", "i": " ,,id-i", "r": "http://169.254.170.2 ,eu-west-1,id-r", "s": "http://169.254.170.2 us-east-1,us-east-1,id-s"} {
			v := func(variable string) string { return w.engine.Variable(w.name(name), variable) }
			got := v("AWS_ENDPOINT_URL") + " " + v("AWS_REGION") + "," + v("AWS_DEFAULT_REGION") + "," + strings.TrimPrefix(v("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"), "/v2/credentials/")
			if got != want {
				t.Errorf("container %s: %q, want %q", name, got, want)
			}
		}
	})
}
