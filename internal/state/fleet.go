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

func (f fleet) Instances() iter.Seq[*ecs.Instance] {
	return func(yield func(*ecs.Instance) bool) {
		for i := range f.Tables.Instances.Under(string(f.cluster.Instance("")), "") {
			if i.Status != ecs.Inactive && !yield(i) {
				return
			}
		}
	}
}

func (f fleet) Reserved(i arn.Instance) (ecs.Resources, int) {
	u := f.Tasks.Usage(i)
	return u.Reserved, u.Tasks
}

func (f fleet) InGroup(group string, i arn.Instance) int { return f.Tasks.InGroup(f.cluster, group, i) }
