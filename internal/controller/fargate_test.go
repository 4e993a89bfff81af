package controller

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/arn"
	"berth/internal/ecs"
	"berth/internal/state"
	"berth/internal/state/statetest"
	"berth/internal/vpc"
)

const awsvpcDefinition = `{"family":"web","status":"ACTIVE","taskDefinitionArn":"arn:aws:ecs:us-east-1:123456789012:task-definition/web:1","networkMode":"awsvpc",
	"cpu":"256","memory":"512","containerDefinitions":[{"name":"main","image":"x"}]}`

// startAwsvpc runs the controller over a service with network interfaces in subnet-1 of zone a and subnet-2 of zone b.
func startAwsvpc(t *testing.T, desired int, change func(*ecs.Service, *ecs.TaskDefinition), records ...ecs.Record) *state.Store {
	t.Helper()
	return startAwsvpcWith(t, &Services{}, desired, change, records...)
}

// startAwsvpcWith is startAwsvpc with a controller that is partly made.
func startAwsvpcWith(t *testing.T, c *Services, desired int, change func(*ecs.Service, *ecs.TaskDefinition), records ...ecs.Record) *state.Store {
	t.Helper()
	d := definition(t, awsvpcDefinition)
	service := &ecs.Service{
		ServiceArn: demo.Service("web"), Status: ecs.Active, DesiredCount: desired, TaskDefinition: d.ARN(), LaunchType: types.LaunchTypeFargate, PlatformVersion: ecs.LatestPlatform,
		NetworkConfiguration: &types.NetworkConfiguration{AwsvpcConfiguration: &types.AwsVpcConfiguration{Subnets: []string{"subnet-1", "subnet-2"}}},
	}
	if change != nil {
		change(service, d)
	}
	service.Begin("ecs-svc/1", stamp())
	records = append(records, cluster(), d, service,
		&vpc.VPC{Arn: vpcARN(vpc.KindVPC, "1")}, &vpc.SecurityGroup{Arn: vpcARN(vpc.KindSecurityGroup, "sg-1"), VpcID: "1", GroupName: "default"},
		&vpc.Subnet{Arn: vpcARN(vpc.KindSubnet, "subnet-1"), VpcID: "1", CidrBlock: "10.0.1.0/24", AvailabilityZone: "a"},
		&vpc.Subnet{Arn: vpcARN(vpc.KindSubnet, "subnet-2"), VpcID: "1", CidrBlock: "10.0.2.0/24", AvailabilityZone: "b"})
	s := statetest.Open(t, records...)
	c.State, c.Log = s, slog.New(slog.DiscardHandler)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- c.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return s
}

// fargatePool is the pool's record, which grows in zones a and b unless there is no capacity.
func fargatePool(unavailable bool) *ecs.Pool {
	return &ecs.Pool{Grows: true, Zones: []ecs.PoolZone{
		{Zone: "a", Architecture: "x86_64", Unavailable: unavailable}, {Zone: "b", Architecture: "x86_64", Unavailable: unavailable},
	}}
}

func poolMember(id, zone string) *ecs.Instance {
	return &ecs.Instance{
		ContainerInstanceArn: arn.Pool.Instance(id), Status: ecs.Active, Connected: true, Registered: ecs.Resources{CPUUnits: 4096, MemoryMiB: 8192, ENIs: 16},
		Attributes: []types.Attribute{
			{Name: aws.String(ecs.AttributeZone), Value: &zone}, {Name: aws.String(ecs.AttributeArchitecture), Value: aws.String("x86_64")},
		},
	}
}

func write(t *testing.T, s *state.Store, f func(tx *state.Tx)) {
	t.Helper()
	if err := s.Update(t.Context(), func(tx *state.Tx) error { f(tx); return nil }); err != nil {
		t.Fatal(err)
	}
	time.Sleep(time.Second)
}

// placeAll puts all tasks that wait on a member, as the pool's controller does.
func placeAll(t *testing.T, s *state.Store) {
	t.Helper()
	write(t, s, func(tx *state.Tx) {
		for x := range s.View().Tasks.Waiting() {
			n := x.Clone()
			n.Place(tx.Instances.Get(arn.Pool.Instance("m-" + x.AvailabilityZone)))
			tx.Put(n)
		}
	})
}

// TestServiceWaitsForCapacity: where the pool cannot grow, the service says so once, waits, and is served when there is capacity; next time it says it again.
func TestServiceWaitsForCapacity(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := startAwsvpc(t, 4, nil, fargatePool(true), poolMember("m-a", "a"), poolMember("m-b", "b"))
		a := demo.Service("web")
		time.Sleep(time.Second) // the members have room
		if got := spread(s); got != "a2 b2" {
			t.Fatalf("at first: %s", got)
		}
		const said = "(service web) was unable to place a task. Reason: Capacity is unavailable at this time. Please try again later or in a different availability zone."
		full := func(id string, full bool) {
			write(t, s, func(tx *state.Tx) {
				i := *tx.Instances.Get(arn.Pool.Instance(id))
				if i.Registered.ENIs = 16; full {
					i.Registered.ENIs = 0
				}
				tx.Put(&i)
			})
		}
		for round := 1; round <= 2; round++ {
			full("m-a", true)
			full("m-b", true)
			write(t, s, func(tx *state.Tx) { tx.Put(fargatePool(true)) })
			write(t, s, func(tx *state.Tx) {
				n := tx.Services.Get(a).Clone()
				n.DesiredCount += 2
				tx.Put(n)
			})
			waiting := 0
			for range s.View().Tasks.Waiting() {
				waiting++
			}
			if waiting != 2 {
				t.Errorf("round %d: %d tasks wait", round, waiting)
			}
			if n := saidBy(s, said); n != round {
				t.Errorf("round %d: said %d times", round, n)
			}
			atRest(t, s)
			full("m-a", false)
			full("m-b", false)
			placeAll(t, s)
			write(t, s, func(tx *state.Tx) { tx.Put(fargatePool(false)) })
			for range 3 {
				report(t, s)
			}
			if c := s.View().Tasks.ServiceCounts(a); c.Running != 4+2*round {
				t.Errorf("round %d: %+v", round, c)
			}
		}
		if x := s.View().Services.Get(a); x.SteadyAt == nil {
			t.Error("it is not steady in the end")
		}
	})
}

// TestServiceWithoutPlatform: tasks that no member can run are not made, and the service says so once.
func TestServiceWithoutPlatform(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := startAwsvpc(t, 3, func(_ *ecs.Service, d *ecs.TaskDefinition) {
			d.Definition.RuntimePlatform = &types.RuntimePlatform{OperatingSystemFamily: types.OSFamilyWindowsServer2022Core}
		}, fargatePool(false))
		time.Sleep(time.Minute)
		if n := saidBy(s, "Capacity is unavailable at this time."); n != 1 || s.View().Tasks.Len() != 0 {
			t.Errorf("said %d times, and there are %d tasks", n, s.View().Tasks.Len())
		}
		atRest(t, s)
	})
}

// TestSubnetOfServiceIsGone: a service whose subnet was deleted says what is missing, once, and starts nothing until it is given another one.
func TestSubnetOfServiceIsGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := startAwsvpc(t, 2, nil, fargatePool(false), poolMember("m-a", "a"), poolMember("m-b", "b"))
		report(t, s)
		write(t, s, func(tx *state.Tx) { tx.Delete(tx.Subnets.Get(vpcARN(vpc.KindSubnet, "subnet-2"))) })
		reconfigure(t, s, func(x *ecs.Service) { x.DesiredCount = 4 })
		const said = "(service web) failed to launch a task with (error Error retrieving subnet information for [subnet-2]: The subnet ID 'subnet-2' does not exist (ErrorCode: InvalidSubnetID.NotFound))."
		if n := saidBy(s, said); n != 1 {
			t.Errorf("said %d times", n)
			for e := range s.View().Events.All() {
				t.Log(e.Message)
			}
		}
		if c := s.View().Tasks.ServiceCounts(demo.Service("web")); c.Tasks() != 2 {
			t.Errorf("%+v", c)
		}
		atRest(t, s)
		reconfigure(t, s, func(x *ecs.Service) {
			x.NetworkConfiguration = &types.NetworkConfiguration{AwsvpcConfiguration: &types.AwsVpcConfiguration{Subnets: []string{"subnet-1"}}}
			x.Begin("ecs-svc/2", stamp())
		})
		if got := spread(s); got != "a4" {
			t.Errorf("with another subnet: %s", got)
		}
	})
}

// TestStrategyOfService: base and weights count what the deployment has already.
func TestStrategyOfService(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := startAwsvpc(t, 5, func(x *ecs.Service, _ *ecs.TaskDefinition) {
			x.LaunchType = ""
			x.CapacityProviderStrategy = []types.CapacityProviderStrategyItem{
				{CapacityProvider: aws.String(ecs.ProviderFargate), Base: 2, Weight: 1}, {CapacityProvider: aws.String(ecs.ProviderFargateSpot), Weight: 2},
			}
		}, fargatePool(false), poolMember("m-a", "a"), poolMember("m-b", "b"))
		report(t, s)
		of := func() (n map[string]int) {
			n = map[string]int{}
			for x := range s.View().Tasks.All() {
				if !x.Over() {
					n[x.CapacityProviderName]++
				}
			}
			return n
		}
		if n := of(); n[ecs.ProviderFargate] != 3 || n[ecs.ProviderFargateSpot] != 2 {
			t.Errorf("of five: %v", n)
		}
		reconfigure(t, s, func(x *ecs.Service) { x.DesiredCount = 8 })
		if n := of(); n[ecs.ProviderFargate] != 4 || n[ecs.ProviderFargateSpot] != 4 {
			t.Errorf("of eight: %v", n)
		}
	})
}

// TestZonesOfSubnets: on EC2, zones without a subnet get no tasks and are not counted when zones are balanced.
func TestZonesOfSubnets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in := func(id, zone string) *ecs.Instance {
			i := instance(id, true, nil)
			inZone(zone)(i)
			i.Registered = ecs.Resources{CPUUnits: 4096, MemoryMiB: 8192, ENIs: 8}
			return i
		}
		s := startAwsvpc(t, 4, func(x *ecs.Service, _ *ecs.TaskDefinition) {
			x.LaunchType, x.PlatformVersion, x.AvailabilityZoneRebalancing = types.LaunchTypeEc2, "", types.AvailabilityZoneRebalancingEnabled
		}, in("ia", "a"), in("ic", "c"))
		for range 3 {
			report(t, s)
		}
		if got := spread(s); got != "a4" {
			t.Fatalf("at first: %s", got)
		}
		atRest(t, s)
		write(t, s, func(tx *state.Tx) { tx.Put(in("ib", "b")) })
		for range 4 {
			report(t, s)
		}
		if got := spread(s); got != "a2 b2" || saidBy(s, " in c") > 0 {
			t.Errorf("with an instance in the other zone: %s", got)
		}
		for e := range s.View().Events.All() {
			if strings.Contains(e.Message, "unable") {
				t.Error(e.Message)
			}
		}
		atRest(t, s)
	})
}
