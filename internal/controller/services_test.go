package controller

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/awswire"
	"berth/internal/ecs"
	"berth/internal/state"
	"berth/internal/state/statetest"
)

// definition reads a task definition as it is on the wire.
func definition(t testing.TB, text string) *ecs.TaskDefinition {
	t.Helper()
	d := &ecs.TaskDefinition{}
	if err := awswire.NewCompiler(awswire.LowerCamel).Plan(reflect.TypeFor[ecs.TaskDefinition]()).DecodeRecord([]byte(`{"definition":`+text+`}`), d); err != nil {
		t.Fatal(err)
	}
	return d
}

const webDefinition = `{"family":"web","status":"ACTIVE","taskDefinitionArn":"arn:aws:ecs:us-east-1:123456789012:task-definition/web:1",
	"containerDefinitions":[{"name":"main","image":"x","cpu":100,"memory":100,"environment":[{"name":"A","value":"1"}],
	"portMappings":[{"containerPort":80,"hostPort":0,"protocol":"tcp"}],"ulimits":[{"name":"nofile","softLimit":10,"hardLimit":20}]}]}`

// startServices runs the controller over a service of the web definition and instances with room.
func startServices(t *testing.T, desired, instances int) *state.Store {
	t.Helper()
	d := definition(t, webDefinition)
	service := &ecs.Service{ServiceArn: demo.Service("web"), Status: ecs.Active, DesiredCount: desired, TaskDefinition: d.ARN(), LaunchType: types.LaunchTypeEc2}
	service.Begin("ecs-svc/1", stamp())
	records := []ecs.Record{cluster(), d, service}
	for i := range instances {
		x := instance(fmt.Sprintf("i%d", i), true, nil)
		x.Registered = ecs.Resources{CPUUnits: 1000, MemoryMiB: 1000}
		records = append(records, x)
	}
	s := statetest.Open(t, records...)
	c := &Services{State: s, Log: slog.New(slog.DiscardHandler)}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- c.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return s
}

// report makes all PENDING tasks RUNNING, and all that should stop STOPPED.
func report(t *testing.T, s *state.Store) {
	t.Helper()
	time.Sleep(time.Second)
	for x := range s.View().Tasks.All() {
		if x.Over() {
			continue
		}
		err := s.Update(t.Context(), func(tx *state.Tx) error {
			n, now := tx.Tasks.Get(x.TaskArn).Clone(), stamp()
			if n.DesiredStatus == ecs.Stopped {
				n.Advance(ecs.Stopped)
				n.StoppedAt = &now
			} else if n.Advance(ecs.Running) {
				n.StartedAt = &now
			}
			tx.Put(n)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	time.Sleep(time.Second)
}

func TestServiceIsKeptAtItsCount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := startServices(t, 15, 2)
		report(t, s)
		a := demo.Service("web")
		if c := s.View().Tasks.ServiceCounts(a); c.Running != 15 {
			t.Fatalf("%+v", c)
		}
		v := s.View().Services.Get(a)
		if v.Primary().RolloutState != types.DeploymentRolloutStateCompleted || v.SteadyAt == nil {
			t.Errorf("%+v", v.Primary())
		}
		for i := range s.View().Instances.All() {
			if u := s.View().Tasks.Usage(i.ContainerInstanceArn); u.Reserved.CPUUnits > i.Registered.CPUUnits {
				t.Errorf("%s is overbooked: %+v", i.ContainerInstanceArn.ID(), u)
			}
		}
	})
}

// TestServiceWaitsForRoom: what finds no place is said once in ECS's words, and placed as soon as an instance has room.
func TestServiceWaitsForRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := startServices(t, 12, 1)
		report(t, s)
		a := demo.Service("web")
		if c := s.View().Tasks.ServiceCounts(a); c.Running != 10 {
			t.Fatalf("%+v", c)
		}
		said := 0
		for e := range s.View().Events.All() {
			if strings.Contains(e.Message, "was unable to place a task because no container instance met all of its requirements. The closest matching (container-instance i0) has insufficient") {
				said++
			}
		}
		if said != 1 {
			t.Errorf("said %d times", said)
		}
		err := s.Update(t.Context(), func(tx *state.Tx) error {
			x := instance("late", true, nil)
			x.Registered = ecs.Resources{CPUUnits: 1000, MemoryMiB: 1000}
			tx.Put(x)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		report(t, s)
		if c := s.View().Tasks.ServiceCounts(a); c.Running != 12 {
			t.Errorf("with a new instance: %+v", c)
		}
	})
}

func TestLargeServiceTakesManyUpdates(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := startServices(t, 300, 40)
		report(t, s)
		if c := s.View().Tasks.ServiceCounts(demo.Service("web")); c.Running != 300 {
			t.Errorf("%+v", c)
		}
		n := 0
		for range s.View().Events.All() {
			n++
		}
		if n < 4 || n > ecs.EventsKept {
			t.Errorf("%d events", n)
		}
	})
}

func TestPayload(t *testing.T) {
	d := definition(t, webDefinition)
	name, value, command := "main", "2", []string{"run"}
	x := ecs.NewTask(ecs.TaskSpec{Task: demo.Task("1"), Definition: d, Group: "family:web", LaunchType: types.LaunchTypeEc2, Overrides: &types.TaskOverride{
		ContainerOverrides: []types.ContainerOverride{{Name: &name, Command: command, Environment: []types.KeyValuePair{{Name: &value, Value: &value}}}},
	}})
	p, err := payloadTask(x, d)
	if err != nil {
		t.Fatal(err)
	}
	got, err := json.MarshalIndent(p, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"command": [
    "run"
   ]`, `"2": "2"`, `"A": "1"`, `"AWS_EXECUTION_ENV": "AWS_ECS_EC2"`, `\"NetworkMode\":\"bridge\"`, `\"Ulimits\":[{\"Hard\":20,\"Name\":\"nofile\",\"Soft\":10}]`,
		`"containerPort": 80`, `"hostPort": 0`, `"overrides": "{}"`, `"family": "web"`, `"version": "1"`} {
		if !strings.Contains(string(got), want) {
			t.Errorf("no %s in\n%s", want, got)
		}
	}
}
