package ec2

import (
	"strings"
	"time"

	"berth/internal/arn"
	"berth/internal/state"
	"berth/internal/vpc"
)

type shownInterface struct {
	Association           *shownInterfaceAssociation
	Attachment            *shownAttachment
	AvailabilityZone      string
	AvailabilityZoneId    string
	Description           *string // also where it is empty
	GroupSet              []shownGroupID
	InterfaceType         string
	Ipv6AddressesSet      []string
	MacAddress            string
	NetworkInterfaceId    string
	OwnerId               string
	PrivateDnsName        string
	PrivateIpAddress      string
	PrivateIpAddressesSet []shownPrivateAddress
	RequesterId           string
	RequesterManaged      bool
	SourceDestCheck       bool
	Status                string
	SubnetId              string
	TagSet                []Tag
	VpcId                 string
}

type shownInterfaceAssociation struct{ AllocationId, AssociationId, IpOwnerId, PublicIp string }

type shownAttachment struct {
	AttachmentId        string
	AttachTime          *time.Time
	DeleteOnTermination bool
	DeviceIndex         int32
	InstanceId          string
	InstanceOwnerId     string
	NetworkCardIndex    int32
	Status              string
}

type shownGroupID struct{ GroupId, GroupName string }

type shownPrivateAddress struct {
	Association      *shownInterfaceAssociation
	Primary          bool
	PrivateDnsName   string
	PrivateIpAddress string
}

// Who manages interfaces and the machines that tasks on Fargate are on, as AWS shows it.
const (
	awsAccount  = "578734482556" // of tasks
	awsNetworks = "amazon-aws"   // of NAT gateways
)

func showInterface(t *state.Tables, s arn.Scope, n *vpc.NetworkInterface) shownInterface {
	association := interfaceAssociation(t, s, n)
	out := shownInterface{
		Association: association, Attachment: interfaceAttachment(t, s, n), AvailabilityZone: n.AvailabilityZone, Description: &n.Description,
		GroupSet: groupIDs(t, s, n), InterfaceType: n.InterfaceType, Ipv6AddressesSet: []string{}, MacAddress: n.MAC, NetworkInterfaceId: n.ID(),
		OwnerId: s.Account, PrivateIpAddress: n.Address, RequesterManaged: n.RequesterManaged, SourceDestCheck: n.SourceDestCheck,
		Status: "available", SubnetId: n.SubnetID, TagSet: shown(n.Tags), VpcId: n.VpcID,
	}
	if out.Attachment != nil {
		out.Status = "in-use"
	}
	if n.Task != "" {
		out.RequesterId = awsAccount
	}
	if sub := t.Subnets.Get(vpc.ARN(s, vpc.KindSubnet, n.SubnetID)); sub != nil {
		out.AvailabilityZoneId = sub.AvailabilityZoneID
	}
	if v := t.VPCs.Get(vpc.ARN(s, vpc.KindVPC, n.VpcID)); v != nil && v.DNSHostnames {
		out.PrivateDnsName = vpc.PrivateDNSName(s.Region, n.Address)
	}
	out.PrivateIpAddressesSet = []shownPrivateAddress{{association, true, out.PrivateDnsName, n.Address}}
	return out
}

// interfaceAssociation is the public address of an interface: an Elastic IP address, or a task's own. nil where it has none.
func interfaceAssociation(t *state.Tables, s arn.Scope, n *vpc.NetworkInterface) *shownInterfaceAssociation {
	if e := addressOn(t, s, n.ID()); e != nil {
		return &shownInterfaceAssociation{AllocationId: e.ID(), AssociationId: e.AssociationID, IpOwnerId: s.Account, PublicIp: e.PublicIP}
	}
	if n.PublicIP != "" {
		return &shownInterfaceAssociation{IpOwnerId: "amazon", PublicIp: n.PublicIP}
	}
	return nil
}

// The prefixes of the ids of attachments, the rest of which is the interface's: of tasks, and of NAT gateways.
const (
	taskAttachment = "eni-attach-"
	natAttachment  = "ela-attach-"
)

// interfaceAttachment is what an interface is attached to: a task's to its container instance, which is hidden on Fargate. nil for one of the user's own.
func interfaceAttachment(t *state.Tables, s arn.Scope, n *vpc.NetworkInterface) *shownAttachment {
	digits := strings.TrimPrefix(n.ID(), "eni-")
	switch task := t.Tasks.Get(arn.Task(n.Task)); {
	case task != nil:
		out := &shownAttachment{AttachmentId: taskAttachment + digits, AttachTime: task.Interface.AttachedAt, DeviceIndex: 1, InstanceOwnerId: awsAccount, Status: "attaching"}
		if n.Attached {
			out.Status = "attached"
		}
		if i := t.Instances.Get(task.ContainerInstanceArn); i != nil && !task.Fargate() {
			out.InstanceId, out.InstanceOwnerId, out.DeleteOnTermination = i.Ec2InstanceID, s.Account, true
		}
		return out
	case n.RequesterManaged:
		return &shownAttachment{AttachmentId: natAttachment + digits, AttachTime: &n.CreatedAt, DeviceIndex: 1, InstanceOwnerId: awsNetworks, Status: "attached"}
	}
	return nil
}

// groupIDs are the security groups of an interface.
func groupIDs(t *state.Tables, s arn.Scope, n *vpc.NetworkInterface) []shownGroupID {
	out := []shownGroupID{}
	for _, id := range n.Groups {
		one := shownGroupID{GroupId: id}
		if g := t.SecurityGroups.Get(vpc.ARN(s, vpc.KindSecurityGroup, id)); g != nil {
			one.GroupName = g.GroupName
		}
		out = append(out, one)
	}
	return out
}
