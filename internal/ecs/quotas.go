package ecs

import (
	"cmp"
	"fmt"
	"strings"
)

// Quotas are the limits of an account that its operator may set. Zero fields are ECS's own.
type Quotas struct {
	Clusters            int // 10,000 in an account and region
	ServicesPerCluster  int // 5,000
	InstancesPerCluster int // 5,000
	TasksPerService     int // 5,000
}

// What ECS lets nobody change.
const (
	TagsPerResource         = 50
	ContainersPerDefinition = 10
	DefinitionSize          = 64 << 10 // bytes
	RevisionsPerFamily      = 1_000_000
	TasksPerRunTask         = 10
	InstancesPerStartTask   = 10
)

// Quota is one limit as operators see it.
type Quota struct {
	Name        string
	Value       int
	Default     int // ECS's own
	Adjustable  bool
	Description string
}

// Filled are the quotas with ECS's own where none is set.
func (q Quotas) Filled() Quotas {
	return Quotas{
		Clusters: cmp.Or(q.Clusters, 10_000), ServicesPerCluster: cmp.Or(q.ServicesPerCluster, 5000),
		InstancesPerCluster: cmp.Or(q.InstancesPerCluster, 5000), TasksPerService: cmp.Or(q.TasksPerService, 5000),
	}
}

// List shows all quotas, the adjustable ones first.
func (q Quotas) List() []Quota {
	q, d := q.Filled(), Quotas{}.Filled()
	fixed := func(name string, value int, description string) Quota {
		return Quota{name, value, value, false, description}
	}
	return []Quota{
		{"clusters", q.Clusters, d.Clusters, true, "clusters of an account in a region"},
		{"services-per-cluster", q.ServicesPerCluster, d.ServicesPerCluster, true, "services of a cluster"},
		{"container-instances-per-cluster", q.InstancesPerCluster, d.InstancesPerCluster, true, "container instances of a cluster"},
		{"tasks-per-service", q.TasksPerService, d.TasksPerService, true, "greatest desired count of a service"},
		fixed("tags-per-resource", TagsPerResource, "tags of a resource, without ECS's own"),
		fixed("containers-per-task-definition", ContainersPerDefinition, "containers of a task definition"),
		fixed("task-definition-size", DefinitionSize, "bytes of a task definition"),
		fixed("revisions-per-task-definition-family", RevisionsPerFamily, "revisions of a family, deregistered ones too"),
		fixed("tasks-per-run-task", TasksPerRunTask, "tasks of one RunTask"),
		fixed("container-instances-per-start-task", InstancesPerStartTask, "container instances of one StartTask"),
	}
}

// Set changes an adjustable quota by its name.
func (q *Quotas) Set(name string, value int) error {
	fields := map[string]*int{
		"clusters": &q.Clusters, "services-per-cluster": &q.ServicesPerCluster, "container-instances-per-cluster": &q.InstancesPerCluster,
		"tasks-per-service": &q.TasksPerService,
	}
	to := fields[name]
	if to == nil {
		var names []string
		for _, one := range q.List() {
			if one.Name == name {
				return fmt.Errorf("the quota %s is fixed at %d, as on AWS", name, one.Value)
			}
			if one.Adjustable {
				names = append(names, one.Name)
			}
		}
		return fmt.Errorf("there is no quota %q, but %s", name, strings.Join(names, ", "))
	}
	if value < 1 {
		return fmt.Errorf("the quota %s must be at least 1, but was %d", name, value)
	}
	*to = value
	return nil
}
