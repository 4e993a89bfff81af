package ecs

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

func TestHostGone(t *testing.T) {
	then, now := time.Unix(100, 0).UTC(), time.Unix(200, 0).UTC()
	i := &Instance{Ec2InstanceID: "i-1", Status: Active, Connected: true, Version: 4}
	for name, test := range map[string]struct {
		prepare func(*Task)
		code    types.TaskStopCode
		reason  string
	}{
		"pending":  {func(*Task) {}, types.TaskStopCodeTerminationNotice, "Host EC2 (instance i-1) terminated."},
		"running":  {func(t *Task) { t.Advance(Running) }, types.TaskStopCodeTerminationNotice, "Host EC2 (instance i-1) terminated."},
		"stopping": {func(t *Task) { t.Advance(Running); t.Stop(then, types.TaskStopCodeUserInitiated, "enough") }, types.TaskStopCodeUserInitiated, "enough"},
	} {
		t.Run(name, func(t *testing.T) {
			task := &Task{LastStatus: Pending, DesiredStatus: Running, Version: 1, Containers: []Container{{Name: "c", LastStatus: Running}}}
			test.prepare(task)
			was := task.LastStatus
			c := task.HostGone(i, now)
			if c.LastStatus != Stopped || c.DesiredStatus != Stopped || c.StopCode != test.code || c.StoppedReason != test.reason {
				t.Errorf("got %s, %s, %s, %q", c.LastStatus, c.DesiredStatus, c.StopCode, c.StoppedReason)
			}
			if c.StoppedAt == nil || !c.StoppedAt.Equal(now) || c.ExecutionStoppedAt == nil || c.Containers[0].LastStatus != Stopped || c.Version <= task.Version {
				t.Errorf("not ended in full: %+v", c)
			}
			if task.LastStatus != was || task.Containers[0].LastStatus != Running {
				t.Error("the record itself has changed")
			}
			if c.HostGone(i, now) != nil {
				t.Error("ended twice")
			}
		})
	}
}

func TestDeregister(t *testing.T) {
	i := &Instance{Status: Active, Connected: true, Version: 4}
	now := time.Unix(200, 0).UTC()
	if d := i.Deregister(now); d.Status != Inactive || d.Connected || d.Version != 5 || !d.DeregisteredAt.Equal(now) {
		t.Errorf("got %+v", d)
	}
	if i.Status != Active || !i.Connected || i.Version != 4 || i.DeregisteredAt != nil {
		t.Error("the record itself has changed")
	}
}

// A task on Fargate that loses its member says nothing of instances.
func TestFargateHostGone(t *testing.T) {
	x := &Task{PlatformVersion: LinuxPlatform, ContainerInstanceArn: "i", LastStatus: Running, DesiredStatus: Running}
	n := x.HostGone(&Instance{Ec2InstanceID: "i-0123"}, time.Unix(200, 0).UTC())
	if n.LastStatus != Stopped || n.StopCode != types.TaskStopCodeTerminationNotice || strings.Contains(n.StoppedReason, "i-0123") || n.StoppedReason == "" {
		t.Errorf("got %s, %s: %s", n.LastStatus, n.StopCode, n.StoppedReason)
	}
}
