package agent

import (
	"strings"
	"testing"

	"berth/internal/acsproto"
)

// TestAgentURI: containers are told where they reach the agent, and a label keeps their task's id. The agent's own containers are not.
func TestAgentURI(t *testing.T) {
	order := acsproto.Task{ARN: "arn:aws:ecs:us-east-1:123456789012:task/demo/abc", PidMode: "task",
		Containers: []acsproto.Container{{Name: "a", Image: "i", Environment: map[string]string{"ECS_AGENT_URI": "mine", "X": "y"}}}}
	r, err := accept(order, "one")
	if err != nil {
		t.Fatal(err)
	}
	r.Endpoint = "id"
	for _, c := range r.Task.Containers {
		for uri, want := range map[string]string{"http://h:1/api/id": "X=y ECS_AGENT_URI=http://h:1/api/id", "": "ECS_AGENT_URI=mine X=y"} {
			if hidden(c.Name) {
				want = ""
			}
			s, err := specOf(r, c, place{AgentURI: uri})
			if got := strings.Join(s.Config.Env, " "); err != nil || got != want {
				t.Errorf("%s: %q, %v; want %q", c.Name, got, err, want)
			}
			back, err := adopt(s.Config.Labels)
			if err != nil || back.Endpoint != "id" {
				t.Errorf("%s: adopted with the id %q, %v", c.Name, back.Endpoint, err)
			}
		}
	}
}
