package agent

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"berth/internal/acsproto"
	"berth/internal/golden"
)

// TestRouterConfig reads a task as it comes in a payload, and wants its log router's configuration, or the refusal.
func TestRouterConfig(t *testing.T) {
	golden.Run(t, "testdata/router/*.txtar", func(t *testing.T, in map[string]string) string {
		var task acsproto.Task
		if err := json.Unmarshal([]byte(in["task"]), &task); err != nil {
			t.Fatal(err)
		}
		r, err := accept(task, "one")
		if err != nil {
			return "refused: " + err.Error() + "\n"
		}
		return string(routerConfig(r))
	})
}

// TestRouting: what a log router makes of the containers.
func TestRouting(t *testing.T) {
	order := acsproto.Task{ARN: "arn:aws:ecs:us-east-1:123456789012:task/demo/abc", Containers: []acsproto.Container{
		{Name: "app", Image: "i", DockerConfig: acsproto.DockerConfig{HostConfig: `{"LogConfig":{"Type":"awsfirelens","Config":{"Name":"x","log-driver-buffer-limit":"99"}}}`}},
		{Name: "router", Image: "i", Firelens: &acsproto.Firelens{Type: "fluentd"}},
	}}
	r, err := accept(order, "one")
	if err != nil {
		t.Fatal(err)
	}
	at := place{Router: RouterFiles{Config: "/r/conf", Socket: "/r/run"}}
	app, err := specOf(r, r.ordered("app"), at)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(app.HostConfig.LogConfig)
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"Type":"fluentd","Config":{"fluentd-address":"unix:///r/run/fluent.sock","fluentd-async":"true","fluentd-buffer-limit":"99",` +
		`"fluentd-sub-second-precision":"true","tag":"app-firelens-abc"}}`
	if string(text) != want {
		t.Errorf("log configuration\n%s, want\n%s", text, want)
	}
	at.OldFluentd = true
	if app, err = specOf(r, r.ordered("app"), at); err != nil || app.HostConfig.LogConfig.Config["fluentd-async-connect"] != "true" {
		t.Errorf("for an old engine: %v, %v", app.HostConfig.LogConfig, err)
	}
	router, err := specOf(r, r.ordered("router"), at)
	if binds := strings.Join(router.HostConfig.Binds, " "); err != nil || binds != "/r/conf:/fluentd/etc/fluent.conf:ro /r/run:/var/run" {
		t.Errorf("the router's mounts: %s, %v", binds, err)
	}
	if got := decision(r, noon); got != "pull router" {
		t.Errorf("first steps %q: the router starts first", got)
	}
}

// TestRouterAddress: on the bridge, containers that log through the router are told where it is, whatever their own environment says.
func TestRouterAddress(t *testing.T) {
	for network, want := range map[string]string{"bridge": "FLUENT_PORT=24224 FLUENT_HOST=172.17.0.9", "host": "FLUENT_HOST=mine"} {
		order := acsproto.Task{ARN: "arn:aws:ecs:us-east-1:123456789012:task/demo/abc", NetworkMode: network, Containers: []acsproto.Container{
			{Name: "app", Image: "i", Environment: map[string]string{"FLUENT_HOST": "mine"},
				DockerConfig: acsproto.DockerConfig{HostConfig: `{"LogConfig":{"Type":"awsfirelens","Config":{"Name":"x"}}}`}},
			{Name: "other", Image: "i"},
			{Name: "router", Image: "i", Firelens: &acsproto.Firelens{Type: "fluentd"}},
		}}
		r, err := accept(order, "one")
		if err != nil {
			t.Fatal(err)
		}
		for name, want := range map[string]string{"app": want, "other": "", "router": ""} {
			s, err := specOf(r, r.ordered(name), place{RouterIP: "172.17.0.9"})
			slices.Reverse(s.Config.Env)
			if got := strings.Join(s.Config.Env, " "); err != nil || got != want {
				t.Errorf("%s in network mode %s: %q, %v; want %q", name, network, got, err, want)
			}
		}
	}
}

// TestRouterSecrets: the log router has the secret options of those that log through it as variables, and they have them not.
func TestRouterSecrets(t *testing.T) {
	key := acsproto.Secret{Name: "apikey", ValueFrom: "/key", Region: "us-east-1", Type: acsproto.EnvironmentVariable, Provider: acsproto.ProviderParameterStore, Target: acsproto.TargetLogDriver}
	order := acsproto.Task{ARN: "arn:aws:ecs:us-east-1:123456789012:task/demo/abc", Containers: []acsproto.Container{
		{Name: "app", Image: "i", Secrets: []acsproto.Secret{key}, DockerConfig: acsproto.DockerConfig{HostConfig: `{"LogConfig":{"Type":"awsfirelens","Config":{"Name":"x"}}}`}},
		{Name: "router", Image: "i", Firelens: &acsproto.Firelens{Type: "fluentbit"}},
	}}
	r, err := accept(order, "one")
	if err != nil {
		t.Fatal(err)
	}
	at := place{Secrets: map[secretKey]string{keyOf(key): "hush"}}
	for name, want := range map[string]bool{"app": false, "router": true} {
		s, err := specOf(r, r.ordered(name), at)
		if err != nil {
			t.Fatal(err)
		}
		if has := slices.Contains(s.Config.Env, "LOG_SECRET_0_0=hush"); has != want || s.HostConfig.LogConfig.Config["apikey"] != "" {
			t.Errorf("%s: environment %q, log options %v", name, s.Config.Env, s.HostConfig.LogConfig.Config)
		}
	}
}
