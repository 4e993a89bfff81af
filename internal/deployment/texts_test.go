package deployment

import (
	"testing"

	"berth/internal/arn"
)

// ECS's words, which tools look for, to the letter.
func TestTexts(t *testing.T) {
	c := arn.Scope{Region: "r", Account: "1"}.Cluster("c")
	for got, want := range map[string]string{
		reasonScaling("ecs-svc/1"):                                          "Scaling activity initiated by (deployment ecs-svc/1)",
		reasonUnhealthy:                                                     "Task failed container health checks",
		Started([]arn.Task{c.Task("1"), c.Task("2")}):                       "has started 2 tasks: (task 1) (task 2).",
		stopped([]Stop{{c.Task("1"), ""}, {c.Task("2"), ""}}):               "has stopped 2 running tasks: (task 1) (task 2).",
		Event(c.Service("web"), "has reached a steady state."):              "(service web) has reached a steady state.",
		SetEvent(c.Service("web"), "ecs-svc/1", "text."):                    "(service web, taskSet ecs-svc/1) text.",
		sayZones([]ZoneCount{{Zone: "a", Count: 3}, {Zone: "b", Count: 1}}): "3 tasks in a, 1 tasks in b",
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
