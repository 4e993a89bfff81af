package state

import (
	"fmt"
	"maps"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"berth/internal/ecs"
)

// TestZonesAgree compares the sums by availability zone with a recount, after any row of changes.
func TestZonesAgree(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tables := newTables()
		zone := rapid.SampledFrom([]string{"a", "b", ""})
		for range rapid.IntRange(0, 30).Draw(t, "changes") {
			id := fmt.Sprint(rapid.IntRange(0, 5).Draw(t, "id"))
			remove := rapid.IntRange(0, 4).Draw(t, "remove") == 0
			if rapid.Bool().Draw(t, "instance") {
				i := &ecs.Instance{ContainerInstanceArn: fleetCluster.Instance(id), Status: rapid.SampledFrom(statuses).Draw(t, "status")}
				i.Attributes = []types.Attribute{{Name: aws.String(ecs.AttributeZone), Value: aws.String(zone.Draw(t, "zone"))}}
				tables.put(i, remove)
				continue
			}
			x := &ecs.Task{
				TaskArn: fleetCluster.Task(id), StartedBy: rapid.SampledFrom([]string{"ecs-svc/1", "ecs-svc/12"}).Draw(t, "deployment"),
				DesiredStatus: rapid.SampledFrom([]ecs.TaskStatus{ecs.Running, ecs.Stopped}).Draw(t, "desired"), LastStatus: ecs.Pending,
				AvailabilityZone: zone.Draw(t, "zone"),
			}
			if rapid.Bool().Draw(t, "of a service") {
				x.Service = fleetCluster.Service("web")
			}
			tables.put(x, remove)
		}
		tables = tables.copy()
		instances, tasks := map[string]int{}, map[string]map[string]int{"ecs-svc/1": {}, "ecs-svc/12": {}}
		for i := range tables.Instances.All() {
			if i.Status == ecs.Active {
				instances[i.Zone()]++
			}
		}
		for x := range tables.Tasks.All() {
			if x.Service != "" && x.DesiredStatus == ecs.Running {
				tasks[x.StartedBy][x.AvailabilityZone]++
			}
		}
		if diff := cmp.Diff(instances, maps.Collect(tables.Zones(fleetCluster))); diff != "" {
			t.Fatalf("instances (-recount +sums)\n%s", diff)
		}
		for deployment, want := range tasks {
			if diff := cmp.Diff(want, maps.Collect(tables.Tasks.Zones(fleetCluster.Service("web"), deployment))); diff != "" {
				t.Fatalf("tasks of %s (-recount +sums)\n%s", deployment, diff)
			}
		}
	})
}
