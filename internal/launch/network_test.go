package launch

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/apierr"
	"berth/internal/ecs"
	"berth/internal/state"
	"berth/internal/state/statetest"
	"berth/internal/vpc"
)

func TestReadNetwork(t *testing.T) {
	tables := statetest.Open(t, append(world(), &vpc.Subnet{Arn: vpc.ARN(scope, vpc.KindSubnet, "other"), VpcID: "vpc-0", AvailabilityZone: "a"})...).View().Tables
	for _, c := range []struct {
		name string
		c    *types.AwsVpcConfiguration
		ec2  bool
		want string // subnets, groups, zones; or the error
	}{
		{"the VPC's default group", &types.AwsVpcConfiguration{Subnets: []string{"b", "a"}}, false, "[b a] [sg-1] [b a]"},
		{"each once", &types.AwsVpcConfiguration{Subnets: []string{"a", "tiny", "a"}, SecurityGroups: []string{"sg-2", "sg-1", "sg-2"}}, true, "[a tiny] [sg-2 sg-1] [a]"},
		{"sixteen subnets and five groups", &types.AwsVpcConfiguration{Subnets: slices.Repeat([]string{"a"}, 16), SecurityGroups: slices.Repeat([]string{"sg-2"}, 5)}, true, "[a] [sg-2] [a]"},
		{"a public address", &types.AwsVpcConfiguration{Subnets: []string{"a"}, AssignPublicIp: types.AssignPublicIpEnabled}, false, "[a] [sg-1] [a] public"},
		{"none on EC2", &types.AwsVpcConfiguration{Subnets: []string{"a"}, AssignPublicIp: types.AssignPublicIpEnabled}, true, "Assign public IP is not supported for this launch type."},
		{"said by name on EC2", &types.AwsVpcConfiguration{Subnets: []string{"a"}, AssignPublicIp: types.AssignPublicIpDisabled}, true, "[a] [sg-1] [a]"},
		{"none", nil, false, "subnets can not be empty."},
		{"two VPCs", &types.AwsVpcConfiguration{Subnets: []string{"a", "other"}}, false, "subnets must all be in the same VPC: subnet other is in vpc-0 and not in vpc-1."},
		{"another VPC's group", &types.AwsVpcConfiguration{Subnets: []string{"a"}, SecurityGroups: []string{"sg-0"}}, false, "Security group sg-0 does not appear to belong to the same VPC as the input subnets."},
	} {
		n, err := ReadNetwork(tables, scope, &types.NetworkConfiguration{AwsvpcConfiguration: c.c}, !c.ec2)
		got := ""
		if err != nil {
			got = apierr.As(err).Message
		} else {
			var subnets []string
			for _, s := range n.subnets {
				subnets = append(subnets, s.ID())
			}
			got = fmt.Sprint(subnets, n.groups, n.Zones())
			if n.public {
				got += " public"
			}
			got = strings.ReplaceAll(got, "][", "] [")
		}
		if got != c.want {
			t.Errorf("%s\ngot  %s\nwant %s", c.name, got, c.want)
		}
	}
	if zones := (*Network)(nil).Zones(); zones != nil {
		t.Errorf("tasks without interfaces have zones %v", zones)
	}
}

// An interface is in the emptiest subnet of its zone, with an address of it and all that belongs to it.
func TestInterface(t *testing.T) {
	tx := open(t, world()...)
	c := configuration("tiny", "a", "b")
	c.AwsvpcConfiguration.SecurityGroups, c.AwsvpcConfiguration.AssignPublicIp = []string{"sg-2"}, types.AssignPublicIpEnabled
	n := read(t, tx.Tables, c)
	i, reason := n.Interface(tx.Tables, "a")
	if reason != "" || i.Failed || i.SubnetID != "a" || i.VpcID != "vpc-1" || !slices.Equal(i.Groups, []string{"sg-2"}) {
		t.Fatalf("%q: %+v", reason, i)
	}
	if a := netip.MustParseAddr(i.PrivateIPv4Address); !tx.Subnets.Get(vpc.ARN(scope, vpc.KindSubnet, "a")).Assignable(a) {
		t.Errorf("the address %v is not one of subnet a's", a)
	}
	if p := netip.MustParseAddr(i.PublicIP); !p.Is4() {
		t.Errorf("the public address is %v", p)
	}
	if len(i.AttachmentID) != 36 || len(i.NetworkInterfaceID) != len("eni-0123456789abcdef0") || len(i.MACAddress) != 17 || i.AttachedAt != nil {
		t.Errorf("%+v", i)
	}
	if i, reason := (*Network)(nil).Interface(tx.Tables, "a"); i != nil || reason != "" {
		t.Errorf("a task without an interface has %+v, %q", i, reason)
	}
}

// When a subnet's addresses are used up, a task is stored that has failed to start, in ECS's words; its own address is nobody's. One of them is free
// again when the task that has it stops.
func TestExhaustedSubnet(t *testing.T) {
	const reason = "Unexpected EC2 error while attempting to Create Network Interface with public IP assignment disabled in subnet 'tiny': InsufficientFreeAddressesInSubnet"
	tx := open(t, append(world(), member("m1", "a", 50))...)
	n := read(t, tx.Tables, configuration("tiny"))
	f := fargate(n, definition(nil), 12)
	tasks, _ := f.Start(tx)
	seen := map[string]bool{}
	for _, x := range tasks[:11] {
		if x.Over() || seen[x.Interface.PrivateIPv4Address] {
			t.Errorf("%s %s", x.LastStatus, x.Interface.PrivateIPv4Address)
		}
		seen[x.Interface.PrivateIPv4Address] = true
	}
	last := tasks[11]
	if last.LastStatus != ecs.Stopped || last.DesiredStatus != ecs.Stopped || last.StoppedAt == nil || last.StopCode != types.TaskStopCodeTaskFailedToStart || last.StoppedReason != reason {
		t.Errorf("%s, %s: %s", last.LastStatus, last.StopCode, last.StoppedReason)
	}
	if last.ContainerInstanceArn != "" || last.AvailabilityZone != "a" || last.AttachmentStatus() != ecs.AttachmentFailed || last.Interface.PrivateIPv4Address != "" {
		t.Errorf("on %q in %q, attachment %s: %+v", last.ContainerInstanceArn, last.AvailabilityZone, last.AttachmentStatus(), last.Interface)
	}
	if u := tx.Tasks.Usage(tasks[0].ContainerInstanceArn); u.Tasks != 11 {
		t.Errorf("the member has %d tasks", u.Tasks)
	}
	over := tasks[3].Clone()
	over.Advance(ecs.Stopped)
	over.StoppedAt = &f.Spec.Now
	tx.Put(over)
	if i, reason := n.Interface(tx.Tables, "a"); reason != "" || i.PrivateIPv4Address != tasks[3].Interface.PrivateIPv4Address {
		t.Errorf("after a task has stopped: %q, %+v", reason, i)
	}
}

func BenchmarkStart(b *testing.B) {
	records := append(world(), pool("a", "b", "c"))
	for i := range 300 {
		records = append(records, member(fmt.Sprint("m", i), []string{"a", "b", "c"}[i%3], 40))
	}
	s, d := statetest.Open(b, records...), definition(nil)
	undo := fmt.Errorf("as it was")
	for b.Loop() {
		err := s.Update(b.Context(), func(tx *state.Tx) error {
			if tasks, _ := fargate(read(b, tx.Tables, configuration("a", "b", "c")), d, 80).Start(tx); len(tasks) != 80 {
				b.Errorf("%d tasks", len(tasks))
			}
			return undo
		})
		if err != undo { //nolint:errorlint // it is the very one
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(80*b.N)/b.Elapsed().Seconds(), "tasks/s")
}
