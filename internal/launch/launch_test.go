package launch

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"pgregory.net/rapid"

	"berth/internal/arn"
	"berth/internal/ecs"
	"berth/internal/state"
	"berth/internal/state/statetest"
	"berth/internal/vpc"
)

var (
	scope = arn.Scope{Partition: "aws", Region: "us-east-1", Account: "123456789012"}
	demo  = scope.Cluster("demo")
	at    = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
)

// world are zones a, b and c with a subnet of 251 addresses each, "tiny" in a with 11, and groups of their VPC.
func world() []ecs.Record {
	out := []ecs.Record{
		&vpc.VPC{Arn: vpc.ARN(scope, vpc.KindVPC, "vpc-1")}, subnet("tiny", "10.0.9.0/28", "a"),
		&vpc.SecurityGroup{Arn: vpc.ARN(scope, vpc.KindSecurityGroup, "sg-1"), VpcID: "vpc-1", GroupName: "default"},
		&vpc.SecurityGroup{Arn: vpc.ARN(scope, vpc.KindSecurityGroup, "sg-2"), VpcID: "vpc-1", GroupName: "web"},
		&vpc.SecurityGroup{Arn: vpc.ARN(scope, vpc.KindSecurityGroup, "sg-0"), VpcID: "vpc-0", GroupName: "default"},
	}
	for n, z := range []string{"a", "b", "c"} {
		out = append(out, subnet(z, fmt.Sprintf("10.0.%d.0/24", n), z))
	}
	return out
}

func subnet(id, cidr, zone string) *vpc.Subnet {
	return &vpc.Subnet{Arn: vpc.ARN(scope, vpc.KindSubnet, id), VpcID: "vpc-1", CidrBlock: cidr, AvailabilityZone: zone}
}

// member is one of the pool's, in a zone, with room for n tasks of the definition.
func member(id, zone string, n int) *ecs.Instance {
	return &ecs.Instance{
		ContainerInstanceArn: arn.Pool.Instance(id), Status: ecs.Active, Connected: true, Registered: ecs.Resources{CPUUnits: 256 * n, MemoryMiB: 512 * n, ENIs: n},
		Attributes: []types.Attribute{
			{Name: aws.String(ecs.AttributeZone), Value: &zone}, {Name: aws.String(ecs.AttributeArchitecture), Value: aws.String("x86_64")},
		},
	}
}

func definition(change func(*types.TaskDefinition)) *ecs.TaskDefinition {
	d := types.TaskDefinition{
		TaskDefinitionArn: aws.String(string(scope.TaskDefinition("web", 1))), NetworkMode: types.NetworkModeAwsvpc, Cpu: aws.String("256"), Memory: aws.String("512"),
		ContainerDefinitions: []types.ContainerDefinition{{Name: aws.String("c")}},
	}
	if change != nil {
		change(&d)
	}
	return &ecs.TaskDefinition{Definition: d}
}

// pool grows in zones, for x86_64.
func pool(zones ...string) *ecs.Pool {
	p := &ecs.Pool{Grows: true}
	for _, z := range zones {
		p.Zones = append(p.Zones, ecs.PoolZone{Zone: z, Architecture: "x86_64"})
	}
	return p
}

func configuration(subnets ...string) *types.NetworkConfiguration {
	return &types.NetworkConfiguration{AwsvpcConfiguration: &types.AwsVpcConfiguration{Subnets: subnets}}
}

// open is a closure's view of records, which only this test sees. (A test cannot end within a closure of Update: that is the store's own goroutine.)
func open(t testing.TB, records ...ecs.Record) *state.Tx {
	t.Helper()
	return &state.Tx{Tables: statetest.Open(t, records...).View().Tables}
}

func read(t testing.TB, tables *state.Tables, c *types.NetworkConfiguration) *Network {
	t.Helper()
	n, err := ReadNetwork(tables, scope, c, true)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// ids are the ids of new tasks.
func ids() func() string {
	n := 0
	return func() string { n++; return fmt.Sprintf("%032d", n) }
}

func fargate(n *Network, d *ecs.TaskDefinition, count int) *Fargate {
	return &Fargate{Spec: ecs.TaskSpec{Task: demo.Task(""), Definition: d, PlatformVersion: "1.4.0", Now: at}, Network: n, Count: count, NewID: ids()}
}

// where reads like "a:m1 b:-", the tasks by their zones and members in their order.
func where(tasks []*ecs.Task) string {
	var out []string
	for _, t := range tasks {
		on := "-"
		if t.ContainerInstanceArn != "" {
			on = t.ContainerInstanceArn.ID()
		}
		out = append(out, t.AvailabilityZone+":"+on)
	}
	return strings.Join(out, " ")
}

func TestStart(t *testing.T) {
	arm := func(d *types.TaskDefinition) {
		d.RuntimePlatform = &types.RuntimePlatform{CpuArchitecture: types.CPUArchitectureArm64}
	}
	windows := func(d *types.TaskDefinition) {
		d.RuntimePlatform = &types.RuntimePlatform{OperatingSystemFamily: types.OSFamilyWindowsServer2022Core}
	}
	role := func(d *types.TaskDefinition) { d.TaskRoleArn = aws.String("r") }
	driver := func(d *types.TaskDefinition) {
		d.RequiresAttributes = []types.Attribute{{Name: aws.String("com.amazonaws.ecs.capability.logging-driver.splunk")}}
	}
	full := pool("a", "b")
	full.Zones[0].Unavailable = true
	for _, c := range []struct {
		name    string
		pool    *ecs.Pool
		members []*ecs.Instance
		subnets string
		d       func(*types.TaskDefinition)
		count   int
		inZone  map[string]int
		wait    bool
		want    string
	}{
		{name: "on members", members: []*ecs.Instance{member("m1", "a", 2), member("m2", "b", 2)}, subnets: "a b", count: 2, want: "a:m1 b:m2"},
		{name: "what a zone has no room for goes to the other", members: []*ecs.Instance{member("m1", "a", 9), member("m2", "b", 1)}, subnets: "a b", count: 4, want: "a:m1 a:m1 b:m2 a:m1"},
		{name: "the fullest member first", members: []*ecs.Instance{member("m1", "a", 9), member("m2", "a", 2)}, subnets: "a", count: 3, want: "a:m2 a:m2 a:m1"},
		{name: "what the others have counts", members: []*ecs.Instance{member("m1", "a", 9), member("m2", "b", 9)}, subnets: "a b", count: 3,
			inZone: map[string]int{"a": 3}, want: "b:m2 b:m2 b:m2"},
		{name: "not in zones without a subnet", pool: pool("a", "b"), members: []*ecs.Instance{member("m1", "a", 9)}, subnets: "b", count: 1, want: "b:-"},
		{name: "waits where the pool grows", pool: pool("a", "b"), members: []*ecs.Instance{member("m1", "a", 1)}, subnets: "a b", count: 4, want: "a:m1 b:- a:- b:-"},
		{name: "waits where there is capacity", pool: full, subnets: "a b", count: 2, want: "b:- b:-"},
		{name: "a service waits everywhere", pool: full, subnets: "a b", count: 2, wait: true, want: "a:- b:-"},
		{name: "a pool that does not grow", members: []*ecs.Instance{member("m1", "a", 1)}, subnets: "a b", count: 3, want: "a:m1 refused 2"},
		{name: "no pool, and a service", subnets: "a", count: 1, wait: true, want: "a:-"},
		{name: "a zone that the pool does not know", pool: pool("b"), subnets: "a", count: 1, want: "refused 1"},
		{name: "an architecture that nobody has", pool: pool("a"), members: []*ecs.Instance{member("m1", "a", 9)}, subnets: "a", d: arm, count: 2, want: "refused 2"},
		{name: "Windows", pool: pool("a"), members: []*ecs.Instance{member("m1", "a", 9)}, subnets: "a", d: windows, count: 2, wait: true, want: "refused 2"},
		{name: "a role", pool: pool("a"), subnets: "a", d: role, count: 1, wait: true, want: "a:-"},
		{name: "a log driver that no member has", pool: pool("a", "b"), members: []*ecs.Instance{member("m1", "a", 9)}, subnets: "a b", d: driver, count: 2, wait: true, want: "b:- b:-"},
	} {
		t.Run(c.name, func(t *testing.T) {
			records := world()
			if c.pool != nil {
				records = append(records, c.pool)
			}
			for _, m := range c.members {
				records = append(records, m)
			}
			tx := open(t, records...)
			f := fargate(read(t, tx.Tables, configuration(strings.Fields(c.subnets)...)), definition(c.d), c.count)
			f.Wait = c.wait
			f.InZone = func(z string) int { return c.inZone[z] }
			tasks, refused := f.Start(tx)
			got := where(tasks)
			if refused > 0 {
				got = strings.TrimSpace(fmt.Sprintf("%s refused %d", got, refused))
			}
			if sorted(got) != sorted(c.want) { // which of equal zones is first is drawn by lot
				t.Errorf("got %s, want %s", got, c.want)
			}
			if n := tx.Tasks.Len(); n != len(tasks) {
				t.Errorf("%d tasks are stored, and %d started", n, len(tasks))
			}
		})
	}
}

func sorted(text string) string {
	words := map[string]int{}
	for w := range strings.FieldsSeq(text) {
		words[w]++
	}
	return fmt.Sprint(words)
}

// Whatever the pool has: no member is overbooked, no address is given twice, zones with room for all differ by one task at most, and every task is
// placed, waits, or is refused.
func TestStartLaws(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		grows, count := rapid.Bool().Draw(r, "grows"), rapid.IntRange(0, 12).Draw(r, "tasks")
		wait := rapid.Bool().Draw(r, "wait")
		p := pool("a", "b", "c")
		p.Grows = grows
		tx, room := open(t, append(world(), p)...), map[string]int{}
		for i := range rapid.IntRange(0, 6).Draw(r, "members") {
			z, n := rapid.SampledFrom([]string{"a", "b", "c"}).Draw(r, "zone"), rapid.IntRange(0, 4).Draw(r, "room")
			tx.Put(member(fmt.Sprint("m", i), z, n))
			room[z] += n
		}
		var started []*ecs.Task
		for call := range rapid.IntRange(1, 2).Draw(r, "calls") {
			f := fargate(read(t, tx.Tables, configuration("a", "b", "c")), definition(nil), count)
			f.Wait, f.NewID = wait, func() string { return fmt.Sprintf("%d-%d", call, tx.Tasks.Len()) }
			f.InZone = func(z string) (n int) {
				for _, x := range started {
					if x.AvailabilityZone == z {
						n++
					}
				}
				return n
			}
			tasks, refused := f.Start(tx)
			started = append(started, tasks...)
			if len(tasks)+refused != count || refused > 0 && (wait || grows) {
				r.Fatalf("%d started and %d refused of %d", len(tasks), refused, count)
			}
		}
		lawful(r, tx, started, room)
	})
}

func lawful(t *rapid.T, tx *state.Tx, tasks []*ecs.Task, room map[string]int) {
	for i := range tx.Instances.Under(string(arn.Pool.Instance("")), "") {
		if u := tx.Tasks.Usage(i.ContainerInstanceArn).Reserved; u.CPUUnits > i.Registered.CPUUnits || u.MemoryMiB > i.Registered.MemoryMiB || u.ENIs > i.Registered.ENIs {
			t.Fatalf("%s is overbooked: %+v", i.ContainerInstanceArn.ID(), u)
		}
	}
	addresses, zones := map[string]bool{}, map[string]int{"a": 0, "b": 0, "c": 0}
	for _, x := range tasks {
		i := x.Interface
		if addresses[i.PrivateIPv4Address] || addresses[i.MACAddress] || addresses[i.NetworkInterfaceID] || i.SubnetID != x.AvailabilityZone {
			t.Fatalf("in zone %s: %+v", x.AvailabilityZone, i)
		}
		addresses[i.PrivateIPv4Address], addresses[i.MACAddress], addresses[i.NetworkInterfaceID] = true, true, true
		zones[x.AvailabilityZone]++
		if x.ContainerInstanceArn != "" {
			if z := tx.Instances.Get(x.ContainerInstanceArn).Zone(); z != x.AvailabilityZone {
				t.Fatalf("a task of zone %s is on a member in %s", x.AvailabilityZone, z)
			}
		}
	}
	least, most := min(zones["a"], zones["b"], zones["c"]), max(zones["a"], zones["b"], zones["c"])
	if room["a"] >= most && room["b"] >= most && room["c"] >= most && most-least > 1 {
		t.Fatalf("with room for all %v in the zones: %v", room, zones)
	}
}
