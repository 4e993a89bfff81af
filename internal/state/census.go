package state

import (
	"cmp"
	"iter"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/arn"
	"berth/internal/ecs"
)

// Census counts a cluster's records by what they show, stopped tasks and INACTIVE services too. It is an aggregate like the others: reading
// it costs nothing that grows with the cluster.
type Census struct {
	tasks     [2][8]int32 // by desired status RUNNING or STOPPED, and last status
	services  [3]int32    // by status
	instances [3][2]int32 // by status, and whether the agent is connected
	elsewhere [3]elsewhere
}

// elsewhere are the numbers of one launch type that is not EC2.
type elsewhere struct{ running, pending, active, draining int32 }

// elsewheres are the launch types in the order of a census.
var elsewheres = []types.LaunchType{types.LaunchTypeFargate, types.LaunchTypeExternal, types.LaunchTypeManagedInstances}

// LaunchCounts are the numbers of one launch type in a cluster.
type LaunchCounts struct{ Running, Pending, Active, Draining int }

// Launched returns a cluster's numbers of a launch type.
func (t *Tables) Launched(c arn.Cluster, l types.LaunchType) LaunchCounts {
	census := t.census.get(string(c))
	return census.launched(l)
}

// launched reads the numbers of a launch type. What is of no other one is of EC2.
func (c *Census) launched(l types.LaunchType) LaunchCounts {
	if i := slices.Index(elsewheres, l); i >= 0 {
		e := c.elsewhere[i]
		return LaunchCounts{int(e.running), int(e.pending), int(e.active), int(e.draining)}
	}
	all := c.counts()
	n := LaunchCounts{all.RunningTasks, all.PendingTasks, all.ActiveServices, all.DrainingServices}
	for _, e := range c.elsewhere {
		n.Running, n.Pending = n.Running-int(e.running), n.Pending-int(e.pending)
		n.Active, n.Draining = n.Active-int(e.active), n.Draining-int(e.draining)
	}
	return n
}

// The statuses in the order of a census.
var (
	taskStatuses = []ecs.TaskStatus{ecs.Pending, ecs.Running, ecs.Stopped, ecs.Provisioning, ecs.Activating, ecs.Deactivating, ecs.Stopping, ecs.Deprovisioning}
	statuses     = []string{ecs.Active, ecs.Draining, ecs.Inactive}
)

// Censuses yields the census of every cluster that has something to count.
func (t *Tables) Censuses() iter.Seq2[arn.Cluster, Census] {
	return func(yield func(arn.Cluster, Census) bool) {
		t.census.sums.Scan(func(c string, v Census) bool { return yield(arn.Cluster(c), v) })
	}
}

// Tasks yields the number of tasks by desired and last status, where there are any.
func (c *Census) Tasks(yield func(desired, last ecs.TaskStatus, n int)) {
	for d, row := range c.tasks {
		for i, n := range row {
			if n != 0 {
				yield([]ecs.TaskStatus{ecs.Running, ecs.Stopped}[d], taskStatuses[i], int(n))
			}
		}
	}
}

// Services yields the number of services by status, where there are any.
func (c *Census) Services(yield func(status string, n int)) {
	for i, n := range c.services {
		if n != 0 {
			yield(statuses[i], int(n))
		}
	}
}

// Instances yields the number of container instances by status and connection, where there are any.
func (c *Census) Instances(yield func(status string, connected bool, n int)) {
	for i, row := range c.instances {
		for connected, n := range row {
			if n != 0 {
				yield(statuses[i], connected == 1, int(n))
			}
		}
	}
}

// counts are the numbers that a cluster shows of itself.
func (c *Census) counts() (n ClusterCounts) {
	c.Tasks(func(_, last ecs.TaskStatus, tasks int) {
		switch {
		case last == ecs.Running:
			n.RunningTasks += tasks
		case !last.After(ecs.Running):
			n.PendingTasks += tasks
		case last != ecs.Stopped:
			n.EndingTasks += tasks
		}
	})
	c.Services(func(status string, services int) {
		switch status {
		case ecs.Active:
			n.ActiveServices = services
		case ecs.Draining:
			n.DrainingServices = services
		}
	})
	c.Instances(func(status string, _ bool, instances int) {
		if status != ecs.Inactive {
			n.Instances += instances
		}
	})
	return n
}

func (c *Census) task(x *ecs.Task, n int32) {
	if x == nil {
		return
	}
	desired := 0
	if x.DesiredStatus == ecs.Stopped {
		desired = 1
	}
	if last := slices.Index(taskStatuses, x.LastStatus); last >= 0 {
		c.tasks[desired][last] += n
	}
	if i := slices.Index(elsewheres, x.LaunchType); i >= 0 {
		switch {
		case x.LastStatus == ecs.Running:
			c.elsewhere[i].running += n
		case !x.LastStatus.After(ecs.Running):
			c.elsewhere[i].pending += n
		}
	}
}

func (c *Census) service(x *ecs.Service, n int32) {
	if x == nil {
		return
	}
	if i := slices.Index(statuses, x.Status); i >= 0 {
		c.services[i] += n
	}
	if i := slices.Index(elsewheres, x.RunsOn()); i >= 0 {
		switch x.Status {
		case ecs.Active:
			c.elsewhere[i].active += n
		case ecs.Draining:
			c.elsewhere[i].draining += n
		}
	}
}

func (c *Census) instance(x *ecs.Instance, n int32) {
	if x == nil {
		return
	}
	connected := 0
	if x.Connected {
		connected = 1
	}
	if i := slices.Index(statuses, x.Status); i >= 0 {
		c.instances[i][connected] += n
	}
}

func (t *Tables) censusTask(old, new *ecs.Task) {
	if old != nil && new != nil && old.DesiredStatus == new.DesiredStatus && old.LastStatus == new.LastStatus && old.LaunchType == new.LaunchType {
		return
	}
	if some := cmp.Or(new, old); some != nil {
		t.census.add(string(some.TaskArn.Cluster()), func(c Census) Census { c.task(old, -1); c.task(new, 1); return c })
	}
}

func (t *Tables) censusService(old, new *ecs.Service) {
	if old != nil && new != nil && old.Status == new.Status && old.RunsOn() == new.RunsOn() {
		return
	}
	if some := cmp.Or(new, old); some != nil {
		t.census.add(string(some.ServiceArn.Cluster()), func(c Census) Census { c.service(old, -1); c.service(new, 1); return c })
	}
}

func (t *Tables) censusInstance(old, new *ecs.Instance) {
	if old != nil && new != nil && old.Status == new.Status && old.Connected == new.Connected {
		return
	}
	if some := cmp.Or(new, old); some != nil {
		t.census.add(string(some.ContainerInstanceArn.Cluster()), func(c Census) Census { c.instance(old, -1); c.instance(new, 1); return c })
	}
}
