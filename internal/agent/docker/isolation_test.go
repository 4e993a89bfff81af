package docker_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"

	"berth/internal/acs"
	"berth/internal/acsproto"
	"berth/internal/agent/docker"
	"berth/internal/agent/machine"
	"berth/internal/agent/network"
)

// interfaceID is that of the only network interface of a test in a VPC.
const interfaceID = "eni-0123456789abcdef0"

// newHostInVPC is a host with a VPC that has one interface, not started yet.
func newHostInVPC(t *testing.T, e *docker.Engine) *host {
	h := &host{t: t, engine: e}
	h.prepare()
	keeper, err := network.New(network.Config{Installation: fmt.Sprint("test", os.Getpid())})
	if err != nil {
		t.Skip("no VPCs here:", err)
	}
	t.Cleanup(func() {
		h.kill()
		if err := keeper.Purge(context.Background()); err != nil {
			t.Error(err)
		}
		if err := keeper.Close(); err != nil {
			t.Error(err)
		}
	})
	h.config.Network, h.config.Names = keeper, machine.Names{Dir: t.TempDir()}
	h.config.Pause = bringPause(e)
	told := acsproto.Network{Whole: true, N: 1,
		VPCs:       []acsproto.VPC{{ID: "vpc-1", VNI: 77, CIDRs: []string{"10.77.0.0/16"}, Subnets: []acsproto.Subnet{{ID: "subnet-1", CIDR: "10.77.1.0/24"}}}},
		Interfaces: []acsproto.NetworkInterface{{ID: interfaceID, VPC: "vpc-1", Subnet: "subnet-1", Address: "10.77.1.9", MAC: "02:00:0a:4d:01:09", Local: true}}}
	h.config.RunAgent = func(ctx context.Context, c acs.AgentConfig, o acs.Orders) error {
		o.Network(ctx, told)
		return h.control.RunAgent(ctx, c, o)
	}
	return h
}

// withInterface gives a task the interface.
func withInterface(t acsproto.Task) acsproto.Task {
	t.NetworkMode = "awsvpc"
	t.Interfaces = []acsproto.ElasticNetworkInterface{{ID: interfaceID, MACAddress: "02:00:0a:4d:01:09",
		IPv4Addresses: []acsproto.IPv4Address{{Primary: true, PrivateAddress: "10.77.1.9"}}, SubnetGatewayIPv4Address: "10.77.1.1/24"}}
	return t
}

// TestIsolatedInterface runs a task of two containers in a VPC, each on gVisor: both have the task's address, and reach each other on localhost.
func TestIsolatedInterface(t *testing.T) {
	h := newHostInVPC(t, isolation(t))
	h.config.Instances[0].Runtime = "runsc"
	h.start()
	const address = `/bin/busybox ip addr > /a; while read -r what is rest; do test "$what $is" = "inet 10.77.1.9/24" && found=yes; done < /a; test "$found" || exit 6; `
	one := withInterface(fargate(h.task(111, c("a", "/bin/sh", "-c", address+"while :; do echo hello | nc -l -p 8080; done"),
		c("b", "/bin/sh", "-c", address+`while :; do test "$(nc -w 2 127.0.0.1 8080 < /dev/null)" = hello && exit 5; sleep 0.2; done`))))
	one.Containers[0].StopTimeout, one.Containers[1].Essential = 2, false
	h.control.Run(one)
	h.expect(one.ARN, "RUNNING a:RUNNING b:STOPPED(5)")
	h.control.Stop(one.ARN)
	h.await(one.ARN, func(got string) bool { // by SIGTERM or SIGKILL: a shell that is the first process ends of the former on gVisor
		return strings.HasPrefix(got, "STOPPED a:STOPPED(1") && strings.HasSuffix(got, " b:STOPPED(5)")
	})
}
