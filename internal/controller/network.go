package controller

import (
	"maps"
	"reflect"
	"strconv"

	"berth/internal/acsproto"
	"berth/internal/arn"
	"berth/internal/ecs"
	"berth/internal/state"
	"berth/internal/vpc"
)

// Network is what an instance must know of the VPCs in which it has tasks' interfaces. Objects are compared with those that it was told by what they were made
// of: records never change, so the same record is the same object, and a look costs little more than going over the VPC's interfaces.
func (c *Instances) Network(a arn.Instance, told map[string]any) (m acsproto.Network, ok bool) {
	v := c.State.View()
	i := v.Instances.Get(a)
	if i == nil {
		return m, false
	}
	if _, can := i.Attribute(ecs.AttributeVPC); !can {
		return m, false
	}
	vpcs := vpcsOf(v.Tables, a)
	c.subscribe(a, vpcs)
	now := c.cursors(vpcs)
	v = c.State.View() // of a change between the first view and now the instance was not told
	l := &networkLook{tables: v.Tables, instance: a, told: told, hosts: map[string]string{}}
	l.m.N, l.m.Whole = int64(v.N), len(told) == 0
	old, _ := told[networkFollowed].(map[vpc.ID]networkCursor)
	is := vpcsOf(v.Tables, a)
	if keys, ok := c.changedSince(old, now); ok && maps.Equal(is, vpcs) {
		l.some(keys, vpcs)
	} else {
		l.all(is)
	}
	delete(told, networkFollowed)
	if maps.Equal(is, vpcs) && now != nil {
		told[networkFollowed] = now
	}
	m = l.m
	return m, m.Whole || len(m.VPCs)+len(m.Groups)+len(m.Interfaces)+len(m.Gone) > 0
}

// all looks at all of the VPCs. What was told and is not there any more is gone.
func (l *networkLook) all(vpcs map[vpc.ID]arn.Scope) {
	l.seen = make(map[string]bool, len(l.told)+2)
	l.told[sessionBegan] = true
	l.seen[sessionBegan], l.seen[networkFollowed] = true, true
	for id, scope := range vpcs {
		l.vpc(id, scope)
	}
	for id := range l.told {
		if !l.seen[id] {
			l.m.Gone = append(l.m.Gone, id)
			delete(l.told, id)
		}
	}
}

// vpcsOf are the VPCs in which an instance has interfaces, with their accounts and regions.
func vpcsOf(t *state.Tables, a arn.Instance) map[vpc.ID]arn.Scope {
	vpcs := map[vpc.ID]arn.Scope{}
	for n := range t.Interfaces.OnInstance(a) {
		vpcs[n.VpcID] = arn.ScopeOf(n.Arn)
	}
	return vpcs
}

// sessionBegan stands in what was told for the first message of a session, which is sent also where there is nothing to tell: the machine may have something
// left that is not wanted any more.
const sessionBegan = ""

// networkLook is one look at the VPCs of an instance.
type networkLook struct {
	tables   *state.Tables
	instance arn.Instance
	told     map[string]any
	seen     map[string]bool   // nil where only some are looked at
	hosts    map[string]string // addresses of machines by container instance
	m        acsproto.Network
}

// toldInterface is what an interface was told by.
type toldInterface struct {
	interfaces *vpc.NetworkInterface
	host       string
}

// news notes that an object is there, and reports whether it was not told as it is made of what.
func (l *networkLook) news(id string, what any) bool {
	if l.seen != nil {
		l.seen[id] = true
	}
	if l.told[id] == what {
		return false
	}
	l.told[id] = what
	return true
}

func (l *networkLook) vpc(id vpc.ID, s arn.Scope) {
	v := l.tables.VPCs.Get(vpc.ARN(s, vpc.KindVPC, id))
	if v == nil {
		return
	}
	l.whole(v, s)
	for g := range l.tables.SecurityGroups.Under(vpc.Prefix(s, vpc.KindSecurityGroup), "") {
		if g.VpcID == id && l.news(g.ID(), g) {
			l.m.Groups = append(l.m.Groups, vpc.NetworkGroup(g))
		}
	}
	for n := range l.tables.Interfaces.InVPC(id) {
		l.face(n, s)
	}
}

// whole is the VPC itself with its subnets and their routes. There are few of them, so it is made each time and compared.
func (l *networkLook) whole(v *vpc.VPC, s arn.Scope) {
	out := vpc.NetworkVPC(v)
	t := l.tables
	for sub := range t.Subnets.Under(vpc.Prefix(s, vpc.KindSubnet), "") {
		if sub.VpcID != v.ID() {
			continue
		}
		out.Subnets = append(out.Subnets, vpc.NetworkSubnet(sub, routeTable(t, s, sub),
			func(id vpc.ID) bool {
				g := t.InternetGateways.Get(vpc.ARN(s, vpc.KindInternetGateway, id))
				return g != nil && g.VpcID == v.ID()
			},
			func(id vpc.ID) *vpc.NATGateway { return t.NATGateways.Get(vpc.ARN(s, vpc.KindNATGateway, id)) }))
	}
	l.seen[v.ID()] = true
	if reflect.DeepEqual(l.told[v.ID()], out) {
		return
	}
	l.told[v.ID()] = out
	l.m.VPCs = append(l.m.VPCs, out)
}

// routeTable is a subnet's own route table, or else the main one of its VPC.
func routeTable(t *state.Tables, s arn.Scope, sub *vpc.Subnet) (found *vpc.RouteTable) {
	for r := range t.RouteTables.Under(vpc.Prefix(s, vpc.KindRouteTable), "") {
		if r.VpcID != sub.VpcID {
			continue
		}
		for _, a := range r.Associations {
			switch {
			case a.SubnetID == sub.ID():
				return r
			case a.Main:
				found = r
			}
		}
	}
	return found
}

// host is the address of the machine of a container instance, "" of what is on none.
func (l *networkLook) host(instance string) string {
	if instance == "" {
		return ""
	}
	host, ok := l.hosts[instance]
	if !ok {
		if i := l.tables.Instances.Get(arn.Instance(instance)); i != nil {
			host, _ = i.Attribute(ecs.AttributeUnderlay)
		}
		l.hosts[instance] = host
	}
	return host
}

// subscribe remembers in which VPCs an instance has interfaces, and reports whether there is one among them that it had none in.
func (c *Instances) subscribe(a arn.Instance, vpcs map[vpc.ID]arn.Scope) (more bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.vpcs == nil { // a session is there before Run
		c.vpcs = map[vpc.ID]map[arn.Instance]bool{}
	}
	for id, members := range c.vpcs {
		if _, still := vpcs[id]; !still && members[a] {
			if delete(members, a); len(members) == 0 {
				delete(c.vpcs, id)
				delete(c.networkLogs, id)
			}
		}
	}
	for id := range vpcs {
		if c.vpcs[id] == nil {
			c.vpcs[id] = map[arn.Instance]bool{}
		}
		more = more || !c.vpcs[id][a]
		c.vpcs[id][a] = true
	}
	return more
}

// networkChanged tells the hub of instances that must hear of a change in a VPC.
func (c *Instances) networkChanged(ch state.Change) {
	switch r := ch.Record().(type) {
	case *ecs.Task:
		old, _ := ch.Old.(*ecs.Task)
		new, _ := ch.New.(*ecs.Task)
		if r.Interface == nil || old != nil && new != nil && old.Interface == new.Interface && old.ContainerInstanceArn == new.ContainerInstanceArn && old.Over() == new.Over() {
			return
		}
		if new != nil && new.Waiting() || sameToMachines(state.TaskInterface(old), state.TaskInterface(new)) {
			return // nobody is told of it yet, or nothing else than before
		}
		if r.ContainerInstanceArn != "" {
			c.Hub.NotifyNetwork(r.ContainerInstanceArn)
		}
		c.interfaceChanged(r.Interface.VpcID, vpc.ARN(arn.ScopeOf(r.TaskArn), vpc.KindNetworkInterface, r.Interface.NetworkInterfaceID))
		c.notifyVPC(r.Interface.VpcID)
	case *vpc.VPC:
		c.vpcChanged(r.ID())
	case *vpc.Subnet:
		c.vpcChanged(r.VpcID)
	case *vpc.SecurityGroup:
		c.vpcChanged(r.VpcID)
	case *vpc.NetworkInterface:
		c.interfaceChanged(r.VpcID, r.Key())
		c.notifyVPC(r.VpcID)
	case *vpc.RouteTable:
		c.vpcChanged(r.VpcID)
	case *vpc.InternetGateway:
		c.vpcChanged(r.VpcID)
		if old, ok := ch.Old.(*vpc.InternetGateway); ok {
			c.vpcChanged(old.VpcID)
		}
	case *vpc.NATGateway:
		c.vpcChanged(r.VpcID)
	}
}

func (c *Instances) notifyVPC(id vpc.ID) {
	c.mu.Lock()
	members := make([]arn.Instance, 0, len(c.vpcs[id]))
	for a := range c.vpcs[id] {
		members = append(members, a)
	}
	c.mu.Unlock()
	for _, a := range members {
		c.Hub.NotifyNetwork(a)
	}
}

// interfaces are a task's network interface as its payload has it.
func interfaces(t *state.Tables, task *ecs.Task) []acsproto.ElasticNetworkInterface {
	i := task.Interface
	if i == nil {
		return nil
	}
	s := arn.ScopeOf(task.TaskArn)
	e := acsproto.ElasticNetworkInterface{
		AttachmentARN: task.TaskArn.Attachment(i.AttachmentID), ID: i.NetworkInterfaceID, MACAddress: i.MACAddress,
		IPv4Addresses:  []acsproto.IPv4Address{{Primary: true, PrivateAddress: i.PrivateIPv4Address}},
		PrivateDNSName: i.PrivateDNSName(s.Region), DomainName: []string{vpc.InternalDomain(s.Region)},
	}
	if sub := t.Subnets.Get(vpc.ARN(s, vpc.KindSubnet, i.SubnetID)); sub != nil {
		e.SubnetGatewayIPv4Address = sub.Gateway().String() + "/" + strconv.Itoa(sub.Prefix().Bits())
	}
	if v := t.VPCs.Get(vpc.ARN(s, vpc.KindVPC, i.VpcID)); v != nil && v.DNSSupport {
		if cidrs := v.CIDRs(); len(cidrs) > 0 {
			e.DomainNameServers = []string{cidrs[0].Addr().Next().Next().String()}
		}
	}
	return []acsproto.ElasticNetworkInterface{e}
}
