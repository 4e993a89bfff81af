package controller

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"berth/internal/acs"
	"berth/internal/acsproto"
	"berth/internal/ecs"
	"berth/internal/state"
	"berth/internal/state/statetest"
)

// startInstances runs the controller over records, with a hub that nobody is connected to.
func startInstances(t *testing.T, lostAfter time.Duration, records ...ecs.Record) (*Instances, *state.Store) {
	t.Helper()
	s := statetest.Open(t, records...)
	c := &Instances{State: s, Log: slog.New(slog.DiscardHandler), LostAfter: lostAfter}
	c.Hub = acs.New(acs.Config{Control: c})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- c.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return c, s
}

func instance(id string, connected bool, gone *time.Time) *ecs.Instance {
	return &ecs.Instance{ContainerInstanceArn: demo.Instance(id), Ec2InstanceID: "i-" + id, Status: ecs.Active, Connected: connected, DisconnectedAt: gone}
}

func running(id, on string, at time.Time) *ecs.Task {
	return &ecs.Task{TaskArn: demo.Task(id), ContainerInstanceArn: demo.Instance(on), DesiredStatus: ecs.Running, LastStatus: ecs.Running, CreatedAt: at}
}

func cluster() *ecs.Cluster { return &ecs.Cluster{ClusterArn: demo, Status: ecs.Active} }

// TestLostInstance: an instance without a session is deregistered after its time, and its tasks end with ECS's reason; only so many go at once.
func TestLostInstance(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		now := time.Now()
		records := []ecs.Record{cluster(), running("t", "0", now)}
		for i := range 10 {
			records = append(records, instance(fmt.Sprint(i), false, &now))
		}
		_, s := startInstances(t, 5*time.Minute, records...)
		time.Sleep(4*time.Minute + 50*time.Second)
		if n := s.View().Cluster(demo).Instances; n != 10 {
			t.Fatalf("%d instances are left before their time", n)
		}
		time.Sleep(time.Minute)
		if n := s.View().Cluster(demo).Instances; n != 8 {
			t.Errorf("%d instances are left, a fifth of ten may go", n)
		}
		time.Sleep(5 * time.Hour)
		task := s.View().Tasks.Get(demo.Task("t"))
		if !task.Over() || task.StoppedReason != "Host EC2 (instance i-0) terminated." {
			t.Errorf("%s: %q", task.LastStatus, task.StoppedReason)
		}
	})
}

// TestNeverLost: with LostAfter 0 an instance may be away for ever.
func TestNeverLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		now := time.Now()
		_, s := startInstances(t, 0, cluster(), instance("1", false, &now))
		time.Sleep(100 * time.Hour)
		if i := s.View().Instances.Get(demo.Instance("1")); i.Status != ecs.Active {
			t.Errorf("it is %s", i.Status)
		}
	})
}

// TestAgentThatDoesNotComeBack: connected in the records of before, it has some time to reconnect to a new leader.
func TestAgentThatDoesNotComeBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, s := startInstances(t, time.Hour, cluster(), instance("1", true, nil))
		time.Sleep(grace - time.Second)
		if !s.View().Instances.Get(demo.Instance("1")).Connected {
			t.Error("disconnected at once")
		}
		time.Sleep(2 * time.Second)
		if i := s.View().Instances.Get(demo.Instance("1")); i.Connected || i.DisconnectedAt == nil {
			t.Error("still connected")
		}
	})
}

// TestClockThatIsSet: how long an instance has been away is measured, and not read off the clock on the wall, which somebody may set.
func TestClockThatIsSet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, s := startInstances(t, time.Minute, cluster(), instance("1", true, nil))
		time.Sleep(grace + time.Second)
		err := s.Update(t.Context(), func(tx *state.Tx) error {
			i := *tx.Instances.Get(demo.Instance("1"))
			if i.DisconnectedAt == nil {
				return errors.New("it is not disconnected yet")
			}
			before := i.DisconnectedAt.Add(-time.Hour) // as it looks once the clock has been set an hour forward
			i.DisconnectedAt = &before
			tx.Put(&i)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute - 2*time.Second)
		if i := s.View().Instances.Get(demo.Instance("1")); i.Status != ecs.Active {
			t.Error("it is lost before its time")
		}
		time.Sleep(2 * time.Second)
		if i := s.View().Instances.Get(demo.Instance("1")); i.Status != ecs.Inactive {
			t.Errorf("it is %s after its time", i.Status)
		}
	})
}

// TestDeregisteredInstanceEndsItsTasks: what the operation leaves to the controller.
func TestDeregisteredInstanceEndsItsTasks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		records := []ecs.Record{cluster(), instance("1", true, nil)}
		for i := range 200 {
			records = append(records, running(fmt.Sprint(i), "1", time.Now()))
		}
		_, s := startInstances(t, time.Hour, records...)
		err := s.Update(t.Context(), func(tx *state.Tx) error {
			tx.Put(tx.Instances.Get(demo.Instance("1")).Deregister(time.Now()))
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		if n := s.View().Tasks.Usage(demo.Instance("1")).Tasks; n != 0 {
			t.Errorf("%d tasks are left", n)
		}
	})
}

// TestRestoredTasksMustBeProven: after a restore nothing of before is started again, and only what telemetry names lives on.
func TestRestoredTasksMustBeProven(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		before := time.Now().Add(-time.Hour)
		pending := running("pending", "1", before)
		pending.LastStatus = ecs.Pending
		setting := &ecs.Setting{Name: restoreSetting, Value: "1 " + time.Now().UTC().Format(time.RFC3339Nano)}
		c, s := startInstances(t, time.Hour, cluster(), instance("1", true, nil), setting, pending, running("alive", "1", before), running("dead", "1", before))
		w := c.Wanted(demo.Instance("1"))
		if _, tasks := c.Manifest(demo.Instance("1")); len(w.Orders) != 0 || len(tasks) != 3 {
			t.Errorf("%d orders and %d tasks of before the restore", len(w.Orders), len(tasks))
		}
		time.Sleep(time.Second)
		c.Telemetry(t.Context(), demo.Instance("1"), acsproto.PublishMetrics{TaskMetrics: []acsproto.TaskMetrics{{Task: string(demo.Task("alive"))}}})
		time.Sleep(proveWithin)
		for id, over := range map[string]bool{"alive": false, "dead": true, "pending": true} {
			if x := s.View().Tasks.Get(demo.Task(id)); x.Over() != over {
				t.Errorf("%s: %s %q", id, x.LastStatus, x.StoppedReason)
			}
		}
	})
}

func TestNoteRestore(t *testing.T) {
	s := statetest.Open(t)
	if err := NoteRestore(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	if at := RestoredAt(s.View().Tables); !at.IsZero() {
		t.Errorf("restored at %s without a restore", at)
	}
}

// TestHealthIsTheEssentialContainers: a task is unhealthy if one of its checked essential containers is.
func TestHealth(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := definition(t, `{"family":"web","taskDefinitionArn":"arn:aws:ecs:us-east-1:123456789012:task-definition/web:1","containerDefinitions":[
			{"name":"a","healthCheck":{"command":["CMD","x"]}},{"name":"b"},{"name":"c","essential":false,"healthCheck":{"command":["CMD","x"]}}]}`)
		x := running("t", "1", time.Now())
		x.TaskDefinitionArn, x.HealthChecked = d.ARN(), true
		x.Containers = []ecs.Container{{Name: "a"}, {Name: "b"}, {Name: "c"}}
		c, s := startInstances(t, time.Hour, cluster(), instance("1", true, nil), d, x)
		tell := func(health map[string]string) ecs.Health {
			var list []acsproto.ContainerHealth
			for name, status := range health {
				list = append(list, acsproto.ContainerHealth{Name: name, Status: status})
			}
			c.Telemetry(t.Context(), demo.Instance("1"), acsproto.PublishHealth{Tasks: []acsproto.TaskHealth{{Task: string(x.TaskArn), Containers: list}}})
			return s.View().Tasks.Get(x.TaskArn).HealthStatus
		}
		if got := tell(map[string]string{"c": "UNHEALTHY"}); got != ecs.HealthUnknown {
			t.Errorf("a container that is not essential: %s", got)
		}
		if got := tell(map[string]string{"a": "HEALTHY"}); got != ecs.HealthHealthy {
			t.Errorf("healthy: %s", got)
		}
		n := s.View().N
		if tell(map[string]string{"a": "HEALTHY"}); s.View().N != n {
			t.Error("the same health again is a commit")
		}
		if got := tell(map[string]string{"a": "UNHEALTHY"}); got != ecs.HealthUnhealthy {
			t.Errorf("unhealthy: %s", got)
		}
	})
}

// TestNewInstanceHasItsTime: an instance that registers long after its leader began is not lost before it could connect, nor one that registers
// again just before it would be.
func TestNewInstanceHasItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, s := startInstances(t, time.Minute, cluster())
		register := func() {
			now := stamp()
			if err := s.Update(t.Context(), func(tx *state.Tx) error { tx.Put(instance("1", false, &now)); return nil }); err != nil {
				t.Fatal(err)
			}
		}
		status := func() string { return s.View().Instances.Get(demo.Instance("1")).Status }
		time.Sleep(time.Hour)
		for range 3 {
			register()
			time.Sleep(58 * time.Second)
			if got := status(); got != ecs.Active {
				t.Fatalf("it is %s before its time", got)
			}
		}
		time.Sleep(5 * time.Second)
		if got := status(); got != ecs.Inactive {
			t.Errorf("it is %s after its time", got)
		}
	})
}
