package ec2

import (
	"fmt"
	"net/url"
	"testing"
	"time"

	"berth/internal/ecs"
	"berth/internal/vpc"
)

// Listing interfaces beside 10,000 of tasks: a page of 1,000, and those of one group that has few.
func BenchmarkDescribeNetworkInterfaces(b *testing.B) {
	a := openAccount(b)
	if _, err := a.ask(b, "DescribeVpcs", nil); err != nil {
		b.Fatal(err)
	}
	v, at := defaultVPC(a.store.View().Tables, testScope), time.Unix(0, 0)
	var batch []ecs.Record
	for n := range 10_000 {
		groups := []vpc.ID{"sg-00000000000000001"}
		if n%1000 == 0 {
			groups = []vpc.ID{"sg-00000000000000002"}
		}
		batch = append(batch, &ecs.Task{
			TaskArn: testScope.Cluster("demo").Task(fmt.Sprint(n)), LastStatus: ecs.Running, CreatedAt: at,
			Interface: &ecs.TaskInterface{AttachmentID: fmt.Sprint(n), NetworkInterfaceID: fmt.Sprintf("eni-%017x", n), VpcID: v.ID(), SubnetID: "subnet-1",
				PrivateIPv4Address: fmt.Sprintf("10.0.%d.%d", n/256, n%256), Groups: groups, AttachedAt: &at},
		})
		if len(batch) == 100 {
			a.put(b, batch...)
			batch = nil
		}
	}
	for name, q := range map[string]url.Values{
		"page": {"MaxResults": {"1000"}}, "group": {"Filter.1.Name": {"group-id"}, "Filter.1.Value.1": {"sg-00000000000000002"}},
		"one": {"NetworkInterfaceId.1": {"eni-00000000000000009"}},
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, err := a.ask(b, "DescribeNetworkInterfaces", q); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
