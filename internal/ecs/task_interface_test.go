package ecs

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/google/go-cmp/cmp"
)

// fargateSpec is a new task that waits for capacity.
func fargateSpec() TaskSpec {
	d := webAndLog()
	d.Definition.NetworkMode, d.Definition.Cpu, d.Definition.Memory = types.NetworkModeAwsvpc, aws.String("256"), aws.String("512")
	return TaskSpec{
		Task: reportTask, Definition: d, Zone: "us-east-1a", PlatformVersion: LinuxPlatform, CapacityProvider: ProviderFargateSpot, Now: reportTime,
		Interface: &TaskInterface{AttachmentID: "a", SubnetID: "subnet-1", PrivateIPv4Address: "10.0.0.9"},
	}
}

func poolMember() *Instance { return &Instance{ContainerInstanceArn: "m1"} }

// TestLifeOnFargate: what each step does to the statuses and the attachment, and that no later word takes it back.
func TestLifeOnFargate(t *testing.T) {
	x := NewTask(fargateSpec())
	at := reportTime
	var told []string
	tell := func(what string) {
		told = append(told, fmt.Sprintf("%s: v%d %s/%s %s waits %v", what, x.Version, x.LastStatus, x.DesiredStatus, x.AttachmentStatus(), x.Waiting()))
	}
	report := func(what string, r Report) {
		at = at.Add(time.Second)
		x = x.Report(r, fargateSpec().Definition, at)
		tell(what)
	}
	tell("new")
	if !x.Place(poolMember()) {
		t.Error("it is not placed")
	}
	tell("placed")
	if x.Place(&Instance{ContainerInstanceArn: "m2"}) || x.ContainerInstanceArn != "m1" {
		t.Error("it is placed twice")
	}
	report("attached", Report{Attached: true})
	first := *x.Interface.AttachedAt
	report("attached again", Report{Attached: true})
	report("running", Report{Status: Running, Containers: []ContainerReport{{Name: "web", Status: Running, RuntimeID: "r"}}})
	if !x.Interface.AttachedAt.Equal(first) {
		t.Errorf("attached at %v, and then at %v", first, *x.Interface.AttachedAt)
	}
	if !x.Interrupt(at) || x.Interrupt(at) {
		t.Error("an interruption stops it once")
	}
	tell("interrupted")
	report("stopped", Report{Status: Stopped, Containers: []ContainerReport{{Name: "web", Status: Stopped}}})
	report("late", Report{Attached: true, Status: Running})
	want := []string{
		"new: v1 PROVISIONING/RUNNING PRECREATED waits true", "placed: v1 PROVISIONING/RUNNING ATTACHING waits false",
		"attached: v2 PENDING/RUNNING ATTACHED waits false", "attached again: v2 PENDING/RUNNING ATTACHED waits false",
		"running: v3 RUNNING/RUNNING ATTACHED waits false", "interrupted: v4 RUNNING/STOPPED ATTACHED waits false",
		"stopped: v5 STOPPED/STOPPED DELETED waits false", "late: v5 STOPPED/STOPPED DELETED waits false",
	}
	if diff := cmp.Diff(want, told); diff != "" {
		t.Error(diff)
	}
	if x.StopCode != types.TaskStopCodeSpotInterruption || x.StoppedReason != "Your Spot Task was interrupted." {
		t.Errorf("%s %q", x.StopCode, x.StoppedReason)
	}
}

// A task that waits ends at once when it is to stop: no agent has it. It is never placed then.
func TestWaitingTaskStopsAtOnce(t *testing.T) {
	x := NewTask(fargateSpec())
	at := reportTime.Add(time.Minute)
	if !x.Stop(at, types.TaskStopCodeUserInitiated, "not needed") || !x.Over() || x.StoppedAt == nil || !x.StoppedAt.Equal(at) || x.Waiting() {
		t.Errorf("%s at %v", x.LastStatus, x.StoppedAt)
	}
	if x.Place(poolMember()) || x.ContainerInstanceArn != "" {
		t.Error("it is placed")
	}
	if x.Interface.PrivateIPv4Address == "" || x.AttachmentStatus() != AttachmentDeleted {
		t.Errorf("its attachment is %s", x.AttachmentStatus())
	}
	placed := NewTask(fargateSpec())
	placed.Place(poolMember())
	if placed.Stop(at, types.TaskStopCodeUserInitiated, "x"); placed.Over() {
		t.Error("one that has an agent is over before the agent says so")
	}
}

// An agent that says RUNNING without a word of the interface has it all the same.
func TestRunningIsAttached(t *testing.T) {
	x := NewTask(fargateSpec())
	x.Place(poolMember())
	x = x.Report(Report{Status: Running}, fargateSpec().Definition, reportTime)
	if x.Interface.AttachedAt == nil || x.LastStatus != Running {
		t.Errorf("%s, attached %v", x.LastStatus, x.Interface.AttachedAt)
	}
}

func TestNewFargateTask(t *testing.T) {
	for _, c := range []struct {
		name           string
		storage, other int32
		arm            bool
		want           string
	}{
		{name: "plain", want: "FARGATE 1.4.0 Linux 20 GiB x86_64 FARGATE_SPOT us-east-1a"},
		{name: "storage of the definition", storage: 50, want: "FARGATE 1.4.0 Linux 50 GiB x86_64 FARGATE_SPOT us-east-1a"},
		{name: "storage of the request", storage: 50, other: 30, want: "FARGATE 1.4.0 Linux 30 GiB x86_64 FARGATE_SPOT us-east-1a"},
		{name: "ARM", arm: true, want: "FARGATE 1.4.0 Linux 20 GiB arm64 FARGATE_SPOT us-east-1a"},
	} {
		s := fargateSpec()
		if c.storage > 0 {
			s.Definition.Definition.EphemeralStorage = &types.EphemeralStorage{SizeInGiB: c.storage}
		}
		if c.other > 0 {
			s.Overrides = &types.TaskOverride{EphemeralStorage: &types.EphemeralStorage{SizeInGiB: c.other}}
		}
		if c.arm {
			s.Definition.Definition.RuntimePlatform = &types.RuntimePlatform{CpuArchitecture: types.CPUArchitectureArm64}
		}
		x := NewTask(s)
		got := strings.Join([]string{string(x.LaunchType), x.PlatformVersion, x.PlatformFamily, fmt.Sprint(x.EphemeralStorageGiB, " GiB"), x.CPUArchitecture,
			x.CapacityProviderName, x.AvailabilityZone}, " ")
		if got != c.want || !x.Fargate() || x.Reserved.ENIs != 1 {
			t.Errorf("%s\ngot  %s, %d interfaces\nwant %s", c.name, got, x.Reserved.ENIs, c.want)
		}
	}
}

func TestPoolUnavailable(t *testing.T) {
	grows := &Pool{Grows: true, Zones: []PoolZone{{Zone: "a", Architecture: "x86_64"}, {Zone: "b", Architecture: "x86_64", Unavailable: true}}}
	for _, c := range []struct {
		pool               *Pool
		zone, architecture string
		want               bool
	}{
		{nil, "a", "x86_64", true}, {&Pool{Zones: grows.Zones}, "a", "x86_64", true}, {grows, "a", "x86_64", false}, {grows, "b", "x86_64", true},
		{grows, "a", "arm64", true}, {grows, "c", "x86_64", true},
	} {
		if got := c.pool.Unavailable(c.zone, c.architecture); got != c.want {
			t.Errorf("%+v: %s in %s is unavailable: %v", c.pool, c.architecture, c.zone, got)
		}
	}
}
