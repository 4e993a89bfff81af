package controller

import (
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/acs"
	"berth/internal/acsproto"
	"berth/internal/arn"
	"berth/internal/ecs"
	"berth/internal/state"
	"berth/internal/state/statetest"
	"berth/internal/vpc"
)

var home = arn.ScopeOf(demo)

func vpcARN(k vpcKind, id string) string { return vpc.ARN(home, k, id) }

type vpcKind = ecs.Kind

// netTask is a task with an interface in a VPC, on an instance or waiting.
func netTask(id, of, address, on string) *ecs.Task {
	x := &ecs.Task{
		TaskArn: demo.Task(id), DesiredStatus: ecs.Running, LastStatus: ecs.Provisioning, CreatedAt: time.Unix(0, 0).UTC(),
		Interface: &ecs.TaskInterface{NetworkInterfaceID: "eni-" + id, VpcID: of, SubnetID: "subnet-" + of, PrivateIPv4Address: address, Groups: []vpc.ID{"sg-" + of}},
	}
	if on != "" {
		x.ContainerInstanceArn = demo.Instance(on)
	}
	return x
}

// networks are VPCs 1 and 2 with a subnet, a main route table and a group each, instances i1 to i3 that can attach, and i4 that cannot.
func networks() []ecs.Record {
	out := []ecs.Record{cluster(), instance("i4", true, nil)}
	for _, id := range []string{"i1", "i2", "i3"} {
		i := instance(id, true, nil)
		i.Attributes = []types.Attribute{{Name: aws.String(ecs.AttributeVPC)}, {Name: aws.String(ecs.AttributeUnderlay), Value: aws.String("host-" + id)}}
		out = append(out, i)
	}
	for _, id := range []string{"1", "2"} {
		out = append(out,
			&vpc.VPC{Arn: vpcARN(vpc.KindVPC, id), CidrBlock: "10.0.0.0/16", Associations: []vpc.CidrAssociation{{CidrBlock: "10.0.0.0/16"}}, VNI: 7},
			&vpc.Subnet{Arn: vpcARN(vpc.KindSubnet, "subnet-"+id), VpcID: id, CidrBlock: "10.0.0.0/24", AvailabilityZone: "a"},
			&vpc.RouteTable{Arn: vpcARN(vpc.KindRouteTable, "rtb-"+id), VpcID: id, Associations: []vpc.RouteTableAssociation{{Main: true}}},
			&vpc.SecurityGroup{Arn: vpcARN(vpc.KindSecurityGroup, "sg-"+id), VpcID: id, GroupName: "default"})
	}
	return out
}

// net is what an instance was told of its VPCs.
type net struct {
	*Instances
	on   arn.Instance
	told map[string]any
}

func newNet(t *testing.T, records ...ecs.Record) *net {
	s := statetest.Open(t, append(networks(), records...)...)
	c := &Instances{State: s, Log: slog.New(slog.DiscardHandler)}
	c.Hub = acs.New(acs.Config{Control: c})
	return &net{c, demo.Instance("i1"), map[string]any{}}
}

// look reads like "whole 1; sg-1; eni-a@host-i1 local; gone eni-b", "nothing" where there is nothing to tell.
func (n *net) look() string {
	m, ok := n.Network(n.on, n.told)
	if !ok {
		return "nothing"
	}
	return tellNetwork(m)
}

func tellNetwork(m acsproto.Network) string {
	var vpcs, groups, interfaces []string
	for _, v := range m.VPCs {
		s := v.ID
		for _, x := range v.Subnets {
			for _, r := range x.Routes {
				s += " " + r.Destination + ">" + r.Via
			}
		}
		vpcs = append(vpcs, s)
	}
	for _, g := range m.Groups {
		groups = append(groups, g.ID)
	}
	for _, i := range m.Interfaces {
		s := i.ID + "@" + i.Host
		if i.Local {
			s += " local"
		}
		interfaces = append(interfaces, s)
	}
	slices.Sort(m.Gone)
	out := fmt.Sprint(vpcs, groups, interfaces, m.Gone)
	out = strings.ReplaceAll(out, "][", "] [")
	if m.Whole {
		out = "whole " + out
	}
	return out
}

func (n *net) write(t *testing.T, f func(tx *state.Tx)) {
	t.Helper()
	if err := n.State.Update(t.Context(), func(tx *state.Tx) error { f(tx); return nil }); err != nil {
		t.Fatal(err)
	}
}

// An instance is told of its VPCs whole first, and then of what differs; of another VPC and of tasks without a place never.
func TestNetworkOfInstance(t *testing.T) {
	n := newNet(t, netTask("a", "1", "10.0.0.4", "i1"), netTask("b", "1", "10.0.0.5", "i2"), netTask("c", "2", "10.0.0.4", "i3"), netTask("w", "1", "10.0.0.6", ""))
	expect := func(what, want string) {
		t.Helper()
		if got := n.look(); got != want {
			t.Errorf("%s\ngot  %s\nwant %s", what, got, want)
		}
	}
	put := func(r ecs.Record) { n.write(t, func(tx *state.Tx) { tx.Put(r) }) }
	expect("at first", "whole [1] [sg-1] [eni-a@host-i1 local eni-b@host-i2] []")
	expect("again", "nothing")

	n.write(t, func(tx *state.Tx) {
		w := tx.Tasks.Get(demo.Task("w")).Clone()
		w.Place(tx.Instances.Get(demo.Instance("i3")))
		tx.Put(w)
	})
	expect("a task has a place", "[] [] [eni-w@host-i3] []")
	put(&vpc.SecurityGroup{Arn: vpcARN(vpc.KindSecurityGroup, "sg-1"), VpcID: "1", GroupName: "default", Rules: []vpc.Rule{{Protocol: "-1", CidrIPv4: "0.0.0.0/0"}}})
	expect("a rule", "[] [sg-1] [] []")
	put(&vpc.SecurityGroup{Arn: vpcARN(vpc.KindSecurityGroup, "sg-2"), VpcID: "2", GroupName: "default", Rules: []vpc.Rule{{Protocol: "-1", CidrIPv4: "0.0.0.0/0"}}})
	expect("a rule of another VPC", "nothing")
	n.write(t, func(tx *state.Tx) {
		x := tx.Tasks.Get(demo.Task("b")).Clone()
		x.Advance(ecs.Stopped)
		tx.Put(x)
	})
	expect("a task has stopped", "[] [] [] [eni-b]")

	put(&vpc.InternetGateway{Arn: vpcARN(vpc.KindInternetGateway, "igw-1"), VpcID: "1"})
	expect("a gateway without a route", "nothing")
	route := []vpc.Route{{Destination: "0.0.0.0/0", GatewayID: "igw-1"}}
	put(&vpc.RouteTable{Arn: vpcARN(vpc.KindRouteTable, "rtb-1"), VpcID: "1", Associations: []vpc.RouteTableAssociation{{Main: true}}, Routes: route})
	expect("a route of the main table", "[1 0.0.0.0/0>internet] [] [] []")
	put(&vpc.RouteTable{Arn: vpcARN(vpc.KindRouteTable, "rtb-0"), VpcID: "1", Associations: []vpc.RouteTableAssociation{{SubnetID: "subnet-1"}}})
	expect("a table of the subnet's own comes first", "[1] [] [] []")
	put(&vpc.RouteTable{Arn: vpcARN(vpc.KindRouteTable, "rtb-0"), VpcID: "1", Associations: []vpc.RouteTableAssociation{{SubnetID: "subnet-1"}}, Routes: route})
	expect("which has a route", "[1 0.0.0.0/0>internet] [] [] []")
	n.write(t, func(tx *state.Tx) {
		tx.Delete(&vpc.InternetGateway{Arn: vpcARN(vpc.KindInternetGateway, "igw-1")})
	})
	expect("to a gateway that is gone", "[1 0.0.0.0/0>blackhole] [] [] []")

	n.write(t, func(tx *state.Tx) {
		x := tx.Tasks.Get(demo.Task("a")).Clone()
		x.Advance(ecs.Stopped)
		tx.Put(x)
	})
	expect("the last task here has stopped", "[] [] [] [1 eni-a eni-w sg-1]")
	expect("and again", "nothing")
}

// The first message of a session is sent also where there is nothing: the machine may have something left. Instances that attach nothing are told nothing.
func TestNetworkOfNobody(t *testing.T) {
	n := newNet(t)
	if got := n.look(); got != "whole [] [] [] []" {
		t.Errorf("at first: %s", got)
	}
	if got := n.look(); got != "nothing" {
		t.Errorf("then: %s", got)
	}
	for _, id := range []string{"i4", "nobody"} {
		if m, ok := n.Network(demo.Instance(id), map[string]any{}); ok {
			t.Errorf("%s is told %+v", id, m)
		}
	}
}

// Who has an interface in a VPC is known as long as it has one: only these are told that something has changed there.
func TestSubscribe(t *testing.T) {
	c := &Instances{}
	both, one := map[vpc.ID]arn.Scope{"1": home, "2": home}, map[vpc.ID]arn.Scope{"2": home}
	i1, i2 := demo.Instance("i1"), demo.Instance("i2")
	if !c.subscribe(i1, both) || c.subscribe(i1, both) || !c.subscribe(i2, one) || c.subscribe(i1, one) {
		t.Error("what is new is told wrongly")
	}
	if got := fmt.Sprint(len(c.vpcs), len(c.vpcs["2"])); got != "1 2" {
		t.Errorf("%v", c.vpcs)
	}
	c.subscribe(i1, nil)
	c.subscribe(i2, nil)
	if len(c.vpcs) != 0 {
		t.Errorf("%v are left", c.vpcs)
	}
}
