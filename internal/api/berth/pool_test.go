package berth

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/apierr"
	"berth/internal/arn"
	"berth/internal/ecs"
	"berth/internal/frontdoor"
	"berth/internal/state/statetest"
)

var (
	scope = arn.Scope{Partition: "aws", Region: "us-east-1", Account: "123456789012"}
	demo  = scope.Cluster("default")
	noon  = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
)

// fargateTask is a running task on a member, on Spot where it is said; n minutes after noon.
func fargateTask(n int, spot bool, service string) *ecs.Task {
	t := &ecs.Task{
		TaskArn: demo.Task(fmt.Sprint("t", n)), ContainerInstanceArn: arn.Pool.Instance("i1"), PlatformVersion: ecs.LinuxPlatform, CapacityProviderName: ecs.ProviderFargate,
		DesiredStatus: ecs.Running, LastStatus: ecs.Running, CreatedAt: noon.Add(time.Duration(n) * time.Minute), AvailabilityZone: "a", CPUArchitecture: "x86_64",
		Reserved: ecs.Resources{CPUUnits: 256, MemoryMiB: 512},
	}
	if spot {
		t.CapacityProviderName = ecs.ProviderFargateSpot
	}
	if service != "" {
		t.Service = demo.Service(service)
	}
	return t
}

// waits makes a task one that has no place yet.
func waits(t *ecs.Task) *ecs.Task {
	t.ContainerInstanceArn, t.LastStatus = "", ecs.Provisioning
	return t
}

// spotAPI has t0 on demand; t1, t2, t3 of the service web on Spot; t4 on Spot on its own, t5 that waits and t6 that is stopping; t7 in another cluster, and t8 in
// another account.
func spotAPI(t *testing.T) *API {
	other, away := scope.Cluster("other"), arn.Scope{Partition: "aws", Region: "us-east-1", Account: "210987654321"}.Cluster("default")
	stopping, elsewhere, stranger := fargateTask(6, true, ""), fargateTask(7, true, ""), fargateTask(8, true, "")
	stopping.Stop(noon, types.TaskStopCodeUserInitiated, "enough")
	elsewhere.TaskArn, stranger.TaskArn = other.Task("t7"), away.Task("t8")
	return &API{State: statetest.Open(
		t, &ecs.Cluster{ClusterArn: demo, Status: ecs.Active}, &ecs.Cluster{ClusterArn: other, Status: ecs.Active}, &ecs.Cluster{ClusterArn: away, Status: ecs.Active},
		&ecs.Service{ServiceArn: demo.Service("web"), Status: ecs.Active}, &ecs.Service{ServiceArn: demo.Service("plain"), Status: ecs.Active},
		fargateTask(0, false, "plain"), fargateTask(1, true, "web"), fargateTask(2, true, "web"), fargateTask(3, true, "web"), fargateTask(4, true, ""),
		waits(fargateTask(5, true, "")), stopping, elsewhere, stranger,
	)}
}

// interrupted are the ids that an interruption answers, which are those that have stopped for it.
func interrupted(t *testing.T, a *API, in *InterruptSpotTasksInput) (string, error) {
	t.Helper()
	out, err := a.interruptSpotTasks(t.Context(), &frontdoor.Request{Scope: scope}, in)
	var told, stored []string
	if err == nil {
		for _, x := range out.TaskArns {
			told = append(told, arn.Task(x).ID())
		}
	}
	for x := range a.State.View().Tasks.All() {
		if x.StopCode == types.TaskStopCodeSpotInterruption {
			stored = append(stored, x.TaskArn.ID())
			if x.StoppedReason != "Your Spot Task was interrupted." || x.DesiredStatus != ecs.Stopped || x.LastStatus != ecs.Running || x.StoppingAt == nil {
				t.Errorf("%+v", x)
			}
		}
	}
	if sorted := slices.Sorted(slices.Values(told)); !slices.Equal(sorted, slices.Sorted(slices.Values(stored))) {
		t.Errorf("told %v, stored %v", told, stored)
	}
	return strings.Join(told, " "), err
}

func TestInterruptSpotTasks(t *testing.T) {
	for _, c := range []struct {
		name string
		in   InterruptSpotTasksInput
		want string
	}{
		{"task by id", InterruptSpotTasksInput{Task: new("t4")}, "t4"},
		{"task by ARN", InterruptSpotTasksInput{Task: new(string(demo.Task("t2")))}, "t2"},
		{"task of another cluster", InterruptSpotTasksInput{Task: new("t7"), Cluster: new("other")}, "t7"},
		{"task that is stopping", InterruptSpotTasksInput{Task: new("t6")}, ""},
		{"service", InterruptSpotTasksInput{Service: new("web")}, "t3 t2 t1"},
		{"two of a service", InterruptSpotTasksInput{Service: new("web"), Count: new(int32(2))}, "t3 t2"},
		{"more than there are", InterruptSpotTasksInput{Service: new("web"), Count: new(int32(9))}, "t3 t2 t1"},
		{"all", InterruptSpotTasksInput{All: new(true)}, "t7 t4 t3 t2 t1"},
		{"all of a cluster", InterruptSpotTasksInput{All: new(true), Cluster: new("other")}, "t7"},
		{"one of all", InterruptSpotTasksInput{All: new(true), Count: new(int32(1))}, "t7"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := interrupted(t, spotAPI(t), &c.in)
			if err != nil || got != c.want {
				t.Errorf("%q, %v, want %q", got, err, c.want)
			}
		})
	}
}

func TestInterruptSpotTasksRefuses(t *testing.T) {
	const one = "Exactly one of task, service and all must say which tasks are interrupted."
	a := spotAPI(t)
	for _, c := range []struct {
		in         InterruptSpotTasksInput
		code, want string
	}{
		{InterruptSpotTasksInput{}, "InvalidParameterException", one},
		{InterruptSpotTasksInput{All: new(false)}, "InvalidParameterException", one},
		{InterruptSpotTasksInput{Task: new("t1"), Service: new("web")}, "InvalidParameterException", one},
		{InterruptSpotTasksInput{Service: new("web"), All: new(true)}, "InvalidParameterException", one},
		{InterruptSpotTasksInput{Task: new("t1"), Count: new(int32(1))}, "InvalidParameterException", "count can not be specified with task."},
		{InterruptSpotTasksInput{All: new(true), Count: new(int32(0))}, "InvalidParameterException", "count must be greater than 0."},
		{InterruptSpotTasksInput{All: new(true), Count: new(int32(-1))}, "InvalidParameterException", "count must be greater than 0."},
		{InterruptSpotTasksInput{Task: new("")}, "InvalidParameterException", "task can not be blank."},
		{InterruptSpotTasksInput{Service: new("")}, "InvalidParameterException", "service can not be blank."},
		{InterruptSpotTasksInput{Task: new("nope")}, "InvalidParameterException", "The referenced task was not found."},
		{InterruptSpotTasksInput{Task: new("t0")}, "InvalidParameterException", "task t0 is not on the capacity provider FARGATE_SPOT, so it can not be interrupted."},
		{InterruptSpotTasksInput{Task: new("t5")}, "InvalidParameterException", "task t5 waits for capacity, so there is none to take back."},
		{InterruptSpotTasksInput{Service: new("nope")}, "ServiceNotFoundException", "Service not found."},
		{InterruptSpotTasksInput{Service: new("plain")}, "InvalidParameterException", "service plain has no running task on the capacity provider FARGATE_SPOT."},
		{InterruptSpotTasksInput{Task: new("t1"), Cluster: new("nope")}, "ClusterNotFoundException", "Cluster not found."},
		{InterruptSpotTasksInput{All: new(true), Cluster: new("nope")}, "ClusterNotFoundException", "Cluster not found."},
	} {
		got, err := interrupted(t, a, &c.in)
		var e *apierr.Error
		if !errors.As(err, &e) || e.Code != c.code || e.Message != c.want || got != "" {
			t.Errorf("%+v: %q, %v, want %s: %s", c.in, got, err, c.code, c.want)
		}
	}
}

// More tasks than one Update takes.
func TestInterruptManySpotTasks(t *testing.T) {
	records := []ecs.Record{&ecs.Cluster{ClusterArn: demo, Status: ecs.Active}}
	for n := range 2*interruptAtOnce + 1 {
		records = append(records, fargateTask(n, true, ""))
	}
	got, err := interrupted(t, &API{State: statetest.Open(t, records...)}, &InterruptSpotTasksInput{All: new(true)})
	if n := len(strings.Fields(got)); err != nil || n != 2*interruptAtOnce+1 {
		t.Errorf("%d tasks, %v", n, err)
	}
}

func TestDescribePool(t *testing.T) {
	instance := func(id, member string) *ecs.Instance {
		i := &ecs.Instance{
			ContainerInstanceArn: arn.Pool.Instance(id), Status: ecs.Active, Connected: true, Registered: ecs.Resources{CPUUnits: 1024, MemoryMiB: 4096}, RegisteredAt: noon,
			Attributes: []types.Attribute{{Name: new(ecs.AttributeZone), Value: new("a")}, {Name: new(ecs.AttributeArchitecture), Value: new("x86_64")}},
		}
		if member != "" {
			i.Attributes = append(i.Attributes, types.Attribute{Name: new(ecs.AttributeMember), Value: &member})
		}
		return i
	}
	member := func(id string, at arn.Instance) *ecs.PoolMember {
		return &ecs.PoolMember{ID: id, Zone: "a", Architecture: "x86_64", CPUUnits: 1024, MemoryMiB: 4096, LaunchedAt: noon, Instance: at}
	}
	gone, lost, fresh := member("m-gone", ""), instance("i3", "m-lost"), instance("i4", "m-new")
	gone.Leaving, lost.Connected, lost.DisconnectedAt, fresh.Connected, fresh.DisconnectedAt = true, false, new(noon.Add(time.Second)), false, new(noon)
	past := instance("i9", "m-past")
	past.Status = ecs.Inactive
	busy := member("m-busy", arn.Pool.Instance("i1"))
	idle := member("m-idle", arn.Pool.Instance("i5"))
	idle.IdleSince = &noon
	a := &API{State: statetest.Open(
		t, &ecs.Cluster{ClusterArn: demo, Status: ecs.Active}, instance("i1", "m-busy"), instance("i2", ""), lost, fresh, past, instance("i5", "m-idle"),
		busy, idle, gone, member("m-lost", arn.Pool.Instance("i3")), member("m-new", ""), member("m-soon", ""),
		fargateTask(0, false, ""), fargateTask(1, true, ""), waits(fargateTask(2, true, "")), waits(fargateTask(3, true, "")), waits(fargateTask(4, false, "")),
		&ecs.Pool{Grows: true, Zones: []ecs.PoolZone{
			{Zone: "a", Architecture: "x86_64"}, {Zone: "b", Architecture: "x86_64", Failures: 2, Reason: "no capacity now", LastFailure: &noon, Unavailable: true},
		}},
	)}
	out, err := a.describePool(t.Context(), &frontdoor.Request{Scope: scope}, &DescribePoolInput{})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, m := range out.Members {
		line := fmt.Sprintf("%s %s %s/%s %d/%d free %d/%d tasks %d spot %d", m.Id, m.Status, m.Zone, m.Architecture, m.Cpu, m.Memory, m.FreeCpu, m.FreeMemory, m.Tasks, m.SpotTasks)
		if m.ByHand {
			line += " by hand"
		}
		if m.IdleSince != nil {
			line += " idle"
		}
		got = append(got, line)
	}
	for _, n := range out.Waiting {
		got = append(got, fmt.Sprintf("%d wait %d/%d %s/%s spot %v since %s", n.Count, n.Cpu, n.Memory, n.Zone, n.Architecture, n.Spot, n.Since.Format(time.TimeOnly)))
	}
	for _, z := range out.Zones {
		got = append(got, fmt.Sprintf("zone %s/%s %v %d %q", z.Zone, z.Architecture, z.Unavailable, z.Failures, z.Reason))
	}
	want := []string{
		"i2 ACTIVE a/x86_64 1024/4096 free 1024/4096 tasks 0 spot 0 by hand",
		"m-busy ACTIVE a/x86_64 1024/4096 free 512/3072 tasks 2 spot 1",
		"m-gone LEAVING a/x86_64 1024/4096 free 0/0 tasks 0 spot 0",
		"m-idle ACTIVE a/x86_64 1024/4096 free 1024/4096 tasks 0 spot 0 idle",
		"m-lost DISCONNECTED a/x86_64 1024/4096 free 1024/4096 tasks 0 spot 0",
		"m-new LAUNCHING a/x86_64 1024/4096 free 1024/4096 tasks 0 spot 0",
		"m-soon LAUNCHING a/x86_64 1024/4096 free 1024/4096 tasks 0 spot 0",
		"2 wait 256/512 a/x86_64 spot true since 12:02:00",
		"1 wait 256/512 a/x86_64 spot false since 12:04:00",
		`zone a/x86_64 false 0 ""`,
		`zone b/x86_64 true 2 "no capacity now"`,
	}
	if !slices.Equal(got, want) || !out.Grows {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
