package controller

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/acsproto"
	"berth/internal/arn"
	"berth/internal/ecs"
	"berth/internal/state"
	"berth/internal/vpc"
)

// known is what a machine knows after messages: its objects by id.
type known map[string]string

func (k known) take(m acsproto.Network) {
	if m.Whole {
		clear(k)
	}
	for _, id := range m.Gone {
		delete(k, id)
	}
	for _, v := range m.VPCs {
		k[v.ID] = fmt.Sprint(v)
	}
	for _, g := range m.Groups {
		k[g.ID] = fmt.Sprint(g)
	}
	for _, i := range m.Interfaces {
		k[i.ID] = fmt.Sprint(i)
	}
}

// follows runs what tells of changes, as Run does.
func (n *net) follows(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- watch(ctx, n.State, n.lookAtAll, n.changed) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	synctest.Wait()
}

// drawn is a change of the networks: a task comes, gets a place, stops; a rule or a route changes; a machine has another address.
func (n *net) drawn(t *testing.T, r *rand.Rand, step int) {
	id := fmt.Sprint("t", r.IntN(12))
	on := func() string { return fmt.Sprint("i", 1+r.IntN(3)) }
	n.write(t, func(tx *state.Tx) {
		x := tx.Tasks.Get(demo.Task(id))
		switch kind := r.IntN(12); {
		case x == nil || x.Over():
			place := on()
			if r.IntN(3) == 0 {
				place = ""
			}
			tx.Put(netTask(id, fmt.Sprint(1+r.IntN(2)), fmt.Sprint("10.0.0.", 4+step%200), place))
		case kind < 4:
			c := x.Clone()
			c.Advance(ecs.Stopped)
			tx.Put(c)
		case kind < 8 && x.Waiting():
			c := x.Clone()
			c.Place(tx.Instances.Get(demo.Instance(on())))
			tx.Put(c)
		case kind < 8 && !x.Waiting():
			if c := x.Clone(); c.Attach(stamp()) {
				tx.Put(c)
			}
		case kind == 8:
			of := fmt.Sprint(1 + r.IntN(2))
			tx.Put(&vpc.SecurityGroup{Arn: vpcARN(vpc.KindSecurityGroup, "sg-"+of), VpcID: of, GroupName: "default", Rules: []vpc.Rule{{ID: fmt.Sprint(step), Protocol: "-1"}}})
		case kind == 9:
			i := *tx.Instances.Get(demo.Instance(on()))
			i.Attributes = []types.Attribute{{Name: aws.String(ecs.AttributeVPC)}, {Name: aws.String(ecs.AttributeUnderlay), Value: aws.String(fmt.Sprint("host-", step))}}
			tx.Put(&i)
		}
	})
}

// Whatever changes, and however seldom an instance looks: what it was told bit by bit is what it would be told whole.
func TestNetworkBitByBit(t *testing.T) {
	for seed := range uint64(20) {
		synctest.Test(t, func(t *testing.T) {
			n, r := newNet(t), rand.New(rand.NewPCG(seed, 1))
			n.follows(t)
			is, followed := known{}, 0
			for step := range 150 {
				n.drawn(t, r, step)
				if r.IntN(3) > 0 {
					continue
				}
				synctest.Wait()
				if m, ok := n.Network(n.on, n.told); ok {
					is.take(m)
				}
				if n.told[networkFollowed] != nil {
					followed++
				}
				whole := known{}
				m, _ := n.Network(n.on, map[string]any{})
				whole.take(m)
				if !maps.Equal(is, whole) {
					t.Fatalf("seed %d, step %d: told %v, is %v", seed, step, slices.Sorted(maps.Keys(is)), slices.Sorted(maps.Keys(whole)))
				}
			}
			if followed == 0 {
				t.Errorf("seed %d: no VPC was followed", seed)
			}
		})
	}
}

// That a task has its interface is nothing that machines are told: neither at once, nor when they look at all again.
func TestNetworkAttached(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNet(t, netTask("a", "1", "10.0.0.4", "i1"), netTask("b", "1", "10.0.0.5", "i2"))
		n.follows(t)
		n.look()
		n.write(t, func(tx *state.Tx) {
			c := tx.Tasks.Get(demo.Task("b")).Clone()
			c.Attach(stamp())
			tx.Put(c)
		})
		synctest.Wait()
		if got := n.look(); got != "nothing" {
			t.Errorf("told %s", got)
		}
		n.vpcChanged("1")
		if got := n.look(); got != "nothing" {
			t.Errorf("told %s when all is looked at", got)
		}
	})
}

// A log forgets its oldest changes, and who has not followed so far looks at all.
func TestNetworkLogForgets(t *testing.T) {
	c := &Instances{}
	c.follow()
	vpcs := map[vpc.ID]arn.Scope{"1": home}
	old := c.cursors(vpcs)
	for n := range 2 * mostLogged {
		c.interfaceChanged("1", fmt.Sprint(n%7))
	}
	if keys, ok := c.changedSince(old, c.cursors(vpcs)); !ok || len(keys) != 7 {
		t.Errorf("%v %v", keys, ok)
	}
	near := c.cursors(vpcs)
	c.interfaceChanged("1", "new")
	if keys, ok := c.changedSince(near, c.cursors(vpcs)); !ok || len(keys) != 1 || !keys["new"] {
		t.Errorf("%v %v", keys, ok)
	}
	if _, ok := c.changedSince(old, c.cursors(vpcs)); ok {
		t.Error("what was forgotten is not missed")
	}
	c.vpcChanged("1")
	if _, ok := c.changedSince(near, c.cursors(vpcs)); ok {
		t.Error("a VPC that has changed is not looked at as a whole")
	}
}
