package state

import (
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"berth/internal/arn"
	"berth/internal/ecs"
)

// TestCensus counts everything again after random changes, rolled back now and then, and compares.
func TestCensus(t *testing.T) {
	clusters := []arn.Cluster{arn.Scope{Region: "r", Account: "1"}.Cluster("a"), arn.Scope{Region: "r", Account: "1"}.Cluster("b")}
	rapid.Check(t, func(t *rapid.T) {
		tables := newTables()
		record := func() ecs.Record {
			c, id := rapid.SampledFrom(clusters).Draw(t, "cluster"), fmt.Sprint(rapid.IntRange(0, 5).Draw(t, "id"))
			switch rapid.IntRange(0, 2).Draw(t, "kind") {
			case 0:
				s := &ecs.Service{ServiceArn: c.Service(id), Status: rapid.SampledFrom(statuses).Draw(t, "status"), LaunchType: rapid.SampledFrom(launchTypes).Draw(t, "launch type")}
				if rapid.IntRange(0, 3).Draw(t, "strategy") == 0 { // of Fargate's capacity providers
					s.LaunchType, s.PlatformVersion = "", ecs.LatestPlatform
				}
				return s
			case 1:
				return &ecs.Instance{ContainerInstanceArn: c.Instance(id), Status: rapid.SampledFrom(statuses).Draw(t, "status"), Connected: rapid.Bool().Draw(t, "connected")}
			}
			x := randomTask(t)
			x.TaskArn, x.LaunchType = c.Task(x.TaskArn.ID()), rapid.SampledFrom(launchTypes).Draw(t, "launch type")
			return x
		}
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			tx := &Tx{Tables: tables}
			for range rapid.IntRange(1, 4).Draw(t, "writes") {
				if r := record(); rapid.IntRange(0, 3).Draw(t, "delete") == 0 {
					tx.Delete(r)
				} else {
					tx.Put(r)
				}
			}
			if rapid.Bool().Draw(t, "rollback") {
				tx.rollback()
			}
		}
		if diff := cmp.Diff(recount(tables), shown(tables)); diff != "" {
			t.Error(diff)
		}
		for _, c := range clusters {
			if diff := cmp.Diff(recountCluster(tables, c), tables.Cluster(c)); diff != "" {
				t.Error(diff)
			}
			for _, l := range launchTypes[1:] {
				if diff := cmp.Diff(recountLaunched(tables, c, l), tables.Launched(c, l)); diff != "" {
					t.Errorf("%s: %s", l, diff)
				}
			}
		}
	})
}

// launchTypes are those of records; the first stands for EC2, as in records of a version that knew no other.
var launchTypes = []types.LaunchType{"", types.LaunchTypeEc2, types.LaunchTypeFargate, types.LaunchTypeExternal, types.LaunchTypeManagedInstances}

// recountLaunched counts what a cluster has of a launch type.
func recountLaunched(t *Tables, c arn.Cluster, l types.LaunchType) (n LaunchCounts) {
	is := func(x types.LaunchType) bool { return x == l || x == "" && l == types.LaunchTypeEc2 }
	for x := range t.Tasks.All() {
		switch {
		case x.TaskArn.Cluster() != c || !is(x.LaunchType):
		case x.LastStatus == ecs.Running:
			n.Running++
		case !x.LastStatus.After(ecs.Running):
			n.Pending++
		}
	}
	for x := range t.Services.All() {
		switch {
		case x.ServiceArn.Cluster() != c || x.PlatformVersion == "" && !is(x.LaunchType) || x.PlatformVersion != "" && l != types.LaunchTypeFargate:
		case x.Status == ecs.Active:
			n.Active++
		case x.Status == ecs.Draining:
			n.Draining++
		}
	}
	return n
}

// recountCluster counts what a cluster shows of itself.
func recountCluster(t *Tables, c arn.Cluster) (n ClusterCounts) {
	for x := range t.Tasks.All() {
		switch {
		case x.TaskArn.Cluster() != c:
		case x.LastStatus == ecs.Running:
			n.RunningTasks++
		case !x.LastStatus.After(ecs.Running):
			n.PendingTasks++
		case x.LastStatus != ecs.Stopped:
			n.EndingTasks++
		}
	}
	for x := range t.Services.All() {
		if x.ServiceArn.Cluster() == c && x.Status == ecs.Active {
			n.ActiveServices++
		} else if x.ServiceArn.Cluster() == c && x.Status == ecs.Draining {
			n.DrainingServices++
		}
	}
	for x := range t.Instances.All() {
		if x.ContainerInstanceArn.Cluster() == c && x.Status != ecs.Inactive {
			n.Instances++
		}
	}
	return n
}

func recount(t *Tables) map[string]int {
	out := map[string]int{}
	for x := range t.Tasks.All() {
		out[fmt.Sprint(x.TaskArn.Cluster(), " task ", x.DesiredStatus, " ", x.LastStatus)]++
	}
	for x := range t.Services.All() {
		out[fmt.Sprint(x.ServiceArn.Cluster(), " service ", x.Status)]++
	}
	for x := range t.Instances.All() {
		out[fmt.Sprint(x.ContainerInstanceArn.Cluster(), " instance ", x.Status, " ", x.Connected)]++
	}
	return out
}

func shown(t *Tables) map[string]int {
	out := map[string]int{}
	for c, census := range t.Censuses() {
		census.Tasks(func(desired, last ecs.TaskStatus, n int) { out[fmt.Sprint(c, " task ", desired, " ", last)] = n })
		census.Services(func(status string, n int) { out[fmt.Sprint(c, " service ", status)] = n })
		census.Instances(func(status string, connected bool, n int) {
			out[fmt.Sprint(c, " instance ", status, " ", connected)] = n
		})
	}
	return out
}

// BenchmarkCensus is what the census costs when a task becomes RUNNING.
func BenchmarkCensus(b *testing.B) {
	tables := newTables()
	pending := &ecs.Task{TaskArn: demo.Task("1"), DesiredStatus: ecs.Running, LastStatus: ecs.Pending}
	running := &ecs.Task{TaskArn: demo.Task("1"), DesiredStatus: ecs.Running, LastStatus: ecs.Running}
	tables.censusTask(nil, pending)
	b.ReportAllocs()
	for b.Loop() {
		tables.censusTask(pending, running)
		tables.censusTask(running, pending)
	}
}
