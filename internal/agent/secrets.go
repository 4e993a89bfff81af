package agent

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/moby/moby/api/types/container"

	"berth/internal/acsproto"
)

// Secrets reads what tasks' secrets are.
type Secrets interface {
	// Values reads secrets as a task's execution role, in the order of the list. A *SecretFault says that one is not to be had. ErrUnavailable: the
	// control plane does not answer, or the role's credentials have not come.
	Values(ctx context.Context, task string, list []acsproto.Secret) ([]string, error)
}

// SecretFault says why a secret is not to be had. It holds no value.
type SecretFault struct {
	Provider  string // asm or ssm
	Region    string
	ValueFrom string // of a secret of Secrets Manager
	Read      bool   // the secret was read, but what is meant of it is not there
	Reason    string // AWS's: "AccessDeniedException: User: ..."
}

func (f *SecretFault) Error() string { return f.text(false) }

// What Fargate says of a task that lacks something which its execution role gets.
const (
	fargateResources = "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: "
	fargateTried     = ": service call has been retried 1 time(s): "
)

// text is ECS's reason of a task that lacks the secret: those of the agent, and those of Fargate.
func (f *SecretFault) text(onFargate bool) string {
	const before, tried = fargateResources, fargateTried
	parameter := f.Provider == acsproto.ProviderParameterStore
	switch {
	case onFargate && parameter:
		return before + "unable to retrieve secrets from ssm" + tried + f.Reason
	case onFargate && f.Read:
		return before + "unable to retrieve secret from asm" + tried + f.Reason
	case onFargate:
		return before + "unable to retrieve secret from asm" + tried + "failed to fetch secret " + f.ValueFrom + " from secrets manager: " + f.Reason
	case parameter:
		return fmt.Sprintf("Fetching secret data from SSM Parameter Store in %s: %s", f.Region, f.Reason)
	}
	return fmt.Sprintf("Fetching secret data from AWS Secrets Manager in region %s: secret %s: %s", f.Region, f.ValueFrom, f.Reason)
}

const (
	secretsTimeout  = 30 * time.Second // of one try to read a task's secrets
	secretsPatience = 3 * time.Minute  // of all tries
	outOfPatience   = "RequestCanceled: request context canceled caused by: context deadline exceeded"
)

// secretKey is what a secret is found by.
type secretKey struct{ provider, region, from string }

func keyOf(s acsproto.Secret) secretKey { return secretKey{s.Provider, s.Region, s.ValueFrom} }

// vault is what a task's secrets are, in memory only.
type vault struct {
	lesson
	values map[secretKey]string
}

// secretsOf are the secrets of a task's containers, each once.
func secretsOf(t acsproto.Task) (list []acsproto.Secret) {
	seen := map[secretKey]bool{}
	for _, c := range t.Containers {
		for _, s := range c.Secrets {
			if !seen[keyOf(s)] {
				seen[keyOf(s)] = true
				list = append(list, s)
			}
		}
	}
	return list
}

// checkSecrets refuses secrets that this agent does not know how to read or where to put.
func checkSecrets(r *Record) error {
	for _, c := range r.Task.Containers {
		for _, s := range c.Secrets {
			switch {
			case s.Name == "" || s.ValueFrom == "" || strings.ContainsAny(s.Name, "=\x00\r\n"):
				return fmt.Errorf("container %s: secret %q from %q is not valid", c.Name, s.Name, s.ValueFrom)
			case s.Provider != acsproto.ProviderSecretsManager && s.Provider != acsproto.ProviderParameterStore:
				return fmt.Errorf("container %s: secret %s: provider %q is not served by this agent", c.Name, s.Name, s.Provider)
			case s.Type != acsproto.EnvironmentVariable || s.Target != "" && s.Target != acsproto.TargetContainer && s.Target != acsproto.TargetLogDriver:
				return fmt.Errorf("container %s: secret %s: type %q for target %q is not served by this agent", c.Name, s.Name, s.Type, s.Target)
			}
		}
	}
	return nil
}

// learnSecrets reads all secrets of the task before the first of its containers is created. errGivenUp: the task is on its way to stop.
func (t *task) learnSecrets(ctx context.Context, name string) error {
	var list []acsproto.Secret
	t.view(func(r *Record) { list = secretsOf(r.Task) })
	if len(list) == 0 || hidden(name) {
		return nil
	}
	return t.learn(ctx, name, &t.vault.lesson, func(ctx context.Context) error { return t.readSecrets(ctx, list) })
}

// readSecrets tries once to read secrets. Who calls has put something into vault.reading.
func (t *task) readSecrets(ctx context.Context, list []acsproto.Secret) error {
	if t.agent.Secrets == nil {
		t.give("the agent of this container instance does not read secrets")
		return errGivenUp
	}
	limited, cancel := context.WithTimeout(ctx, secretsTimeout)
	defer cancel()
	values, err := t.agent.Secrets.Values(limited, t.arn, list)
	var fault *SecretFault
	switch {
	case err == nil:
		t.keepSecrets(list, values)
		return nil
	case ctx.Err() != nil:
		return t.unlessStopping(ctx.Err())
	case errors.Is(err, ErrUnavailable), !errors.As(err, &fault):
		if !t.triedFor(&t.vault.lesson, secretsPatience) {
			return fmt.Errorf("read the task's secrets: %w", err)
		}
		t.log.Warn("the task's secrets were not read in time", "err", err)
		fault = &SecretFault{Provider: list[0].Provider, Region: list[0].Region, ValueFrom: list[0].ValueFrom, Reason: outOfPatience}
	}
	onFargate := false
	t.view(func(r *Record) { onFargate = fargate(r.Task) })
	t.give(fault.text(onFargate))
	return errGivenUp
}

func (t *task) keepSecrets(list []acsproto.Secret, values []string) {
	known := make(map[secretKey]string, len(list))
	for n, s := range list {
		known[keyOf(s)] = values[n]
	}
	t.view(func(*Record) { t.vault.values, t.vault.learned = known, true })
}

// leastRedacted is the shortest value that is taken out of texts: a shorter one is part of too many words, and known from none.
const leastRedacted = 4

// redacted is a text without what the task's secrets are: the engine repeats what it does not take.
func (t *task) redacted(text string) string {
	t.view(func(*Record) {
		for _, v := range t.vault.values {
			if len(v) >= leastRedacted {
				text = strings.ReplaceAll(text, v, "***")
			}
		}
		for _, p := range t.passwords {
			text = Login{Password: p}.hide(text)
		}
	})
	return text
}

// giveSecrets gives a container its variables and its log driver's options that are secrets, and the task's log router those of the containers
// that log through it.
func giveSecrets(r *Record, c acsproto.Container, known map[secretKey]string, config *container.Config, host *container.HostConfig) {
	for _, s := range c.Secrets {
		v, ok := known[keyOf(s)]
		switch {
		case !ok: // nothing is created yet
		case s.Target != acsproto.TargetLogDriver:
			setVariable(config, s.Name, v)
		case host.LogConfig.Type != firelensDriver:
			if host.LogConfig.Config == nil {
				host.LogConfig.Config = map[string]string{}
			}
			host.LogConfig.Config[s.Name] = v
		}
	}
	if c.Firelens == nil {
		return
	}
	for n, o := range r.Task.Containers {
		if _, is, err := routedLogs(o); !is || err != nil {
			continue
		}
		for m, s := range o.Secrets {
			if v, ok := known[keyOf(s)]; ok && s.Target == acsproto.TargetLogDriver {
				setVariable(config, routerVariable(n, m), v)
			}
		}
	}
}

// routerVariable is the log router's variable of a secret option: the nth container's mth secret. Its configuration names it, and holds no value.
func routerVariable(n, m int) string { return fmt.Sprintf("LOG_SECRET_%d_%d", n, m) }

// withSecretOptions adds a container's secret options to those of the log router's output, as the router's variables.
func withSecretOptions(options map[string]string, n int, c acsproto.Container, variable func(name string) string) map[string]string {
	all := map[string]string{}
	maps.Copy(all, options)
	for m, s := range c.Secrets {
		if s.Target == acsproto.TargetLogDriver {
			all[s.Name] = variable(routerVariable(n, m))
		}
	}
	return all
}

// logSecrets are a container's secrets that are options of its log driver.
func logSecrets(c acsproto.Container) (list []acsproto.Secret) {
	for _, s := range c.Secrets {
		if s.Target == acsproto.TargetLogDriver {
			list = append(list, s)
		}
	}
	return list
}

// public takes what is secret out of what the engine knows of a container: it is told to the task's containers, and written down.
func (f *Facts) public(c acsproto.Container) *Facts {
	if f == nil {
		return nil
	}
	secret := logSecrets(c)
	if len(secret) == 0 {
		return f
	}
	shown := *f
	shown.LogOptions = maps.Clone(f.LogOptions)
	for _, s := range secret {
		delete(shown.LogOptions, s.Name)
	}
	return &shown
}
