package controller

import (
	"log/slog"
	"testing"
	"time"

	"berth/internal/arn"
	"berth/internal/ecs"
	"berth/internal/state/statetest"
)

func TestSweepOfClusters(t *testing.T) {
	now, scope := stamp(), arn.ScopeOf(demo)
	deleted := func(name string, ago time.Duration) *ecs.Cluster {
		at := now.Add(-ago)
		return &ecs.Cluster{ClusterArn: scope.Cluster(name), Status: ecs.Inactive, InactiveAt: &at}
	}
	s := statetest.Open(t,
		deleted("old", 24*time.Hour), deleted("young", 23*time.Hour), deleted("default", 48*time.Hour), &ecs.Cluster{ClusterArn: demo, Status: ecs.Active},
		deleted("tasks", 48*time.Hour), &ecs.Task{TaskArn: scope.Cluster("tasks").Task("1"), LastStatus: ecs.Running},
		deleted("services", 48*time.Hour), &ecs.Service{ServiceArn: scope.Cluster("services").Service("1"), Status: ecs.Inactive},
		deleted("instances", 48*time.Hour), &ecs.Instance{ContainerInstanceArn: scope.Cluster("instances").Instance("1"), Status: ecs.Active},
	)
	c := &Sweep{State: s, Log: slog.New(slog.DiscardHandler)}
	if err := c.sweep(t.Context(), now); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]bool{
		"old": false, "young": true, "default": true, "demo": true, "tasks": true, "services": true, "instances": true,
	} {
		if is := s.View().Clusters.Get(scope.Cluster(name)) != nil; is != want {
			t.Errorf("%s is there: %v", name, is)
		}
	}
}
