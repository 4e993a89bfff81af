// Package launch makes tasks with what they need besides a container instance: a network interface in one of their subnets, and a place in Fargate's
// pool. The operations and the controllers make tasks by it alike.
package launch

import (
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/apierr"
	"berth/internal/arn"
	"berth/internal/ecs"
	"berth/internal/state"
	"berth/internal/vpc"
)

// Network is where tasks in awsvpc mode get their interfaces: subnets of one VPC, and security groups of it.
type Network struct {
	vpc     vpc.ID
	subnets []*vpc.Subnet
	groups  []vpc.ID
	public  bool
}

// ECS's limits on an awsvpc configuration.
const (
	mostSubnets = 16
	mostGroups  = 5
)

// ReadNetwork looks up what an awsvpc configuration names, for tasks on Fargate or not. Its errors are ECS's InvalidParameterExceptions.
func ReadNetwork(t *state.Tables, s arn.Scope, c *types.NetworkConfiguration, fargate bool) (*Network, error) {
	if c == nil {
		return nil, apierr.InvalidParameter("Network Configuration must be provided when networkMode 'awsvpc' is specified.")
	}
	v := c.AwsvpcConfiguration
	switch {
	case v == nil || len(v.Subnets) == 0:
		return nil, apierr.InvalidParameter("subnets can not be empty.")
	case len(v.Subnets) > mostSubnets:
		return nil, apierr.InvalidParameter("subnets can have at most %d items.", mostSubnets)
	case len(v.SecurityGroups) > mostGroups:
		return nil, apierr.InvalidParameter("securityGroups can have at most %d items.", mostGroups)
	case v.AssignPublicIp != "" && v.AssignPublicIp != types.AssignPublicIpEnabled && v.AssignPublicIp != types.AssignPublicIpDisabled:
		return nil, apierr.InvalidParameter("assignPublicIp should be one of [ENABLED,DISABLED], but was '%s'", v.AssignPublicIp)
	case v.AssignPublicIp == types.AssignPublicIpEnabled && !fargate:
		return nil, apierr.InvalidParameter("Assign public IP is not supported for this launch type.")
	}
	n := &Network{public: v.AssignPublicIp == types.AssignPublicIpEnabled}
	if err := n.readSubnets(t, s, v.Subnets); err != nil {
		return nil, err
	}
	return n, n.readGroups(t, s, v.SecurityGroups)
}

func (n *Network) readSubnets(t *state.Tables, s arn.Scope, ids []string) error {
	for _, id := range ids {
		sub := t.Subnets.Get(vpc.ARN(s, vpc.KindSubnet, id))
		switch {
		case sub == nil:
			return apierr.InvalidParameter("Error retrieving subnet information for [%s]: The subnet ID '%s' does not exist (ErrorCode: InvalidSubnetID.NotFound)", id, id)
		case n.vpc != "" && sub.VpcID != n.vpc:
			return apierr.InvalidParameter("subnets must all be in the same VPC: subnet %s is in %s and not in %s.", id, sub.VpcID, n.vpc)
		}
		n.vpc = sub.VpcID
		if !slices.Contains(n.subnets, sub) {
			n.subnets = append(n.subnets, sub)
		}
	}
	return nil
}

// readGroups looks up security groups; where none is named it is the VPC's default one.
func (n *Network) readGroups(t *state.Tables, s arn.Scope, ids []string) error {
	for _, id := range ids {
		g := t.SecurityGroups.Get(vpc.ARN(s, vpc.KindSecurityGroup, id))
		switch {
		case g == nil:
			return apierr.InvalidParameter("Error retrieving security group information for [%s]: The security group '%s' does not exist (ErrorCode: InvalidGroup.NotFound)", id, id)
		case g.VpcID != n.vpc:
			return apierr.InvalidParameter("Security group %s does not appear to belong to the same VPC as the input subnets.", id)
		}
		if !slices.Contains(n.groups, id) {
			n.groups = append(n.groups, id)
		}
	}
	if len(n.groups) > 0 {
		return nil
	}
	for g := range t.SecurityGroups.Under(vpc.Prefix(s, vpc.KindSecurityGroup), "") {
		if g.VpcID == n.vpc && g.GroupName == "default" {
			n.groups = []vpc.ID{g.ID()}
		}
	}
	return nil
}

// Zones are the availability zones of the subnets, each once, in their order. A nil Network has none.
func (n *Network) Zones() (zones []string) {
	if n == nil {
		return nil
	}
	for _, s := range n.subnets {
		if !slices.Contains(zones, s.AvailabilityZone) {
			zones = append(zones, s.AvailabilityZone)
		}
	}
	return zones
}

// Interface is a new network interface in the subnet of a zone that has the most addresses left. Where the subnets there have no address left it is a failed one, and
// reason says so as ECS does; a task with it is to stop at once. A nil Network has none.
func (n *Network) Interface(t *state.Tables, zone string) (i *ecs.TaskInterface, reason string) {
	if n == nil {
		return nil, ""
	}
	var best *vpc.Subnet
	for _, s := range n.subnets {
		if s.AvailabilityZone == zone && (best == nil || free(t, s) > free(t, best)) {
			best = s
		}
	}
	if best == nil { // placement keeps tasks in the subnets' zones
		best = n.subnets[0]
	}
	i = &ecs.TaskInterface{
		AttachmentID: NewUUID(), NetworkInterfaceID: "eni-0" + randomHex(8), VpcID: n.vpc, SubnetID: best.ID(), Groups: n.groups,
	}
	a, ok := t.Interfaces.FreeAddress(best, randomNumber())
	if !ok {
		i.Failed = true
		return i, n.noAddress(best)
	}
	i.PrivateIPv4Address, i.MACAddress = a.String(), newMAC()
	if n.public {
		p, ok := t.PublicAddress(randomNumber())
		if !ok {
			i.Failed = true
			return i, n.noAddress(best)
		}
		i.PublicIP = p.String()
	}
	return i, ""
}

func free(t *state.Tables, s *vpc.Subnet) int { return s.Addresses() - t.Interfaces.InSubnet(s.ID()) }

// noAddress is what ECS says of a task for whose interface there is no address.
func (n *Network) noAddress(s *vpc.Subnet) string {
	public := "disabled"
	if n.public {
		public = "enabled"
	}
	return fmt.Sprintf("Unexpected EC2 error while attempting to Create Network Interface with public IP assignment %s in subnet '%s': InsufficientFreeAddressesInSubnet",
		public, s.ID())
}

func randomHex(bytes int) string {
	b := make([]byte, bytes)
	rand.Read(b) //nolint:errcheck // it never fails
	return hex.EncodeToString(b)
}

func randomNumber() uint32 {
	var b [4]byte
	rand.Read(b[:]) //nolint:errcheck // it never fails
	return binary.BigEndian.Uint32(b[:])
}

// newMAC is a locally administered address of one station.
func newMAC() string {
	h := randomHex(5)
	return "02:" + h[:2] + ":" + h[2:4] + ":" + h[4:6] + ":" + h[6:8] + ":" + h[8:]
}

// NewID is the id of a new task or container instance: 32 hexadecimal digits.
func NewID() string { return randomHex(16) }

// NewUUID is the id of a new attachment or event.
func NewUUID() string {
	h := randomHex(16)
	return h[:8] + "-" + h[8:12] + "-4" + h[13:16] + "-a" + h[17:20] + "-" + h[20:]
}
