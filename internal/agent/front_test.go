package agent

import (
	"strings"
	"testing"

	"berth/internal/acsproto"
)

// TestFrontVariables: containers are told where they reach the agent, and a label keeps their id. The agent's own containers are not.
func TestFrontVariables(t *testing.T) {
	order := acsproto.Task{ARN: "arn:aws:ecs:us-east-1:123456789012:task/demo/abc", PidMode: "task",
		Containers: []acsproto.Container{{Name: "a", Image: "i", Environment: map[string]string{"ECS_AGENT_URI": "mine", "X": "y"}}}}
	r, err := accept(order, "one")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range r.Task.Containers {
		for front, want := range map[string]string{
			"http://h:1": "X=y ECS_CONTAINER_METADATA_URI=http://h:1/v3/id ECS_CONTAINER_METADATA_URI_V4=http://h:1/v4/id ECS_AGENT_URI=http://h:1/api/id",
			"":           "ECS_AGENT_URI=mine X=y",
		} {
			if hidden(c.Name) {
				want = ""
			}
			s, err := specOf(r, c, place{Front: front, Endpoint: "id"})
			if got := strings.Join(s.Config.Env, " "); err != nil || got != want {
				t.Errorf("%s: %q, %v; want %q", c.Name, got, err, want)
			}
			var back Container
			(&Record{}).recognize(&back, &Observed{Labels: s.Config.Labels})
			if back.Endpoint != "id" {
				t.Errorf("%s: recognized with the id %q", c.Name, back.Endpoint)
			}
		}
	}
}
