package docker_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"berth/internal/agent"
	"berth/internal/agent/docker"
)

// The engine logs in with what it is given, and a login that a registry does not take is told apart from an image that is not there, or not to be read.
func TestPullLogsIn(t *testing.T) {
	e, err := docker.Open("", "pull-logs-in-test")
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	registry := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		refuse := func(status int, code string) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(status)
			fmt.Fprintf(w, `{"errors":[{"code":%q,"message":"User: u may not"}]}`, code)
		}
		switch user, password, _ := r.BasicAuth(); {
		case user != "AWS" || password != "right":
			w.Header().Set("WWW-Authenticate", `Basic realm="test"`)
			refuse(http.StatusUnauthorized, "UNAUTHORIZED")
		case r.URL.Path == "/v2/":
		case strings.Contains(r.URL.Path, "/secret/"):
			refuse(http.StatusForbidden, "DENIED")
		default:
			refuse(http.StatusNotFound, "MANIFEST_UNKNOWN")
		}
	}))
	defer registry.Close()
	host := strings.TrimPrefix(registry.URL, "http://")
	for _, c := range []struct {
		name, image string
		login       agent.Login
		badLogin    bool
		words       string
	}{
		{"no login", "app", agent.Login{}, true, "no basic auth credentials"},
		{"a wrong one", "app", agent.Login{User: "AWS", Password: "wrong"}, true, "unauthorized"},
		{"not there", "app", agent.Login{User: "AWS", Password: "right"}, false, "manifest unknown"},
		{"not to be read", "secret", agent.Login{User: "AWS", Password: "right"}, false, "denied: User: u may not"},
	} {
		err := e.Pull(t.Context(), host+"/team/"+c.image+":1", c.login)
		var refused *agent.PullRefusedError
		if !errors.As(err, &refused) || refused.Login != c.badLogin || !strings.Contains(err.Error(), c.words) || strings.Contains(err.Error(), "wrong") {
			t.Errorf("%s: %v (%+v)", c.name, err, refused)
		}
	}
	registry.Close()
	if err := e.Pull(t.Context(), host+"/team/app:1", agent.Login{}); err == nil || errors.As(err, new(*agent.PullRefusedError)) || errors.Is(err, agent.ErrUnavailable) {
		t.Errorf("a registry that is down: %v", err)
	}
}
