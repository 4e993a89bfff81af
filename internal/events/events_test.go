package events

import (
	"bytes"
	"encoding/json"
	"iter"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/arn"
	"berth/internal/awswire"
	"berth/internal/deployment"
	"berth/internal/ecs"
	"berth/internal/golden"
)

// at is when every change of these tests was published.
var at = time.Date(2026, 3, 4, 5, 6, 7, 890_000_000, time.UTC)

// TestEvents reads records as the store keeps them. A file's sections are KIND.old and KIND.new (either may be missing), and the definition.
func TestEvents(t *testing.T) {
	golden.Run(t, "testdata/*.txtar", func(t *testing.T, in map[string]string) string {
		var definition *ecs.TaskDefinition
		if text, ok := in["definition"]; ok {
			definition = decode(t, ecs.KindDefinition, text).(*ecs.TaskDefinition)
		}
		v := View{
			Definition: func(arn.TaskDefinition) *ecs.TaskDefinition { return definition },
			Held: func(arn.Instance) (ecs.Resources, int, int) {
				return ecs.Resources{CPUUnits: 60, MemoryMiB: 3000, PortsTCP: []int32{22, 8080}}, 2, 1
			},
		}
		kind, _, _ := strings.Cut(strings.TrimSpace(in[""]), " ")
		var old, new ecs.Record
		if text, ok := in["old"]; ok {
			old = decode(t, ecs.Kind(kind), text)
		}
		if text, ok := in["new"]; ok {
			new = decode(t, ecs.Kind(kind), text)
		}
		var out bytes.Buffer
		for _, e := range NewMaker().Of(old, new, v, at) {
			b, err := json.MarshalIndent(e, "", "  ")
			if err != nil {
				t.Fatal(err)
			}
			out.Write(append(b, '\n'))
		}
		if out.Len() == 0 {
			return "no event"
		}
		return out.String()
	})
}

func decode(t *testing.T, k ecs.Kind, text string) ecs.Record {
	t.Helper()
	r := ecs.New(k)
	if r == nil {
		t.Fatalf("no kind %q: the text above the sections begins with one", k)
	}
	if err := awswire.NewCompiler(awswire.LowerCamel).Plan(reflect.TypeOf(r)).DecodeRecord([]byte(text), r); err != nil {
		t.Fatal(err)
	}
	return r
}

// TestActionsOfDecisions drives the deployment decider into the texts that service actions are told by.
func TestActionsOfDecisions(t *testing.T) {
	service := arn.Scope{Region: "r", Account: "1"}.Cluster("c").Service("web")
	world := func(c ecs.Counts, d ecs.Deployment, ended ...*ecs.Task) deployment.View {
		d.ID, d.Status, d.RolloutState = "ecs-svc/1", ecs.DeploymentPrimary, types.DeploymentRolloutStateInProgress
		return deployment.View{
			Service: &ecs.Service{ServiceArn: service, Status: ecs.Active, DesiredCount: 1, Deployments: []ecs.Deployment{d}}, Budget: 10,
			Counts: func(string) ecs.Counts { return c },
			Wanted: func(string) iter.Seq[*ecs.Task] {
				return slices.Values([]*ecs.Task{{TaskArn: service.Cluster().Task("1"), StartedBy: "ecs-svc/1"}})
			},
			Ended: slices.Values(ended),
		}
	}
	before := at.Add(-10 * time.Second) // the last failure; the task was started after it
	failed := &ecs.Task{
		TaskArn: service.Cluster().Task("0"), StartedBy: "ecs-svc/1", CreatedAt: before.Add(time.Second), StopCode: types.TaskStopCodeTaskFailedToStart, StoppedAt: &at,
	}
	for name, v := range map[string]deployment.View{
		"SERVICE_STEADY_STATE":        world(ecs.Counts{Running: 1, WantRunning: 1, WantHealthy: 1}, ecs.Deployment{}),
		"TASKS_STOPPED":               world(ecs.Counts{Running: 2, WantRunning: 2, WantHealthy: 2}, ecs.Deployment{}),
		"SERVICE_TASK_START_IMPAIRED": world(ecs.Counts{}, ecs.Deployment{Failures: 2, FailedAt: &before}, failed),
		"TASKSET_STEADY_STATE": {
			Service: &ecs.Service{
				ServiceArn: service, Status: ecs.Active, DesiredCount: 1, DeploymentController: &types.DeploymentController{Type: types.DeploymentControllerTypeExternal},
				Deployments: []ecs.Deployment{{ID: "ecs-svc/1", Status: ecs.DeploymentActive, DesiredCount: 1, TaskSet: &ecs.TaskSet{Scale: 100}}},
			},
			Budget: 10, Ended: slices.Values([]*ecs.Task{}),
			Counts: func(string) ecs.Counts { return ecs.Counts{Running: 1, WantRunning: 1, WantHealthy: 1} },
		},
	} {
		var names []string
		for _, said := range deployment.Decide(v, at).Events {
			for _, e := range NewMaker().Of(nil, &ecs.Event{ServiceArn: service, Message: said}, View{}, at) {
				a := e.Detail.(Action)
				names = append(names, a.EventName)
				if want := []string{"arn:aws:ecs:r:1:task-set/c/web/ecs-svc/1"}; a.EventName == "TASKSET_STEADY_STATE" && !slices.Equal(a.TaskSetArns, want) {
					t.Errorf("%s is about %v, want %v", a.EventName, a.TaskSetArns, want)
				}
			}
		}
		if !slices.Contains(names, name) {
			t.Errorf("want %s, have %v", name, names)
		}
	}
}

// BenchmarkTask is what an event of a task costs with its text, while somebody reads the stream.
func BenchmarkTask(b *testing.B) {
	c := arn.Scope{Region: "r", Account: "1"}.Cluster("c")
	name, image := "web", "nginx"
	d := &ecs.TaskDefinition{Definition: types.TaskDefinition{ContainerDefinitions: []types.ContainerDefinition{{Name: &name, Image: &image}}}}
	task := &ecs.Task{TaskArn: c.Task("0123"), ContainerInstanceArn: c.Instance("4567"), Version: 2, CreatedAt: at, StartedAt: &at, LastStatus: ecs.Running}
	m, v := NewMaker(), View{Definition: func(arn.TaskDefinition) *ecs.TaskDefinition { return d }}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := json.Marshal(m.Of(nil, task, v, at)[0]); err != nil {
			b.Fatal(err)
		}
	}
}
