package main

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	berthapi "berth/internal/api/berth"
)

// joinable is a replica that trades the token "good".
func joinable(t *testing.T, status int) (url string, asked *int) {
	t.Helper()
	asked = new(int)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		*asked++
		var in struct{ Token string }
		if status != http.StatusOK || r.URL.Path != berthapi.JoinPath || json.NewDecoder(r.Body).Decode(&in) != nil {
			http.Error(w, "no leader", status)
			return
		}
		if in.Token != "good" {
			http.Error(w, "the join token is not valid", http.StatusForbidden)
			return
		}
		json.NewEncoder(w).Encode(berthapi.Joined{AccessKeyID: "AKIA", SecretAccessKey: "secret", Cluster: "c", Region: "eu-west-1"}) //nolint:errcheck // a test's
	}))
	t.Cleanup(srv.Close)
	return srv.URL, asked
}

func TestAgentJoinsThroughAnyReplica(t *testing.T) {
	gone := httptest.NewServer(nil)
	gone.Close()
	leaderless, _ := joinable(t, http.StatusServiceUnavailable)
	well, _ := joinable(t, http.StatusOK)
	for range 8 { // whatever the order that is drawn
		d := dataDir(t.TempDir())
		o := agentOptions{servers: []string{gone.URL, leaderless, well}, token: "good", name: "one", cpu: 1024, memory: 1024}
		c, _, err := o.config(t.Context(), d)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(c.Endpoints, o.servers) || c.Region != "eu-west-1" || c.Instances[0].AccessKey != "AKIA" {
			t.Errorf("%+v", c)
		}
		again, _, err := (&agentOptions{}).config(t.Context(), d)
		if err != nil || !slices.Equal(again.Endpoints, o.servers) {
			t.Errorf("started again: %q, %v", again.Endpoints, err)
		}
	}
}

func TestAgentsTokenIsShownToNobodyElse(t *testing.T) {
	a, askedA := joinable(t, http.StatusOK)
	b, askedB := joinable(t, http.StatusOK)
	_, _, err := (&agentOptions{servers: []string{a, b}, token: "spent"}).config(t.Context(), dataDir(t.TempDir()))
	if err == nil || !strings.Contains(err.Error(), "not valid") || *askedA+*askedB != 1 {
		t.Errorf("%v; asked %d and %d times", err, *askedA, *askedB)
	}
	_, _, err = (&agentOptions{servers: []string{a, "10.0.0.1:3270"}, token: "good"}).config(t.Context(), dataDir(t.TempDir()))
	if err == nil || !strings.Contains(err.Error(), "10.0.0.1:3270") {
		t.Errorf("an address without a scheme: %v", err)
	}
}

func TestAgentTakesOtherServers(t *testing.T) {
	d := dataDir(t.TempDir())
	if err := errors.Join(d.write("berth.json", []byte(`{"ID":"x","Listen":"http://10.0.0.1:3270","Region":"us-east-1"}`)),
		d.save("instances.json", []localInstance{{Name: "one"}})); err != nil {
		t.Fatal(err)
	}
	c, _, err := (&agentOptions{}).config(t.Context(), d)
	if err != nil || !slices.Equal(c.Endpoints, []string{"http://10.0.0.1:3270"}) {
		t.Errorf("of an older version: %q, %v", c.Endpoints, err)
	}
	three := []string{"http://10.0.0.1:3270", "http://10.0.0.2:3270", "http://10.0.0.3:3270"}
	for _, o := range []agentOptions{{servers: three}, {}} {
		c, _, err := o.config(t.Context(), d)
		if err != nil || !slices.Equal(c.Endpoints, three) {
			t.Errorf("given %q: %q, %v", o.servers, c.Endpoints, err)
		}
	}
}

// TestAgentsRuntime: it is remembered, one that is given later replaces it, and one that was given to join with is kept.
func TestAgentsRuntime(t *testing.T) {
	d := dataDir(t.TempDir())
	if err := errors.Join(d.write("berth.json", []byte(`{"ID":"x","Listen":"http://10.0.0.1:3270","Region":"us-east-1"}`)),
		d.save("instances.json", []localInstance{{Name: "one"}, {Name: "two"}})); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ given, want string }{{"", ""}, {"runsc", "runsc"}, {"", "runsc"}, {"runc", "runc"}, {"", "runc"}} {
		config, _, err := (&agentOptions{runtime: c.given}).config(t.Context(), d)
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range config.Instances {
			if i.Runtime != c.want {
				t.Errorf("given %q: instance %s has runtime %q, want %q", c.given, i.Name, i.Runtime, c.want)
			}
		}
	}
	server, _ := joinable(t, http.StatusOK)
	joined := dataDir(t.TempDir())
	for _, o := range []agentOptions{{servers: []string{server}, token: "good", runtime: "runsc"}, {}} {
		config, _, err := o.config(t.Context(), joined)
		if err != nil || len(config.Instances) != 1 || config.Instances[0].Runtime != "runsc" {
			t.Errorf("joined: %+v, %v", config.Instances, err)
		}
	}
}

// A machine with an activation registers once, whatever it is told again, and goes to another cluster when it is told one.
func TestAgentsActivation(t *testing.T) {
	asked := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if asked++; r.Header.Get("Authorization") != "" || r.Header.Get("X-Amz-Target") != "AmazonSSM.RegisterManagedInstance" {
			t.Errorf("asked for %s, signed %q", r.Header.Get("X-Amz-Target"), r.Header.Get("Authorization"))
		}
		io.WriteString(w, `{"InstanceId":"mi-0123456789abcdef0","Region":"eu-west-1","AccountId":"123456789012"}`) //nolint:errcheck // a test's
	}))
	t.Cleanup(server.Close)
	gone := httptest.NewServer(nil)
	gone.Close()
	d, servers := dataDir(t.TempDir()), []string{gone.URL, server.URL}
	for _, c := range []struct{ cluster, want string }{{"", "default"}, {"edge", "edge"}, {"", "edge"}, {"arn:aws:ecs:eu-west-1:123456789012:cluster/x", "x"}} {
		config, list, err := (&agentOptions{servers: servers, activation: "id:code", cluster: c.cluster}).config(t.Context(), d)
		if err != nil {
			t.Fatal(err)
		}
		if i := config.Instances[0]; i.Cluster != "arn:aws:ecs:eu-west-1:123456789012:cluster/"+c.want || !i.External || i.Zone != "" || config.Region != "eu-west-1" {
			t.Errorf("told %q: %+v", c.cluster, i)
		}
		if managedKeys(&config, list, func() string { return server.URL }); config.Instances[0].Managed == nil {
			t.Error("it has no credentials")
		}
	}
	if asked != 1 {
		t.Errorf("it has registered %d times", asked)
	}
	for _, o := range []agentOptions{{activation: "id"}, {activation: "id:code", token: "t"}, {cluster: "c", token: "t"}, {activation: "id:code", zone: "us-east-1a"}} {
		o.servers = servers
		if _, _, err := o.config(t.Context(), dataDir(t.TempDir())); err == nil {
			t.Errorf("%+v is taken", o)
		}
	}
	if asked != 1 {
		t.Errorf("what is wrong was sent: %d", asked)
	}
}
