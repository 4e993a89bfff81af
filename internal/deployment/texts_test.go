package deployment

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/arn"
	"berth/internal/ecs"
)

// ECS's words, which tools look for, to the letter.
func TestTexts(t *testing.T) {
	c := arn.Scope{Region: "r", Account: "1"}.Cluster("c")
	stops := stopped([]Stop{{Task: c.Task("1")}, {Task: c.Task("2"), Pending: true}, {Task: c.Task("3")}})
	for got, want := range map[string]string{
		reasonScaling("ecs-svc/1"):                       "Scaling activity initiated by (deployment ecs-svc/1)",
		reasonUnhealthy:                                  "Task failed container health checks",
		Started([]arn.Task{c.Task("1"), c.Task("2")}, 0): "has started 2 tasks: (task 1) (task 2).",
		Started([]arn.Task{c.Task("1"), c.Task("2")}, 1): "has started 2 tasks: (task 1) (task 2). Amazon ECS replaced 1 tasks due to an unhealthy status.",
		stops[0]: "has stopped 2 running tasks: (task 1) (task 3).",
		stops[1]: "stopped 1 pending tasks.",
		Event(c.Service("web"), "has reached a steady state."):              "(service web) has reached a steady state.",
		SetEvent(c.Service("web"), "ecs-svc/1", "text."):                    "(service web, taskSet ecs-svc/1) text.",
		sayZones([]ZoneCount{{Zone: "a", Count: 3}, {Zone: "b", Count: 1}}): "3 tasks in a, 1 tasks in b",
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// What replaces unhealthy tasks is told, and only that.
func TestReplacementsOfUnhealthyTasksAreTold(t *testing.T) {
	for _, sets := range []bool{false, true} {
		w := newWorld(3, 100, 200, types.DeploymentCircuitBreaker{})
		if sets {
			w = newSets(3)
			w.add("web:1", 100)
		}
		w.work()
		w.live()[0].HealthStatus = ecs.HealthUnhealthy
		w.scale(5)
		p := w.step()
		if sets {
			p.Start, p.Sick = p.Sets[0].Start, p.Sets[0].Sick
		}
		if p.Start != 3 || p.Sick != 1 {
			t.Errorf("sets %v: starts %d, %d of them for unhealthy ones", sets, p.Start, p.Sick)
		}
	}
}
