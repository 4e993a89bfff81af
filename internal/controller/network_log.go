package controller

import (
	"slices"
	"strings"

	"berth/internal/arn"
	"berth/internal/ecs"
	"berth/internal/state"
	"berth/internal/vpc"
)

// networkLog has the keys of the interfaces of a VPC that have changed, so that an instance that was told of all of them is told of these without going over all.
// It is given up, and another one begun, when anything else of the VPC changes.
type networkLog struct {
	first int // the number of keys[0]
	keys  []string
}

// mostLogged is how many changes a log remembers at least, and half of what it does at most.
const mostLogged = 1 << 15

func (l *networkLog) add(key string) {
	if len(l.keys) == 2*mostLogged {
		l.first += mostLogged
		l.keys = append(make([]string, 0, 2*mostLogged), l.keys[mostLogged:]...)
	}
	l.keys = append(l.keys, key)
}

// networkCursor is how far an instance has followed a log.
type networkCursor struct {
	log  *networkLog
	next int
}

// networkFollowed stands in what was told for the cursors of the VPCs.
const networkFollowed = "followed"

// cursors are the ends of the logs of VPCs, nil where changes are not followed yet. A view that is taken later has all that is in them.
func (c *Instances) cursors(vpcs map[vpc.ID]arn.Scope) map[vpc.ID]networkCursor {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.networkLogs == nil {
		return nil
	}
	out := make(map[vpc.ID]networkCursor, len(vpcs))
	for id := range vpcs {
		l := c.networkLogs[id]
		if l == nil {
			l = &networkLog{}
			c.networkLogs[id] = l
		}
		out[id] = networkCursor{l, l.first + len(l.keys)}
	}
	return out
}

// changedSince are the keys of interfaces that have changed between two looks; ok is false where more than these may have.
func (c *Instances) changedSince(old, now map[vpc.ID]networkCursor) (keys map[string]bool, ok bool) {
	if len(now) == 0 || len(old) != len(now) {
		return nil, false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	keys = map[string]bool{}
	for id, n := range now {
		o := old[id]
		if o.log != n.log || o.next < n.log.first {
			return nil, false
		}
		for _, k := range n.log.keys[o.next-n.log.first : n.next-n.log.first] {
			keys[k] = true
		}
	}
	return keys, true
}

// follow begins to follow changes, or begins anew where some were left out.
func (c *Instances) follow() {
	c.mu.Lock()
	c.networkLogs = map[vpc.ID]*networkLog{}
	c.mu.Unlock()
}

// interfaceChanged notes the change of an interface for those that follow its VPC.
func (c *Instances) interfaceChanged(id vpc.ID, key string) {
	c.mu.Lock()
	if l := c.networkLogs[id]; l != nil {
		l.add(key)
	}
	c.mu.Unlock()
}

// vpcChanged has all of a VPC looked at again.
func (c *Instances) vpcChanged(id vpc.ID) {
	c.mu.Lock()
	delete(c.networkLogs, id)
	c.mu.Unlock()
	c.notifyVPC(id)
}

// machineChanged has all looked at again of the VPCs of an instance whose machine has another address: others send packets there.
func (c *Instances) machineChanged(t *state.Tables, ch state.Change) {
	o, _ := ch.Old.(*ecs.Instance)
	n, _ := ch.New.(*ecs.Instance)
	if o == nil || n == nil {
		return
	}
	was, _ := o.Attribute(ecs.AttributeUnderlay)
	if is, _ := n.Attribute(ecs.AttributeUnderlay); is == was {
		return
	}
	for id := range vpcsOf(t, n.ContainerInstanceArn) {
		c.vpcChanged(id)
	}
}

// some looks at some interfaces only, of which any may be gone.
func (l *networkLook) some(keys map[string]bool, vpcs map[vpc.ID]arn.Scope) {
	for key := range keys {
		n := l.tables.Interfaces.Get(key)
		if n != nil {
			if s, in := vpcs[n.VpcID]; in && l.face(n, s) {
				continue
			}
		}
		if id := key[strings.LastIndexByte(key, '/')+1:]; l.told[id] != nil {
			l.m.Gone = append(l.m.Gone, id)
			delete(l.told, id)
		}
	}
}

// face looks at an interface. It reports whether the instance must know of it.
func (l *networkLook) face(n *vpc.NetworkInterface, s arn.Scope) bool {
	if n.Instance == "" && n.Task != "" {
		return false // its task has no place yet
	}
	host := l.host(n.Instance)
	if t, ok := l.told[n.ID()].(toldInterface); ok && t.interfaces != n && t.host == host && sameToMachines(t.interfaces, n) {
		l.told[n.ID()] = toldInterface{n, host}
	}
	if l.news(n.ID(), toldInterface{n, host}) {
		l.m.Interfaces = append(l.m.Interfaces, vpc.NetworkInterfaceOn(n, host, n.Instance == string(l.instance), s.Region))
	}
	return true
}

// sameToMachines reports whether machines are told the same of an interface: that it is attached, for one, they are not.
func sameToMachines(a, b *vpc.NetworkInterface) bool {
	return a != nil && b != nil && a.Arn == b.Arn && a.VpcID == b.VpcID && a.SubnetID == b.SubnetID && a.Address == b.Address && a.MAC == b.MAC &&
		a.PublicIP == b.PublicIP && a.Instance == b.Instance && a.Task == b.Task && slices.Equal(a.Groups, b.Groups)
}
