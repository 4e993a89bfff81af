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
	"berth/internal/agent/network"
)

// TestIsolatedInterface runs a task of two containers in a VPC, each on gVisor: both have the task's address, and reach each other on localhost.
func TestIsolatedInterface(t *testing.T) {
	e := isolation(t)
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
	h.config.Network, h.config.Instances[0].Runtime = keeper, "runsc"
	h.config.Pause = func(ctx context.Context) (string, error) {
		const image = "berth-test/pause:1"
		return image, e.ImportImage(ctx, image, "/bin/busybox", docker.ImageConfig{Links: []string{"/bin/sleep"}, Entrypoint: []string{"/bin/sleep", "100000"}})
	}
	told := acsproto.Network{Whole: true, N: 1,
		VPCs:       []acsproto.VPC{{ID: "vpc-1", VNI: 77, CIDRs: []string{"10.77.0.0/16"}, Subnets: []acsproto.Subnet{{ID: "subnet-1", CIDR: "10.77.1.0/24"}}}},
		Interfaces: []acsproto.NetworkInterface{{ID: "eni-0123456789abcdef0", VPC: "vpc-1", Subnet: "subnet-1", Address: "10.77.1.9", MAC: "02:00:0a:4d:01:09", Local: true}}}
	h.config.RunAgent = func(ctx context.Context, c acs.AgentConfig, o acs.Orders) error {
		o.Network(ctx, told)
		return h.control.RunAgent(ctx, c, o)
	}
	h.start()
	const address = `/bin/busybox ip addr > /a; while read -r what is rest; do test "$what $is" = "inet 10.77.1.9/24" && found=yes; done < /a; test "$found" || exit 6; `
	one := fargate(h.task(111, c("a", "/bin/sh", "-c", address+"while :; do echo hello | nc -l -p 8080; done"),
		c("b", "/bin/sh", "-c", address+`while :; do test "$(nc -w 2 127.0.0.1 8080 < /dev/null)" = hello && exit 5; sleep 0.2; done`)))
	one.NetworkMode, one.Containers[0].StopTimeout, one.Containers[1].Essential = "awsvpc", 2, false
	one.Interfaces = []acsproto.ElasticNetworkInterface{{ID: "eni-0123456789abcdef0", MACAddress: "02:00:0a:4d:01:09",
		IPv4Addresses: []acsproto.IPv4Address{{Primary: true, PrivateAddress: "10.77.1.9"}}, SubnetGatewayIPv4Address: "10.77.1.1/24"}}
	h.control.Run(one)
	h.expect(one.ARN, "RUNNING a:RUNNING b:STOPPED(5)")
	h.control.Stop(one.ARN)
	h.await(one.ARN, func(got string) bool { // by SIGTERM or SIGKILL: a shell that is the first process ends of the former on gVisor
		return strings.HasPrefix(got, "STOPPED a:STOPPED(1") && strings.HasSuffix(got, " b:STOPPED(5)")
	})
}
