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

const (
	secretARN = "arn:aws:secretsmanager:us-east-1:123456789012:secret:db-abcdef"
	hush      = "hush-hush"
)

func secret(name, from, target string) acsproto.Secret {
	provider := "ssm"
	if strings.HasPrefix(from, "arn:aws:secretsmanager:") {
		provider = "asm"
	}
	return acsproto.Secret{Name: name, ValueFrom: from, Region: "us-east-1", Type: "ENVIRONMENT_VARIABLE", Provider: provider, Target: target}
}

func withSecrets(c acsproto.Container, list ...acsproto.Secret) acsproto.Container {
	c.Secrets = list
	return c
}

// TestSecrets: containers have their secrets as variables and options of their log driver, read once for the task; nothing else has them.
func TestSecrets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		var log strings.Builder
		w.config.Log = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
		s := &agenttest.Secrets{}
		s.Set(secretARN, hush)
		w.config.Secrets = s
		w.start()
		defer func() { w.kill() }()
		a := withSecrets(essential("a", "app"), secret("PASSWORD", secretARN, "CONTAINER"), secret("OTHER", "/p", ""))
		a.Environment = map[string]string{"PASSWORD": "none", "PLAIN": "1"}
		b := withSecrets(essential("b", "app"), secret("AGAIN", secretARN, "CONTAINER"), secret("splunk-token", secretARN, "LOG_DRIVER"))
		b.DockerConfig.HostConfig = `{"LogConfig":{"Type":"splunk","Config":{"splunk-url":"u"}}}`
		b.DependsOn = []acsproto.DependsOn{{ContainerName: "a", Condition: "START"}}
		one := task(1, a, b)
		w.control.Run(one)
		time.Sleep(time.Second)
		w.expect(one.ARN, "RUNNING a:RUNNING b:RUNNING")
		for _, c := range [][3]string{{"a", "PASSWORD", hush}, {"a", "PLAIN", "1"}, {"a", "OTHER", "value of /p"}, {"b", "AGAIN", hush}, {"b", "splunk-token", ""}} {
			if got := w.engine.Variable(w.name(c[0]), c[1]); got != c[2] {
				t.Errorf("container %s has %s=%q, want %q", c[0], c[1], got, c[2])
			}
		}
		o, err := w.engine.Inspect(t.Context(), w.name("b"))
		if err != nil || o.Facts.LogOptions["splunk-token"] != hush || o.Facts.LogOptions["splunk-url"] != "u" {
			t.Errorf("the log driver has %v, %v", o.Facts.LogOptions, err)
		}
		if n := s.Calls(); n != 1 {
			t.Errorf("secrets were read %d times, want once", n)
		}
		attributes := fmt.Sprint(attributeNames(w))
		for _, name := range []string{"secrets.asm.environment-variables", "secrets.ssm.environment-variables", "secrets.asm.bootstrap.log-driver", "secrets.ssm.bootstrap.log-driver"} {
			if !strings.Contains(attributes, "ecs.capability."+name) {
				t.Errorf("no attribute %s", name)
			}
		}
		time.Sleep(time.Minute)
		told := fmt.Sprintf("%+v", w.control.Reports(one.ARN))
		for what, text := range map[string]string{"the ledger": w.ledger.Text(), "a report": told, "the log": log.String()} {
			if strings.Contains(text, hush) {
				t.Errorf("%s has the secret: %s", what, text)
			}
		}
		w.kill()
		w.ledger.Lose()
		w.start()
		time.Sleep(time.Minute)
		w.expect(one.ARN, "RUNNING a:RUNNING b:RUNNING")
		if strings.Contains(w.ledger.Text(), hush) {
			t.Error("the ledger has the secret after the task was adopted")
		}
		w.once()
	})
}

// TestSecretsThatCannotBe: a task whose secrets are not to be had never starts, for the reason that ECS gives, which differs by launch type.
func TestSecretsThatCannotBe(t *testing.T) {
	const denied = "AccessDeniedException: User: r is not authorized to perform: x"
	const fargate = "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: "
	const retried = "service call has been retried 1 time(s): "
	const missing = "retrieved secret from Secrets Manager did not contain json key k"
	asm, ssm := agent.SecretFault{Provider: "asm", Region: "us-east-1", ValueFrom: secretARN, Reason: denied}, agent.SecretFault{Provider: "ssm", Region: "us-east-1", Reason: denied}
	key := asm
	key.Read, key.Reason = true, missing
	for _, c := range []struct {
		launch string
		fault  agent.SecretFault
		want   string
	}{
		{"EC2", asm, "Fetching secret data from AWS Secrets Manager in region us-east-1: secret " + secretARN + ": " + denied},
		{"EC2", ssm, "Fetching secret data from SSM Parameter Store in us-east-1: " + denied},
		{"EC2", key, "Fetching secret data from AWS Secrets Manager in region us-east-1: secret " + secretARN + ": " + missing},
		{"FARGATE", asm, fargate + "unable to retrieve secret from asm: " + retried + "failed to fetch secret " + secretARN + " from secrets manager: " + denied},
		{"FARGATE", ssm, fargate + "unable to retrieve secrets from ssm: " + retried + denied},
		{"FARGATE", key, fargate + "unable to retrieve secret from asm: " + retried + missing},
	} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			s := &agenttest.Secrets{}
			s.Refuse(&c.fault)
			w.config.Secrets = s
			w.start()
			defer func() { w.kill() }()
			one := task(1, essential("a", "app"), withSecrets(essential("b", "app"), secret("S", secretARN, "CONTAINER")))
			one.LaunchType = c.launch
			w.control.Run(one)
			time.Sleep(time.Minute)
			w.expect(one.ARN, "STOPPED a:STOPPED b:STOPPED "+c.want)
			if n := w.engine.Containers(agent.Created) + w.engine.Containers(agent.Running) + w.engine.Containers(agent.Exited); n > 0 {
				t.Errorf("%d containers were created", n)
			}
		})
	}
}

// TestSecretsWithoutAControlPlane: while nobody answers the task waits, and after three minutes it does no more. One that is stopped waits no longer.
func TestSecretsWithoutAControlPlane(t *testing.T) {
	for _, c := range []struct {
		name string
		do   func(w *world, s *agenttest.Secrets)
		want string
	}{
		{"it comes back", func(w *world, s *agenttest.Secrets) {
			time.Sleep(2 * time.Minute)
			s.Refuse(nil)
			time.Sleep(time.Minute)
		}, "RUNNING a:RUNNING"},
		{"it stays away", func(w *world, s *agenttest.Secrets) { time.Sleep(4 * time.Minute) },
			"STOPPED a:STOPPED Fetching secret data from SSM Parameter Store in us-east-1: RequestCanceled: request context canceled caused by: context deadline exceeded"},
		{"it hangs", func(w *world, s *agenttest.Secrets) { s.Slow(time.Hour); time.Sleep(5 * time.Minute) },
			"STOPPED a:STOPPED Fetching secret data from SSM Parameter Store in us-east-1: RequestCanceled: request context canceled caused by: context deadline exceeded"},
		{"stopped meanwhile", func(w *world, s *agenttest.Secrets) {
			time.Sleep(time.Minute)
			w.control.Stop(task(1).ARN)
			time.Sleep(time.Second)
		}, "STOPPED a:STOPPED"},
		{"stopped while it hangs", func(w *world, s *agenttest.Secrets) {
			s.Slow(time.Hour)
			time.Sleep(time.Minute)
			w.control.Stop(task(1).ARN)
			time.Sleep(time.Second)
		}, "STOPPED a:STOPPED"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				s := &agenttest.Secrets{}
				s.Refuse(fmt.Errorf("%w: no answer", agent.ErrUnavailable))
				w.config.Secrets = s
				w.start()
				defer func() { w.kill() }()
				one := task(1, withSecrets(essential("a", "app"), secret("S", "/p", "CONTAINER")))
				w.control.Run(one)
				time.Sleep(time.Second)
				c.do(w, s)
				w.expect(one.ARN, c.want)
			})
		})
	}
}

// TestSecretsInReasons: what the engine repeats of a secret that it does not take is told nobody.
func TestSecretsInReasons(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		s := &agenttest.Secrets{}
		s.Set("/p", hush)
		w.config.Secrets = s
		w.engine.AddImage("broken", agenttest.Image{StartError: errors.New("bad token " + hush)})
		w.start()
		defer func() { w.kill() }()
		one := task(1, withSecrets(essential("a", "broken"), secret("S", "/p", "CONTAINER")))
		w.control.Run(one)
		time.Sleep(time.Minute)
		w.expect(one.ARN, "STOPPED a:STOPPED CannotStartContainerError: bad token ***")
	})
}

// TestSecretsRefused: orders that this agent cannot serve are refused by name.
func TestSecretsRefused(t *testing.T) {
	for _, c := range []struct {
		change func(*acsproto.Secret)
		want   string
	}{
		{func(s *acsproto.Secret) { s.Provider = "vault" }, `container a: secret S: provider "vault" is not served by this agent`},
		{func(s *acsproto.Secret) { s.Type = "MOUNT_POINT" }, `container a: secret S: type "MOUNT_POINT" for target "CONTAINER" is not served by this agent`},
		{func(s *acsproto.Secret) { s.Target = "X" }, `container a: secret S: type "ENVIRONMENT_VARIABLE" for target "X" is not served by this agent`},
		{func(s *acsproto.Secret) { s.Name = "A=B" }, `container a: secret "A=B" from "/p" is not valid`},
		{func(s *acsproto.Secret) { s.ValueFrom = "" }, `container a: secret "S" from "" is not valid`},
	} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			w.config.Secrets = &agenttest.Secrets{}
			w.start()
			defer func() { w.kill() }()
			s := secret("S", "/p", "CONTAINER")
			c.change(&s)
			one := task(1, withSecrets(essential("a", "app"), s))
			w.control.Run(one)
			time.Sleep(time.Second)
			w.expect(one.ARN, "STOPPED UnrecogniedTaskError: Error loading task - "+c.want)
		})
	}
}
