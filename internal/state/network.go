package state

import (
	"iter"
	"net/netip"
	"strings"

	"berth/internal/arn"
	"berth/internal/ecs"
	"berth/internal/vpc"
)

// putNetwork is put for the records of the VPC.
func (t *Tables) putNetwork(r ecs.Record, remove bool) (old ecs.Record, ok bool) {
	switch r := r.(type) {
	case *vpc.VPC:
		return record(t.VPCs.swap(r.Key(), keep(r, remove))), true
	case *vpc.Subnet:
		return record(t.Subnets.swap(r.Key(), keep(r, remove))), true
	case *vpc.SecurityGroup:
		return record(t.SecurityGroups.swap(r.Key(), keep(r, remove))), true
	case *vpc.NetworkInterface:
		return record(t.Interfaces.swap(r.Key(), keep(r, remove))), true
	case *vpc.RouteTable:
		return record(t.RouteTables.swap(r.Key(), keep(r, remove))), true
	case *vpc.InternetGateway:
		return record(t.InternetGateways.swap(r.Key(), keep(r, remove))), true
	case *vpc.NATGateway:
		return record(t.NATGateways.swap(r.Key(), keep(r, remove))), true
	case *vpc.Address:
		return record(t.Addresses.swap(r.Key(), keep(r, remove))), true
	case *vpc.DHCPOptions:
		return record(t.DHCPOptions.swap(r.Key(), keep(r, remove))), true
	}
	return nil, false
}

// findNetwork is find for the records of the VPC.
func (t *Tables) findNetwork(k ecs.Kind, key string) ecs.Record {
	switch k {
	case vpc.KindVPC:
		return record(t.VPCs.Get(key))
	case vpc.KindSubnet:
		return record(t.Subnets.Get(key))
	case vpc.KindSecurityGroup:
		return record(t.SecurityGroups.Get(key))
	case vpc.KindNetworkInterface:
		return record(t.Interfaces.rows.Get(key))
	case vpc.KindRouteTable:
		return record(t.RouteTables.Get(key))
	case vpc.KindInternetGateway:
		return record(t.InternetGateways.Get(key))
	case vpc.KindNATGateway:
		return record(t.NATGateways.Get(key))
	case vpc.KindAddress:
		return record(t.Addresses.Get(key))
	case vpc.KindDHCPOptions:
		return record(t.DHCPOptions.Get(key))
	}
	return nil
}

// Interfaces are all network interfaces: those that are records, and those of tasks, which follow from the tasks. So no address is given twice, and it is
// free again as soon as its task has stopped.
type Interfaces struct {
	rows       Table[string, vpc.NetworkInterface] // the records
	all        index[vpc.NetworkInterface]         // by ARN
	byAddress  index[vpc.NetworkInterface]         // by subnet and address
	byVPC      index[vpc.NetworkInterface]
	byInstance index[vpc.NetworkInterface] // of tasks, by the container instance that they are on
	groups     tally[int]                  // by security group
	subnets    tally[int]                  // by subnet
	publics    index[vpc.NetworkInterface] // by public address, those that have one
}

func newInterfaces() Interfaces {
	then := func(major func(*vpc.NetworkInterface) string) func(a, b *vpc.NetworkInterface) bool {
		return func(a, b *vpc.NetworkInterface) bool {
			if x, y := major(a), major(b); x != y {
				return x < y
			}
			return a.Arn < b.Arn
		}
	}
	return Interfaces{
		all: newIndex(func(a, b *vpc.NetworkInterface) bool { return a.Arn < b.Arn }),
		byAddress: newIndex(func(a, b *vpc.NetworkInterface) bool {
			if a.SubnetID != b.SubnetID {
				return a.SubnetID < b.SubnetID
			}
			return addr(a.Address).Less(addr(b.Address))
		}),
		byVPC:      newIndex(then(func(n *vpc.NetworkInterface) string { return n.VpcID })),
		byInstance: newIndex(then(func(n *vpc.NetworkInterface) string { return n.Instance })),
		publics:    newIndex(func(a, b *vpc.NetworkInterface) bool { return a.PublicIP < b.PublicIP }),
	}
}

func addr(s string) netip.Addr {
	a, _ := netip.ParseAddr(s)
	return a
}

func (n *Interfaces) copy() Interfaces {
	return Interfaces{n.rows.copy(), n.all.copy(), n.byAddress.copy(), n.byVPC.copy(), n.byInstance.copy(), n.groups.copy(), n.subnets.copy(), n.publics.copy()}
}

func (n *Interfaces) swap(key string, r *vpc.NetworkInterface) *vpc.NetworkInterface {
	old := n.rows.swap(key, r)
	n.move(old, r)
	return old
}

// ofTask moves the interface of a task that has changed.
func (n *Interfaces) ofTask(old, new *ecs.Task) {
	if old != nil && new != nil && old.Interface == new.Interface && old.ContainerInstanceArn == new.ContainerInstanceArn && old.Over() == new.Over() {
		return
	}
	if a, b := TaskInterface(old), TaskInterface(new); a != nil || b != nil {
		n.move(a, b)
	}
}

// TaskInterface is the network interface of a task, nil where it has none, or has stopped.
func TaskInterface(t *ecs.Task) *vpc.NetworkInterface {
	if t == nil || t.Interface == nil || t.Interface.Failed || t.Over() {
		return nil
	}
	i := t.Interface
	return &vpc.NetworkInterface{
		Arn: vpc.ARN(arn.ScopeOf(t.TaskArn), vpc.KindNetworkInterface, i.NetworkInterfaceID), VpcID: i.VpcID, SubnetID: i.SubnetID,
		AvailabilityZone: t.AvailabilityZone, Address: i.PrivateIPv4Address, MAC: i.MACAddress, Groups: i.Groups,
		Description: t.TaskArn.Attachment(i.AttachmentID), InterfaceType: "interface", RequesterManaged: true, SourceDestCheck: true, PublicIP: i.PublicIP,
		CreatedAt: t.CreatedAt, Task: string(t.TaskArn), Instance: string(t.ContainerInstanceArn), Attached: i.AttachedAt != nil,
	}
}

func (n *Interfaces) move(old, new *vpc.NetworkInterface) {
	always := func(*vpc.NetworkInterface) bool { return true }
	n.all.move(old, new, always)
	n.byAddress.move(old, new, always)
	n.byVPC.move(old, new, always)
	n.byInstance.move(old, new, func(i *vpc.NetworkInterface) bool { return i.Instance != "" })
	n.publics.move(old, new, func(i *vpc.NetworkInterface) bool { return i.PublicIP != "" })
	n.count(old, -1)
	n.count(new, 1)
}

func (n *Interfaces) count(i *vpc.NetworkInterface, by int) {
	if i == nil {
		return
	}
	add := func(v int) int { return v + by }
	n.subnets.add(i.SubnetID, add)
	for _, g := range i.Groups {
		n.groups.add(g, add)
	}
}

// Len is how many interfaces are records; those of tasks are not counted.
func (n *Interfaces) Len() int { return n.rows.Len() }

// Get returns the interface with that ARN, nil if there is none.
func (n *Interfaces) Get(key string) *vpc.NetworkInterface {
	i, _ := n.all.tree.Get(&vpc.NetworkInterface{Arn: key})
	return i
}

// Own returns the interface with that ARN if it is a record, nil if it is a task's or there is none.
func (n *Interfaces) Own(key string) *vpc.NetworkInterface { return n.rows.Get(key) }

// Under yields the interfaces whose ARNs begin with prefix, from start on (or from the first where start is "").
func (n *Interfaces) Under(prefix, start string) iter.Seq[*vpc.NetworkInterface] {
	return n.all.from(&vpc.NetworkInterface{Arn: max(prefix, start)}, func(i *vpc.NetworkInterface) bool { return strings.HasPrefix(i.Arn, prefix) })
}

// InVPC yields the interfaces of a VPC.
func (n *Interfaces) InVPC(id vpc.ID) iter.Seq[*vpc.NetworkInterface] {
	return n.byVPC.from(&vpc.NetworkInterface{VpcID: id}, func(i *vpc.NetworkInterface) bool { return i.VpcID == id })
}

// OnInstance yields the interfaces of the tasks on a container instance that have not stopped.
func (n *Interfaces) OnInstance(i arn.Instance) iter.Seq[*vpc.NetworkInterface] {
	return n.byInstance.from(&vpc.NetworkInterface{Instance: string(i)}, func(x *vpc.NetworkInterface) bool { return x.Instance == string(i) })
}

// At returns the interface that has an address of a subnet, nil if the address is free.
func (n *Interfaces) At(subnet vpc.ID, a netip.Addr) *vpc.NetworkInterface {
	i, _ := n.byAddress.tree.Get(&vpc.NetworkInterface{SubnetID: subnet, Address: a.String()})
	return i
}

// InSubnet is how many interfaces a subnet has.
func (n *Interfaces) InSubnet(id vpc.ID) int { return n.subnets.get(id) }

// InGroup is how many interfaces are members of a security group.
func (n *Interfaces) InGroup(id vpc.ID) int { return n.groups.get(id) }

// Public returns the interface that has a public address of its own, nil if there is none.
func (n *Interfaces) Public(ip string) *vpc.NetworkInterface {
	i, _ := n.publics.tree.Get(&vpc.NetworkInterface{PublicIP: ip})
	return i
}

// FreeAddress is an address of a subnet that no interface has: the first one from the n-th on, around. ok is false where there is none.
func (n *Interfaces) FreeAddress(s *vpc.Subnet, from uint32) (a netip.Addr, ok bool) {
	if n.InSubnet(s.ID()) >= s.Addresses() {
		return netip.Addr{}, false
	}
	next := from % uint32(s.Addresses())
	for range 2 { // from there to the end, and from the beginning
		first := s.Address(next)
		for i := range n.byAddress.from(&vpc.NetworkInterface{SubnetID: s.ID(), Address: first.String()}, func(i *vpc.NetworkInterface) bool { return i.SubnetID == s.ID() }) {
			if s.Place(addr(i.Address)) != next {
				break
			}
			next++
		}
		if next < uint32(s.Addresses()) {
			return s.Address(next), true
		}
		next = 0
	}
	return netip.Addr{}, false
}
