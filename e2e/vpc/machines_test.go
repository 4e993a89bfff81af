package vpc

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/e2e/site"
)

// TestMachines is two machines whose tasks are in VPCs together.
func TestMachines(t *testing.T) {
	t.Parallel()
	s := site.OpenWith(t, 1, site.NewNetwork(t, 3), func(r *site.Replica) { r.Flags = []string{"--instance-lost-after", "10s"} })
	c := newControl(t, "http://"+s.Members[0].Listen, s.KeyID(), s.Secret())
	one, two := newMachine(s, c, 2), newMachine(s, c, 3)
	w := &world{control: c, one: one, two: two, web: c.define("web")}
	w.vpc = c.ec2("CreateVpc", "CidrBlock", "10.0.0.0/16").VPC
	w.first, w.second = c.subnet(w.vpc, "10.0.1.0/28"), c.subnet(w.vpc, "10.0.2.0/24")
	w.members = c.group(w.vpc, "members")
	c.ec2("AuthorizeSecurityGroupIngress", web(w.members, w.members)...)
	a, b := one.run(c, w.web, w.first, w.members), two.run(c, w.web, w.second, w.members)
	a.reaches(b)
	b.reaches(a)
	for _, part := range []struct {
		name string
		do   func(t *testing.T, w *world, a, b *running)
	}{
		{"another VPC", anotherVPC}, {"groups", groupRules}, {"the agent is killed", agentKilled}, {"a task moves", moves}, {"a machine is lost", machineLost},
	} {
		t.Logf("%s", part.name)
		if part.do(t, w, a, b); t.Failed() {
			t.Fatalf("failed: %s", part.name)
		}
	}
}

// world is what the parts of the test share.
type world struct {
	*control
	one, two               *machine
	web, vpc               string
	first, second, members string // subnets, and the group whose members reach each other
}

// anotherVPC: tasks of another VPC with the same addresses are not reached, on neither machine, nor do they reach those of this one.
func anotherVPC(t *testing.T, w *world, a, b *running) {
	vpc := w.ec2("CreateVpc", "CidrBlock", "10.0.0.0/16").VPC
	first, third, members := w.subnet(vpc, "10.0.1.0/28"), w.subnet(vpc, "10.0.3.0/24"), w.group(vpc, "members")
	w.ec2("AuthorizeSecurityGroupIngress", web(members, members)...)
	occupied := w.occupy(first, members, netip.MustParseAddr(a.address))
	other := w.define("other")
	x, y := w.one.run(w.control, other, first, members), w.two.run(w.control, other, third, members)
	if x.address != a.address {
		t.Fatalf("the tasks have the addresses %s and %s", a.address, x.address)
	}
	x.reaches(y)
	y.reaches(x)
	a.reaches(b)
	b.reaches(a)
	x.reachesNot(b.address)
	y.reachesNot(b.address)
	a.reachesNot(y.address)
	b.reachesNot(y.address)
	w.stop(x.arn, y.arn)
	for _, id := range occupied {
		w.ec2("DeleteNetworkInterface", "NetworkInterfaceId", id)
	}
}

// groupRules: rules hold from machine to machine, and their changes.
func groupRules(_ *testing.T, w *world, a, _ *running) {
	front, back := w.group(w.vpc, "front"), w.group(w.vpc, "back")
	rule := web(back, front)
	w.ec2("AuthorizeSecurityGroupIngress", rule...)
	f, k := w.one.run(w.control, w.web, w.first, front), w.two.run(w.control, w.web, w.second, back)
	f.reaches(k)
	k.reachesNot(f.address)
	a.reachesNot(k.address)
	a.reachesNot(f.address)
	w.ec2("RevokeSecurityGroupIngress", rule...)
	site.Eventually(w.t, "the rule is gone", func() error {
		if got, err := f.says(k.address); err == nil {
			return fmt.Errorf("%s answers", got)
		}
		return nil
	})
	w.ec2("AuthorizeSecurityGroupIngress", rule...)
	f.reaches(k)
	w.stop(f.arn, k.arn)
}

// agentKilled: traffic goes on while an agent is away, and after it is back.
func agentKilled(t *testing.T, w *world, a, b *running) {
	w.two.kill()
	for range 20 {
		for _, err := range []error{a.asks(b), b.asks(a)} {
			if err != nil {
				t.Error(err)
			}
		}
	}
	w.two.start()
	site.Eventually(t, "the agent is back", func() error {
		if len(w.instances()) < 2 {
			return fmt.Errorf("it is not connected")
		}
		return a.asks(b)
	})
	w.waitTasks("RUNNING", a.arn, b.arn)
	b.reaches(a)
	again := w.two.run(w.control, w.web, w.second, w.members)
	a.reaches(again)
	w.stop(again.arn)
}

// moves: a task that stops on one machine and starts on the other is reached there, from both.
func moves(_ *testing.T, w *world, a, b *running) {
	gone := w.two.run(w.control, w.web, w.second, w.members)
	a.reaches(gone)
	w.stop(gone.arn)
	a.reachesNot(gone.address)
	moved := w.one.run(w.control, w.web, w.second, w.members)
	a.reaches(moved)
	b.reaches(moved)
	moved.reaches(a, b)
	w.stop(moved.arn)
}

// machineLost: the tasks of a machine that is lost are replaced, and its addresses are free.
func machineLost(t *testing.T, w *world, a, b *running) {
	if _, err := w.ecs.CreateService(context.Background(), &awsecs.CreateServiceInput{
		ServiceName: aws.String("web"), TaskDefinition: &w.web, DesiredCount: aws.Int32(2), NetworkConfiguration: network(w.first, w.members),
		PlacementStrategy: []types.PlacementStrategy{{Type: types.PlacementStrategyTypeSpread, Field: aws.String("instanceId")}},
	}); err != nil {
		t.Fatal(err)
	}
	serves := func(on ...string) (arns []string) {
		site.Eventually(t, "the service has two tasks", func() error {
			arns = nil
			for _, task := range w.describe(w.tasks(types.DesiredStatusRunning)...) {
				if *task.Group == "service:web" && *task.LastStatus == "RUNNING" && slices.Contains(on, *task.ContainerInstanceArn) {
					arns = append(arns, *task.TaskArn)
				}
			}
			if len(arns) != 2 {
				return fmt.Errorf("%d run where they should", len(arns))
			}
			return nil
		})
		return arns
	}
	serves(w.one.instance, w.two.instance)
	w.two.kill()
	w.two.on.Cut(w.two.number, 1, w.one.number)
	replaced := serves(w.one.instance)
	site.Eventually(t, "the lost machine's task has stopped", func() error {
		if got := *w.describe(b.arn)[0].LastStatus; got != "STOPPED" {
			return fmt.Errorf("it is %s", got)
		}
		return nil
	})
	a.reachesNot(b.address)
	var want []string
	for _, arn := range append(replaced, a.arn) {
		r := w.one.find(w.control, arn)
		if arn != a.arn {
			a.reaches(r)
			r.reaches(a)
		}
		want = append(want, detail(w.describe(arn)[0], "networkInterfaceId"))
	}
	slices.Sort(want)
	if got := w.interfaces(); !slices.Equal(got, want) {
		t.Errorf("there are the interfaces %v, want those of the tasks that run, %v", got, want)
	}
}
