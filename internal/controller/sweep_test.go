package controller

import (
	"fmt"
	"log/slog"
	"testing"
	"time"

	"berth/internal/arn"
	"berth/internal/ecs"
	"berth/internal/state"
	"berth/internal/state/statetest"
)

var demo = arn.Scope{Region: "us-east-1", Account: "123456789012"}.Cluster("demo")

func TestSweep(t *testing.T) {
	now := stamp()
	ago := func(d time.Duration) *time.Time { x := now.Add(-d); return &x }
	stopped := func(id string, d time.Duration) *ecs.Task {
		return &ecs.Task{TaskArn: demo.Task(id), LastStatus: ecs.Stopped, DesiredStatus: ecs.Stopped, StoppedAt: ago(d), TaskDefinitionArn: "arn:aws:ecs:us-east-1:123456789012:task-definition/used:1"}
	}
	deleted := func(name string) *ecs.TaskDefinition {
		a := "arn:aws:ecs:us-east-1:123456789012:task-definition/" + name
		d := &ecs.TaskDefinition{}
		d.Definition.TaskDefinitionArn, d.Definition.Status = &a, "DELETE_IN_PROGRESS"
		return d
	}
	uncounted := stopped("uncounted", 70*time.Minute)
	uncounted.Service = demo.Service("web")
	s := statetest.Open(t,
		stopped("old", 61*time.Minute), stopped("young", 59*time.Minute), uncounted,
		&ecs.Task{TaskArn: demo.Task("runs"), LastStatus: ecs.Running},
		&ecs.ClientRequest{ID: "old", CreatedAt: *ago(25 * time.Hour)}, &ecs.ClientRequest{ID: "young", CreatedAt: *ago(time.Hour)},
		&ecs.JoinToken{Hash: "old", ExpiresAt: *ago(time.Second)}, &ecs.JoinToken{Hash: "young", ExpiresAt: now.Add(time.Hour)},
		&ecs.Service{ServiceArn: demo.Service("gone"), Status: ecs.Inactive, InactiveAt: ago(25 * time.Hour)},
		&ecs.Event{ServiceArn: demo.Service("gone"), Seq: 1},
		&ecs.Service{ServiceArn: demo.Service("web"), Status: ecs.Active},
		deleted("used:1"), deleted("unused:1"),
	)
	c := &Sweep{State: s, Log: slog.New(slog.DiscardHandler)}
	if err := c.sweep(t.Context(), now); err != nil {
		t.Fatal(err)
	}
	v := s.View()
	for what, there := range map[string]bool{
		"old task": v.Tasks.Get(demo.Task("old")) != nil, "old request": v.Requests.Get("old") != nil, "old token": v.JoinTokens.Get("old") != nil,
		"gone service": v.Services.Get(demo.Service("gone")) != nil, "its event": v.Events.Len() > 0,
		"unused definition": v.Definitions.Get(deleted("unused:1").ARN()) != nil,
	} {
		if there {
			t.Errorf("%s is still there", what)
		}
	}
	for what, there := range map[string]bool{
		"young task": v.Tasks.Get(demo.Task("young")) != nil, "uncounted task": v.Tasks.Get(demo.Task("uncounted")) != nil,
		"running task": v.Tasks.Get(demo.Task("runs")) != nil, "young request": v.Requests.Get("young") != nil,
		"young token": v.JoinTokens.Get("young") != nil, "service": v.Services.Get(demo.Service("web")) != nil,
		"used definition": v.Definitions.Get(deleted("used:1").ARN()) != nil,
	} {
		if !there {
			t.Errorf("%s is gone", what)
		}
	}
}

func TestSweepKeepsStoppedAsLongAsItIsTold(t *testing.T) {
	now := stamp()
	stopped := func(id string, ago time.Duration, service arn.Service) *ecs.Task {
		at := now.Add(-ago)
		return &ecs.Task{TaskArn: demo.Task(id), LastStatus: ecs.Stopped, DesiredStatus: ecs.Stopped, StoppedAt: &at, Service: service}
	}
	s := statetest.Open(t,
		stopped("old", 61*time.Second, ""), stopped("young", 59*time.Second, ""),
		stopped("uncounted", 50*time.Minute, demo.Service("web")), stopped("forgotten", 62*time.Minute, demo.Service("web")))
	c := &Sweep{State: s, KeepStopped: time.Minute, Log: slog.New(slog.DiscardHandler)}
	if err := c.sweep(t.Context(), now); err != nil {
		t.Fatal(err)
	}
	for id, want := range map[string]bool{"old": false, "young": true, "uncounted": true, "forgotten": false} {
		if there := s.View().Tasks.Get(demo.Task(id)) != nil; there != want {
			t.Errorf("%s is there: %v", id, there)
		}
	}
}

func TestSweepBoundsRequests(t *testing.T) {
	now := stamp()
	var all []ecs.Record
	for n := range maxRequests + 3 { // the later one has the smaller id
		all = append(all, &ecs.ClientRequest{ID: fmt.Sprintf("%07d", 9_000_000-n), CreatedAt: now.Add(-time.Hour + time.Duration(n)*time.Millisecond)})
	}
	s := statetest.Open(t, all...)
	c := &Sweep{State: s, Log: slog.New(slog.DiscardHandler)}
	if err := c.sweep(t.Context(), now); err != nil {
		t.Fatal(err)
	}
	v := s.View()
	if n := v.Requests.Len(); n != maxRequests {
		t.Errorf("%d requests are kept", n)
	}
	if v.Requests.Get("8999998") != nil || v.Requests.Get("8999997") == nil {
		t.Error("it was not the oldest that went")
	}
}

func TestSweepSparesWhatWasMadeAnew(t *testing.T) {
	old := &ecs.Service{ServiceArn: demo.Service("web"), Status: ecs.Inactive}
	s := statetest.Open(t, old, &ecs.Service{ServiceArn: demo.Service("web"), Status: ecs.Active})
	err := s.Update(t.Context(), func(tx *state.Tx) error { tx.DeleteUnchanged(old); return nil })
	if err != nil || s.View().Services.Get(demo.Service("web")) == nil {
		t.Errorf("%v: the new service is gone", err)
	}
}
