package state

import (
	"fmt"
	"reflect"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"pgregory.net/rapid"

	"berth/internal/arn"
	"berth/internal/ecs"
	"berth/internal/placement"
	"berth/internal/vpc"
)

// addDaemon puts a daemon that needs so much memory into the tables, and returns what a task of it needs.
func addDaemon(t *Tables, name string, mib int32, constraints ...types.PlacementConstraint) placement.Request {
	a := string(fleetCluster.Service(name))
	d := &ecs.TaskDefinition{Definition: types.TaskDefinition{
		TaskDefinitionArn: aws.String("arn:aws:ecs:us-east-1:123456789012:task-definition/" + name + ":1"), Status: types.TaskDefinitionStatusActive,
		ContainerDefinitions: []types.ContainerDefinition{{Name: aws.String("c"), Memory: aws.Int32(mib)}},
	}}
	s := &ecs.Service{
		ServiceArn: fleetCluster.Service(name), Status: ecs.Active, TaskDefinition: d.ARN(), SchedulingStrategy: types.SchedulingStrategyDaemon,
		Deployments:          []ecs.Deployment{{ID: "ecs-svc/" + a, Status: ecs.DeploymentPrimary, TaskDefinition: d.ARN()}},
		PlacementConstraints: constraints,
	}
	t.put(d, false)
	t.put(s, false)
	return placement.ServiceRequest(s, d)
}

// TestOthersLeaveDaemonsTheirRoom: wherever daemons that lack tasks had room, they still have it when others have placed what they could, and
// the others had all the rest.
func TestOthersLeaveDaemonsTheirRoom(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tables, next := newTables(), 0
		const size = 300
		addInstances(tables, rapid.IntRange(1, 6).Draw(t, "instances"), ecs.Resources{CPUUnits: 1000, MemoryMiB: size})
		var daemons []placement.Request
		for n := range rapid.IntRange(0, 2).Draw(t, "daemons") {
			var only []types.PlacementConstraint
			if rapid.Bool().Draw(t, "constrained") {
				only = append(only, types.PlacementConstraint{Type: types.PlacementConstraintTypeMemberOf, Expression: aws.String("attribute:ecs.availability-zone == a")})
			}
			daemons = append(daemons, addDaemon(tables, fmt.Sprint("daemon", n), int32(10*rapid.IntRange(1, 12).Draw(t, "needs")), only...))
		}
		used := map[string]int{}
		for i := range tables.Instances.All() {
			for _, d := range daemons {
				status := rapid.SampledFrom([]ecs.TaskStatus{"", ecs.Running, ecs.Stopped}).Draw(t, "has") // "": none; STOPPED: stopping
				if status == "" {
					continue
				}
				next++
				name := d.Group[len("service:"):]
				tables.put(&ecs.Task{
					TaskArn: fleetCluster.Task(fmt.Sprintf("%032x", next)), ContainerInstanceArn: i.ContainerInstanceArn, Group: d.Group, Reserved: d.Reserve,
					Service: fleetCluster.Service(name), StartedBy: "ecs-svc/1", DesiredStatus: status, LastStatus: ecs.Running,
				}, false)
				used[i.ContainerInstanceArn.ID()] += d.Reserve.MemoryMiB
			}
		}
		raw, others := tables.Fleet(fleetCluster), tables.FleetForOthers(fleetCluster)
		held, room := map[string]int{}, 0 // MiB that daemons are to have, and tasks of 10 MiB that have room beside it
		for i := range tables.Instances.All() {
			id := i.ContainerInstanceArn.ID()
			for _, d := range daemons {
				gone := tables.Tasks.InGroup(fleetCluster, d.Group, i.ContainerInstanceArn) == 0
				for x := range tables.Tasks.OnInstance(i.ContainerInstanceArn) {
					gone = gone && x.Group != d.Group
				}
				if gone && placement.Check(raw, d, i).Reason == placement.None {
					held[id] += d.Reserve.MemoryMiB
				}
			}
			room += max(0, size-used[id]-held[id]) / 10
		}
		for r := range others.Rooms("x") {
			if one := others.Room("x", r.Instance); !reflect.DeepEqual(r, one) {
				t.Fatalf("the pass over the fleet has %+v, one look %+v", r, one)
			}
		}
		n, draw := others.Draw("x")
		for i := range n {
			if r, _ := draw(i); !reflect.DeepEqual(r, others.Room("x", r.Instance)) {
				t.Fatalf("a draw has %+v", r)
			}
		}
		p := placement.Decide(others, placement.Request{Count: 1000, Group: "x", Reserve: ecs.Resources{MemoryMiB: 10}})
		if len(p.Placed) != room {
			t.Fatalf("%d tasks of others, where there is room for %d beside %v", len(p.Placed), room, held)
		}
	})
}

// TestOthersFleetIsTheFleet: where no daemon lacks a task nothing is held and nothing is looked at twice.
func TestOthersFleetIsTheFleet(t *testing.T) {
	tables := newTables()
	addInstances(tables, 2, ecs.Resources{CPUUnits: 1000, MemoryMiB: 300})
	plain := reflect.TypeOf(tables.Fleet(fleetCluster))
	look := func(want bool, when string) {
		t.Helper()
		if is := reflect.TypeOf(tables.FleetForOthers(fleetCluster)) == plain; is != want {
			t.Errorf("%s: the plain fleet: %v", when, is)
		}
	}
	look(true, "without a daemon")
	d := addDaemon(tables, "daemon", 100)
	look(false, "with one that has no task")
	for n := range 2 {
		tables.put(&ecs.Task{
			TaskArn: fleetCluster.Task(fmt.Sprintf("%032x", n)), ContainerInstanceArn: fleetCluster.Instance(fmt.Sprintf("%032x", n)), Group: d.Group,
			Service: fleetCluster.Service("daemon"), StartedBy: "ecs-svc/1", DesiredStatus: ecs.Running, LastStatus: ecs.Pending,
		}, false)
	}
	look(true, "with one that has a task on each instance")
	tables.put(&ecs.Instance{ContainerInstanceArn: fleetCluster.Instance("new"), Status: ecs.Active}, false)
	look(false, "when an instance has joined")
	s := *tables.Services.Get(fleetCluster.Service("daemon"))
	s.Status = ecs.Draining
	tables.put(&s, false)
	look(true, "when it is deleted")
}

// BenchmarkFleetForOthers places 80 tasks at a time while daemons lack a task on one instance.
func BenchmarkFleetForOthers(b *testing.B) {
	for _, daemons := range []int{0, 1, 3} {
		b.Run(fmt.Sprintf("80on5000/daemons=%d", daemons), func(b *testing.B) {
			tables, next := newTables(), 0
			addInstances(tables, 5000, ecs.Resources{CPUUnits: 1 << 40, MemoryMiB: 1 << 40})
			for n := range daemons {
				d := addDaemon(tables, fmt.Sprint("daemon", n), 10)
				for i := range 4999 {
					next++
					tables.put(&ecs.Task{
						TaskArn: fleetCluster.Task(fmt.Sprintf("%032x", next)), ContainerInstanceArn: fleetCluster.Instance(fmt.Sprintf("%032x", i)),
						Group: d.Group, Service: fleetCluster.Service(d.Group[len("service:"):]), StartedBy: "ecs-svc/1", DesiredStatus: ecs.Running, LastStatus: ecs.Running,
					}, false)
				}
			}
			r := placement.Request{Count: 80, Group: "service:web", Service: true, Reserve: ecs.Resources{CPUUnits: 1, MemoryMiB: 1}}
			for b.Loop() {
				placement.Decide(tables.FleetForOthers(fleetCluster), r)
			}
			b.ReportMetric(float64(80*b.N)/b.Elapsed().Seconds(), "tasks/s")
		})
	}
}

// A daemon whose tasks have network interfaces holds room in the zones of its subnets only, and none when they are gone.
func TestDaemonsHoldRoomInTheirZones(t *testing.T) {
	tables := newTables()
	for _, z := range []string{"a", "b"} {
		tables.put(&ecs.Instance{
			ContainerInstanceArn: fleetCluster.Instance(z), Status: ecs.Active, Connected: true, Registered: ecs.Resources{CPUUnits: 1000, MemoryMiB: 1000},
			Attributes: []types.Attribute{{Name: aws.String(ecs.AttributeZone), Value: &z}},
		}, false)
	}
	addDaemon(tables, "d", 100)
	held := func() string {
		f := tables.FleetForOthers(fleetCluster)
		room := func(z string) int {
			return f.Room("", tables.Instances.Get(fleetCluster.Instance(z))).Reserved.MemoryMiB
		}
		return fmt.Sprint("a ", room("a"), " b ", room("b"))
	}
	if got := held(); got != "a 100 b 100" {
		t.Errorf("without a network: %s", got)
	}
	s := *tables.Services.Get(fleetCluster.Service("d"))
	s.NetworkConfiguration = &types.NetworkConfiguration{AwsvpcConfiguration: &types.AwsVpcConfiguration{Subnets: []string{"subnet-b", "subnet-gone"}}}
	tables.put(&s, false)
	subnet := &vpc.Subnet{Arn: vpc.ARN(arn.ScopeOf(fleetCluster), vpc.KindSubnet, "subnet-b"), AvailabilityZone: "b"}
	tables.put(subnet, false)
	if got := held(); got != "a 0 b 100" {
		t.Errorf("with a subnet in zone b: %s", got)
	}
	tables.put(subnet, true)
	if got := held(); got != "a 0 b 0" {
		t.Errorf("with no subnet left: %s", got)
	}
}
