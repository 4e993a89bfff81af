package state

import (
	"fmt"
	"iter"
	"strconv"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"berth/internal/arn"
	"berth/internal/ecs"
)

var demo = arn.Scope{Region: "us-east-1", Account: "123456789012"}.Cluster("demo")

// randomTask draws a task at any point of its life from a small world, so that draws collide.
func randomTask(t *rapid.T) *ecs.Task {
	service := rapid.SampledFrom([]arn.Service{"", demo.Service("a"), demo.Service("b")}).Draw(t, "service")
	at := time.Unix(int64(rapid.IntRange(1, 5).Draw(t, "created")), 0)
	task := &ecs.Task{
		TaskArn:              demo.Task(fmt.Sprintf("%02d", rapid.IntRange(0, 30).Draw(t, "id"))),
		ContainerInstanceArn: demo.Instance(rapid.SampledFrom([]string{"i1", "i2"}).Draw(t, "instance")),
		Service:              service, Group: "service:" + service.Name(),
		StartedBy:     rapid.SampledFrom([]string{"ecs-svc/1", "ecs-svc/2"}).Draw(t, "deployment"),
		CreatedAt:     at,
		DesiredStatus: rapid.SampledFrom([]ecs.TaskStatus{ecs.Running, ecs.Stopped}).Draw(t, "desired"),
		LastStatus:    rapid.SampledFrom([]ecs.TaskStatus{ecs.Pending, ecs.Running, ecs.Stopped}).Draw(t, "last"),
		HealthStatus:  rapid.SampledFrom([]types.HealthStatus{"", ecs.HealthHealthy, ecs.HealthUnhealthy}).Draw(t, "health"),
		HealthChecked: rapid.Bool().Draw(t, "checked"),
		Counted:       rapid.Bool().Draw(t, "counted"),
		Reserved:      ecs.Resources{CPUUnits: 10, MemoryMiB: 20},
	}
	if n := rapid.IntRange(0, 3).Draw(t, "protected"); n > 0 {
		until := time.Unix(int64(n), 0)
		task.ProtectedUntil = &until
	}
	if rapid.Bool().Draw(t, "port") {
		task.Reserved.PortsTCP = []int32{int32(rapid.IntRange(80, 83).Draw(t, "portnumber"))}
	}
	if rapid.Bool().Draw(t, "interface") { // the same one in each version of a task
		id := task.TaskArn.ID()
		n, _ := strconv.Atoi(id)
		task.Interface = &ecs.TaskInterface{NetworkInterfaceID: "eni-" + id, VpcID: "vpc-1", SubnetID: "subnet-" + id[:1],
			PrivateIPv4Address: fmt.Sprintf("10.0.0.%d", n+4), Groups: []string{"sg-" + id[1:]}}
		if n%2 == 0 {
			task.Interface.PublicIP = fmt.Sprintf("198.18.0.%d", n)
		}
	}
	if rapid.IntRange(0, 3).Draw(t, "waits") == 0 { // for capacity
		task.ContainerInstanceArn, task.LastStatus = "", ecs.Provisioning
	}
	task.CapacityProviderName = rapid.SampledFrom([]string{"", ecs.ProviderFargate, ecs.ProviderFargateSpot}).Draw(t, "provider")
	if task.LastStatus == ecs.Stopped {
		task.DesiredStatus, task.StoppedAt = ecs.Stopped, &at
	}
	return task
}

// TestAggregates recomputes every sum and index from nothing after random changes, rolled back now and then, and compares.
func TestAggregates(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tables := newTables()
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			tx := &Tx{Tables: tables}
			for range rapid.IntRange(1, 4).Draw(t, "writes") {
				task := randomTask(t)
				if rapid.IntRange(0, 3).Draw(t, "delete") == 0 {
					tx.Delete(task)
				} else {
					tx.Put(task)
				}
			}
			switch rapid.IntRange(0, 4).Draw(t, "end") {
			case 0:
				tx.rollback()
			case 1:
				tx.rollback()
				tx.replay()
			case 2:
				tables = tables.copy()
			}
		}
		fresh := newTables()
		for r := range tables.each() {
			fresh.put(r, false)
		}
		if diff := cmp.Diff(picture(fresh), picture(tables)); diff != "" {
			t.Fatalf("(-recomputed +kept)\n%s", diff)
		}
	})
}

// picture is all that can be read of the tasks beside the rows.
func picture(t *Tables) []string {
	var out []string
	say := func(format string, a ...any) { out = append(out, fmt.Sprintf(format, a...)) }
	t.Tasks.counts.sums.Scan(func(k string, c Counts) bool { say("counts %q %+v", k, c); return true })
	t.Tasks.lacking.sums.Scan(func(k string, n int) bool { say("waiting %q %d", k, n); return true })
	t.Interfaces.subnets.sums.Scan(func(k string, n int) bool { say("in subnet %q %d", k, n); return true })
	t.Interfaces.groups.sums.Scan(func(k string, n int) bool { say("in security group %q %d", k, n); return true })
	for i := range t.Interfaces.Under("", "") {
		say("interface %+v, at its address %s, public %v", *i, t.Interfaces.At(i.SubnetID, addr(i.Address)).Arn, i.PublicIP == "" || t.Interfaces.Public(i.PublicIP) == i)
	}
	for i := range t.Interfaces.InVPC("vpc-1") {
		say("in the VPC: %s", i.Arn)
	}
	for _, i := range []string{"i1", "i2"} {
		for x := range t.Interfaces.OnInstance(demo.Instance(i)) {
			say("interface on %s: %s", i, x.Arn)
		}
	}
	t.Tasks.groups.sums.Scan(func(k string, n int) bool { say("group %q %d", k, n); return true })
	t.Tasks.usage.sums.Scan(func(k string, u *Usage) bool { say("usage %q %+v", k, *u); return true })
	for c := range t.Censuses() {
		say("cluster %q %+v", c, t.Cluster(c))
	}
	for _, s := range []arn.Service{demo.Service("a"), demo.Service("b")} {
		for x := range t.Tasks.OfService(s) {
			say("of %s: %s", s.Name(), x.TaskArn.ID())
		}
		for x := range t.Tasks.Uncounted(s) {
			say("uncounted %s: %s", s.Name(), x.TaskArn.ID())
		}
		for _, d := range []string{"ecs-svc/1", "ecs-svc/2"} {
			for x := range t.Tasks.Wanted(s, d) {
				say("wanted %s %s: %s", s.Name(), d, x.TaskArn.ID())
			}
		}
	}
	for _, i := range []string{"i1", "i2"} {
		for x := range t.Tasks.OnInstance(demo.Instance(i)) {
			say("on %s: %s", i, x.TaskArn.ID())
		}
	}
	for x := range t.Tasks.Waiting() {
		say("waiting %s", x.TaskArn.ID())
	}
	t.Tasks.providers.sums.Scan(func(k string, n int) bool { say("from provider %q %d", k, n); return true })
	for x := range t.Tasks.Stopped() {
		say("stopped %s", x.TaskArn.ID())
	}
	return out
}

func TestIndexesAgreeWithRows(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tables := newTables()
		for range rapid.IntRange(1, 40).Draw(t, "tasks") {
			tables.put(randomTask(t), false)
		}
		want := map[string]int{}
		for x := range tables.Tasks.All() {
			if x.Service != "" && x.DesiredStatus == ecs.Running {
				want[string(x.Service)+x.StartedBy]++
			}
			if x.Service != "" && x.Over() && !x.Counted {
				want[string(x.Service)+"uncounted"]++
			}
			if x.Waiting() {
				want["waiting"]++
			}
			if x.Service != "" && x.DesiredStatus == ecs.Running && x.CapacityProviderName != "" {
				want[string(x.Service)+x.StartedBy+x.CapacityProviderName]++
			}
		}
		got := map[string]int{}
		before := time.Time{}
		for x := range tables.Tasks.Waiting() {
			if got["waiting"]++; x.CreatedAt.Before(before) {
				t.Fatal("a task that waits comes before an older one")
			}
			before = x.CreatedAt
		}
		for _, s := range []arn.Service{demo.Service("a"), demo.Service("b")} {
			for _, d := range []string{"ecs-svc/1", "ecs-svc/2"} {
				for range tables.Tasks.Wanted(s, d) {
					got[string(s)+d]++
				}
				for _, p := range []string{ecs.ProviderFargate, ecs.ProviderFargateSpot} {
					if n := tables.Tasks.FromProvider(s, d, p); n > 0 {
						got[string(s)+d+p] = n
					}
				}
			}
			for range tables.Tasks.Uncounted(s) {
				got[string(s)+"uncounted"]++
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatal(diff)
		}
	})
}

func TestCopyIsIndependent(t *testing.T) {
	a := newTables()
	a.put(&ecs.Cluster{ClusterArn: demo, Status: ecs.Active}, false)
	b := a.copy()
	b.put(&ecs.Cluster{ClusterArn: demo, Status: ecs.Inactive}, false)
	if a.Clusters.Get(demo).Status != ecs.Active || b.Clusters.Get(demo).Status != ecs.Inactive {
		t.Error("a change in the copy shows in the original")
	}
}

// each yields every record of every table.
func (t *Tables) each() iter.Seq[ecs.Record] {
	return func(yield func(ecs.Record) bool) {
		_ = walk(t.Clusters.All(), yield) && walk(t.Families.All(), yield) && walk(t.Definitions.All(), yield) &&
			walk(t.Services.All(), yield) && walk(t.Events.All(), yield) && walk(t.Instances.All(), yield) &&
			walk(t.Tasks.All(), yield) && walk(t.Credentials.All(), yield) && walk(t.JoinTokens.All(), yield) &&
			walk(t.Requests.All(), yield) && walk(t.Settings.All(), yield) && walk(t.AccountSettings.All(), yield)
	}
}

func walk[R any, P pointer[R]](rows iter.Seq[*R], yield func(ecs.Record) bool) bool {
	for r := range rows {
		if !yield(P(r)) {
			return false
		}
	}
	return true
}
