package ecs

import (
	"fmt"
	"strings"
	"testing"

	"berth/internal/ecs"
	"berth/internal/state"
)

func TestWrongProtectionRequests(t *testing.T) {
	names := func(n int) string { return strings.TrimSuffix(strings.Repeat(`"t",`, n), ",") }
	update := func(members, message string) badRequest {
		return badRequest{"UpdateTaskProtection", `{"cluster":"demo",` + members + `}`, parameter, message}
	}
	service := "arn:aws:ecs:us-east-1:123456789012:service/demo/web"
	tests := []badRequest{
		{"UpdateTaskProtection", `{"tasks":["old1"],"protectionEnabled":true}`, parameter, "cluster should not be null or empty."},
		update(`"protectionEnabled":true`, "Tasks cannot be empty."),
		update(`"tasks":[],"protectionEnabled":true`, "Tasks cannot be empty."),
		update(`"tasks":["old1"]`, "protectionEnabled should not be null."),
		update(`"tasks":["old1",""],"protectionEnabled":true`, "Task can not be blank."),
		update(`"tasks":["old1","`+service+`"],"protectionEnabled":true`, "Invalid identifier: Identifier is for a service. The request needs a task"),
		update(`"tasks":[`+names(11)+`],"protectionEnabled":true`, "tasks can have at most 10 items."),
		{"GetTaskProtection", `{"tasks":["old1"]}`, parameter, "cluster should not be null or empty."},
		{"GetTaskProtection", `{"cluster":"demo"}`, parameter, "Tasks cannot be empty."},
		{"GetTaskProtection", `{"cluster":"demo","tasks":[` + names(101) + `]}`, parameter, "tasks can have at most 100 items."},
	}
	for _, minutes := range []int{-1, 0, 2881} {
		tests = append(tests, update(fmt.Sprintf(`"tasks":["old1"],"protectionEnabled":true,"expiresInMinutes":%d`, minutes),
			fmt.Sprintf("expiresInMinutes must be between 1 and 2880, but was %d", minutes)))
	}
	for _, operation := range []string{"UpdateTaskProtection", "GetTaskProtection"} {
		for name, message := range map[string]string{"nobody": "Cluster not found.", "gone": "The referenced cluster was inactive."} {
			tests = append(tests, badRequest{operation, `{"cluster":"` + name + `","tasks":["t"],"protectionEnabled":true}`, "ClusterNotFoundException", message})
		}
	}
	refuses(t, tests)
}

// A service that protected tasks keep from its target status gets no more of them.
func TestProtectionOfABlockedService(t *testing.T) {
	p := newLaunchPad(t, shop()...)
	err := p.store.Update(t.Context(), func(tx *state.Tx) error {
		s := tx.Services.Get(padCluster.Service("web")).Clone()
		s.Said = []ecs.Said{{Topic: "protection ecs-svc/2", Text: "...", At: shopAt}}
		tx.Put(s)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	out := p.must(t, "UpdateTaskProtection", `{"cluster":"demo","tasks":["old1"],"protectionEnabled":true}`)
	if want := `{"failures":[{"arn":"arn:aws:ecs:us-east-1:123456789012:task/demo/old1","reason":"DEPLOYMENT_BLOCKED"}],"protectedTasks":[]}`; out != want {
		t.Errorf("got %s, want %s", out, want)
	}
	if out = p.must(t, "UpdateTaskProtection", `{"cluster":"demo","tasks":["old1"],"protectionEnabled":false}`); !strings.Contains(out, `"failures":[]`) {
		t.Errorf("got %s", out)
	}
}
