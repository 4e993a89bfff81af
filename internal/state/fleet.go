package state

import (
	"iter"

	"berth/internal/arn"
	"berth/internal/ecs"
	"berth/internal/placement"
)

// fleet shows a cluster's tables to placement.
type fleet struct {
	*Tables
	cluster arn.Cluster
}

// Fleet is the cluster's container instances as placement looks at them.
func (t *Tables) Fleet(c arn.Cluster) placement.Fleet { return fleet{t, c} }

// Rooms reads instances, usage and the group's counts side by side: all three are in the order of the instances.
func (f fleet) Rooms(group string) iter.Seq[placement.Room] {
	prefix := string(f.cluster.Instance(""))
	used, counts := f.Tasks.usage.along(""), f.Tasks.groups.along(groupKey(f.cluster, group, ""))
	return func(yield func(placement.Room) bool) {
		for i := range f.Tables.Instances.Under(prefix, "") {
			if i.Status == ecs.Inactive {
				continue
			}
			r := placement.Room{Instance: i}
			if u := used.at(string(i.ContainerInstanceArn)); u != nil {
				r.Reserved, r.Tasks, r.Running = u.Reserved, u.Tasks, u.Running
			}
			r.InGroup = counts.at(string(i.ContainerInstanceArn))
			if !yield(r) {
				return
			}
		}
	}
}

// Draw numbers the cluster's instances, also INACTIVE ones.
func (f fleet) Draw(group string) (n int, room func(int) (placement.Room, bool)) {
	n, at := f.Tables.Instances.numbered(string(f.cluster.Instance("")))
	return n, func(i int) (placement.Room, bool) {
		x := at(i)
		if x.Status == ecs.Inactive {
			return placement.Room{}, false
		}
		return f.Room(group, x), true
	}
}

func (f fleet) Room(group string, i *ecs.Instance) placement.Room {
	u := f.Tasks.Usage(i.ContainerInstanceArn)
	return placement.Room{
		Instance: i, Reserved: u.Reserved, Tasks: u.Tasks, Running: u.Running, InGroup: f.Tasks.InGroup(f.cluster, group, i.ContainerInstanceArn),
	}
}

// Groups costs as much as the instance has tasks.
func (f fleet) Groups(i *ecs.Instance) iter.Seq[string] {
	return func(yield func(string) bool) {
		for t := range f.Tasks.OnInstance(i.ContainerInstanceArn) {
			if t.DesiredStatus != ecs.Stopped && !yield(t.Group) {
				return
			}
		}
	}
}
