package ecs

import (
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// infrastructureGone is what ECS says of tasks on Fargate that lose what they run on.
const infrastructureGone = "Amazon ECS is performing maintenance on the underlying infrastructure hosting the task."

// HostGone ends a task whose machine is gone: it is STOPPED with ECS's reason for a terminated host. It returns a changed copy, nil for a
// task that is over already. Of a task on Fargate nobody hears of the instance.
func (t *Task) HostGone(i *Instance, now time.Time) *Task {
	if t.Fargate() {
		return t.Lost(infrastructureGone, now)
	}
	return t.Lost(fmt.Sprintf("Host EC2 (instance %s) terminated.", i.Ec2InstanceID), now)
}

// Lost ends a task that nobody will report on any more. It returns a changed copy, nil for a task that is over already.
func (t *Task) Lost(reason string, now time.Time) *Task {
	if t.Over() {
		return nil
	}
	c := t.Clone()
	c.Stop(now, types.TaskStopCodeTerminationNotice, reason)
	c.Advance(Stopped)
	c.Version++
	for n := range c.Containers {
		c.Containers[n].LastStatus = Stopped
	}
	if c.ExecutionStoppedAt == nil {
		c.ExecutionStoppedAt = &now
	}
	c.StoppedAt = &now
	return c
}

// Deregister returns the instance as INACTIVE.
func (i *Instance) Deregister(now time.Time) *Instance {
	c := *i
	c.Status, c.Connected, c.DeregisteredAt = Inactive, false, &now
	c.Version++
	return &c
}
