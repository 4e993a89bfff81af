package ec2

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"berth/internal/ecs"
	"berth/internal/golden"
	"berth/internal/vpc"
)

// tasks puts tasks with network interfaces into the default VPC: one on a container instance, one on Fargate that has a public address and is not attached
// yet, and one that has stopped. Their interfaces are eni-#1 to eni-#3.
func (a *account) tasks(t *testing.T) {
	t.Helper()
	a.must(t, "DescribeSecurityGroups")
	a.must(t, "DescribeSubnets Filter.1.Name=cidr Filter.1.Value.1=172.31.0.0/20")
	at := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	cluster := testScope.Cluster("demo")
	instance := &ecs.Instance{ContainerInstanceArn: cluster.Instance("i1"), Ec2InstanceID: "i-0123456789abcdef0", Status: ecs.Active}
	sub, err := findSubnet(a.store.View().Tables, testScope, a.known(t, "subnet-#1"))
	if err != nil {
		t.Fatal(err)
	}
	task := func(id, digit, address string) *ecs.Task {
		eni := "eni-0" + strings.Repeat(digit, 16)
		a.named(eni)
		return &ecs.Task{
			TaskArn: cluster.Task(id), CreatedAt: at, DesiredStatus: ecs.Running, LastStatus: ecs.Running, AvailabilityZone: sub.AvailabilityZone,
			ContainerInstanceArn: instance.ContainerInstanceArn,
			Interface: &ecs.TaskInterface{
				AttachmentID: "attachment-" + id, NetworkInterfaceID: eni, VpcID: sub.VpcID, SubnetID: sub.ID(), PrivateIPv4Address: address,
				MACAddress: "02:00:00:00:00:0" + digit, Groups: []vpc.ID{a.known(t, "sg-#1")}, AttachedAt: &at,
			},
		}
	}
	onInstance, onFargate, over := task("one", "1", "172.31.0.11"), task("two", "2", "172.31.0.12"), task("three", "3", "172.31.0.13")
	onFargate.PlatformVersion, onFargate.Interface.PublicIP, onFargate.Interface.AttachedAt = "1.4.0", "198.18.0.7", nil
	over.LastStatus, over.DesiredStatus = ecs.Stopped, ecs.Stopped
	a.put(t, instance, onInstance, onFargate, over)
}

// Interfaces of tasks are shown as AWS shows ECS's, and are not the user's to change. Those of stopped tasks are gone.
func TestTaskInterfaces(t *testing.T) {
	golden.Run(t, "testdata/task_interfaces.txtar", func(t *testing.T, in map[string]string) (out string) {
		synctest.Test(t, func(t *testing.T) {
			a := newAccount(t)
			a.tasks(t)
			for line := range strings.Lines(in["requests"]) {
				out += a.hear(t, strings.TrimSpace(line))
			}
		})
		return out
	})
}
