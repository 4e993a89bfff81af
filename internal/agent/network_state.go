package agent

import (
	"context"
	"net"
	"net/netip"

	"berth/internal/acsproto"
)

// Network is the machine's part of the VPCs (docs/vpc.md): a network namespace for each VPC that has an interface here, its routes to the interfaces on
// other machines, and the rules of its security groups. It is safe for concurrent use. What it has made outlives it: one that starts anew takes over
// what it finds and changes only what differs.
type Network interface {
	// Apply makes the machine's part of the VPCs as wanted, whatever it was: namespaces, subnets' gateways, routes, neighbours, DNS, and rules of
	// security groups of interfaces that are attached or will be. A VPC without a local interface has no namespace. What an earlier state had and this one
	// has not is removed, an interface's device and rules with it. A failure of one VPC does not keep others from being applied. It is cheap
	// where little has changed, and applied rules hold for established connections as they do in a VPC.
	Apply(ctx context.Context, w NetworkState) error
	// Attach gives the process's network namespace the interface as eth0, with its address, MAC and default route, and brings lo up. It waits until the interface
	// is in the applied state, because nothing runs without its rules. One that is attached to it already is no error.
	Attach(ctx context.Context, id string, pid int) error
	// Detach removes an interface's device, rules and route. One that is not there is no error.
	Detach(ctx context.Context, id string) error
	// Listen opens a TCP port inside a VPC's namespace, at an address that all its interfaces reach: 169.254.170.2 for the task endpoints. It is closed with
	// the namespace, and then accepts no more.
	Listen(vpc string, at netip.AddrPort) (net.Listener, error)
}

// NetworkState is what is wanted of the VPCs on a machine: objects by id. It is immutable.
type NetworkState struct {
	VPCs       map[string]acsproto.VPC
	Groups     map[string]acsproto.SecurityGroup
	Interfaces map[string]acsproto.NetworkInterface
}
