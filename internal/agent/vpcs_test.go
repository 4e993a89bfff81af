package agent_test

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"berth/internal/acsproto"
	"berth/internal/agent"
)

// other is the second instance of the agent's machine, in a cluster of its own.
var other = agent.InstanceConfig{Name: "two", Cluster: "other"}

// elsewhere makes all interfaces of a message those of another instance of the same machine.
func elsewhere(m acsproto.Network) acsproto.Network {
	for i := range m.Interfaces {
		m.Interfaces[i].Local = false
	}
	return m
}

// TestVPCsOfInstances: what the instances of a machine are told is one network.
func TestVPCsOfInstances(t *testing.T) {
	rule := func(m acsproto.Network, port int32) acsproto.Network {
		m.Groups[0].Ingress = []acsproto.SecurityRule{{Protocol: "tcp", From: port, To: port, CIDR: "0.0.0.0/0"}}
		return m
	}
	port := func(s agent.NetworkState) string {
		if r := s.Groups["sg-1"].Ingress; len(r) == 1 {
			return fmt.Sprint(r[0].From)
		}
		return "none"
	}
	for _, c := range []struct {
		name     string
		one, two []acsproto.Network // told in this order: all of one, then all of two
		port     string             // that the group opens
		local    map[string]bool
	}{
		{"local to one is local", []acsproto.Network{rule(inVPC(3, eni), 1)}, []acsproto.Network{elsewhere(rule(inVPC(4, eni), 2))}, "2", map[string]bool{eni: true}},
		{"the newer one wins, whoever comes last", []acsproto.Network{rule(inVPC(5, eni), 1)}, []acsproto.Network{elsewhere(rule(inVPC(4, eni), 2))}, "1", map[string]bool{eni: true}},
		{"one is told nothing", []acsproto.Network{rule(inVPC(3, eni), 1)}, []acsproto.Network{{N: 4, Whole: true}}, "1", map[string]bool{eni: true}},
		{"both have interfaces", []acsproto.Network{rule(inVPC(3, eni), 1)}, []acsproto.Network{rule(inVPC(3, "eni-2"), 1)}, "1", map[string]bool{eni: true, "eni-2": true}},
		{"one is gone", []acsproto.Network{rule(inVPC(3, eni, "eni-3"), 1), {N: 4, Gone: []string{eni}}}, []acsproto.Network{rule(inVPC(3, "eni-2"), 1)}, "1",
			map[string]bool{"eni-2": true, "eni-3": true}},
		{"all is gone", []acsproto.Network{rule(inVPC(3, eni), 1), {N: 4, Gone: []string{eni, "sg-1", "vpc-1"}}}, []acsproto.Network{{N: 4, Whole: true}}, "none", map[string]bool{}},
		{"a new session begins anew", []acsproto.Network{rule(inVPC(3, eni), 1), inVPC(4)}, []acsproto.Network{{N: 4, Whole: true}}, "none", map[string]bool{}},
		{"a change", []acsproto.Network{rule(inVPC(3, eni), 1), {N: 4, Groups: rule(inVPC(4), 9).Groups}}, []acsproto.Network{{N: 4, Whole: true}}, "9", map[string]bool{eni: true}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newVPCWorld(t)
				w.config.Instances = append(w.config.Instances, other)
				w.start()
				defer func() { w.kill() }()
				synctest.Wait()
				for _, m := range c.one {
					w.tell("demo", m)
				}
				for _, m := range c.two {
					w.tell("other", m)
				}
				synctest.Wait()
				s, local := w.network.State(), map[string]bool{}
				for id, n := range s.Interfaces {
					local[id] = n.Local
				}
				if got := port(s); got != c.port || fmt.Sprint(local) != fmt.Sprint(c.local) {
					t.Errorf("port %s, interfaces %v, want %s, %v", got, local, c.port, c.local)
				}
			})
		})
	}
}

// TestVPCsWaitForAll: an instance that has told nothing yet may have tasks here, whose interfaces a network without it would take away.
func TestVPCsWaitForAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newVPCWorld(t)
		w.config.Instances = append(w.config.Instances, other)
		w.tell("demo", inVPC(3, eni))
		w.start()
		defer func() { w.kill() }()
		applied := func() bool { synctest.Wait(); return len(w.network.State().VPCs) > 0 }
		time.Sleep(59 * time.Second)
		if applied() {
			t.Error("the network was applied before the second instance has told of its own")
		}
		time.Sleep(2 * time.Second)
		if !applied() {
			t.Error("the network was not applied after a minute")
		}
		w.kill()
		w.tell("other", inVPC(3, "eni-2"))
		w.start()
		synctest.Wait()
		if got := len(w.network.State().Interfaces); got != 2 {
			t.Errorf("%d interfaces as soon as all have told of theirs", got)
		}
	})
}

// TestRestartKeepsInterfaces: an agent that starts anew takes no interface away, whichever instance is told first.
func TestRestartKeepsInterfaces(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newVPCWorld(t)
		w.config.Instances = append(w.config.Instances, other)
		w.tell("demo", inVPC(3, eni))
		w.tell("other", acsproto.Network{N: 3, Whole: true})
		w.start()
		defer func() { w.kill() }()
		one := networked(1, eni, essential("a", "app"))
		w.control.Run(one)
		synctest.Wait()
		w.attachedTo(eni)
		w.kill()
		w.mu.Lock()
		w.news["demo"] = nil
		w.mu.Unlock()
		w.start()
		time.Sleep(30 * time.Second)
		w.attachedTo(eni)
		w.tell("demo", inVPC(4, eni))
		time.Sleep(time.Minute)
		synctest.Wait()
		w.attachedTo(eni)
		w.expect(one.ARN, "RUNNING a:RUNNING")
	})
}

// TestRulesChangeWhileAgentIsDead: running tasks keep the rules that they have until the agent is told anew, and have all that changed meanwhile then: a rule, a
// group that is new to the interface, one that is gone.
func TestRulesChangeWhileAgentIsDead(t *testing.T) {
	group := func(id string, port int32) acsproto.SecurityGroup {
		return acsproto.SecurityGroup{ID: id, VPC: "vpc-1", Ingress: []acsproto.SecurityRule{{Protocol: "tcp", From: port, To: port, CIDR: "0.0.0.0/0"}}}
	}
	told := func(n int64, groups ...acsproto.SecurityGroup) acsproto.Network {
		m := inVPC(n, eni)
		m.Groups, m.Interfaces[0].Groups = groups, nil
		for _, g := range groups {
			m.Interfaces[0].Groups = append(m.Interfaces[0].Groups, g.ID)
		}
		return m
	}
	synctest.Test(t, func(t *testing.T) {
		w := newVPCWorld(t)
		before := told(3, group("sg-1", 80), group("sg-2", 81))
		w.tell("demo", before)
		w.start()
		defer func() { w.kill() }()
		one := networked(1, eni, essential("a", "app"))
		w.control.Run(one)
		synctest.Wait()
		holds := func(when string, m acsproto.Network) {
			t.Helper()
			s, groups := w.network.State(), map[string]acsproto.SecurityGroup{}
			for _, g := range m.Groups {
				groups[g.ID] = g
			}
			if !reflect.DeepEqual(s.Groups, groups) || !slices.Equal(s.Interfaces[eni].Groups, m.Interfaces[0].Groups) {
				t.Errorf("%s: groups %v of an interface in %v, want %v", when, s.Groups, s.Interfaces[eni].Groups, groups)
			}
			w.attachedTo(eni)
		}
		holds("at first", before)
		w.kill()
		holds("while the agent is dead", before)
		w.mu.Lock()
		w.news["demo"] = nil
		w.mu.Unlock()
		w.start()
		time.Sleep(10 * time.Second)
		holds("before the session tells", before)
		after := told(9, group("sg-1", 8080), group("sg-3", 82))
		w.tell("demo", after)
		synctest.Wait()
		holds("then", after)
		w.expect(one.ARN, "RUNNING a:RUNNING")
		w.once()
	})
}

// TestBereftTask: a task whose instance was told nothing for longer than others are kept waiting has lost its interface, and gets it back.
func TestBereftTask(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newVPCWorld(t)
		w.config.Instances = append(w.config.Instances, other)
		w.tell("demo", inVPC(3, eni))
		w.tell("other", acsproto.Network{N: 3, Whole: true})
		w.start()
		defer func() { w.kill() }()
		one := networked(1, eni, essential("a", "app"))
		w.control.Run(one)
		synctest.Wait()
		w.kill()
		w.mu.Lock()
		w.news["demo"] = nil
		w.mu.Unlock()
		w.start()
		time.Sleep(10 * time.Minute)
		if got := w.network.Attached(); len(got) != 0 {
			t.Errorf("attached are %v: the test does not show what it should", got)
		}
		w.tell("demo", inVPC(4, eni))
		time.Sleep(time.Second)
		synctest.Wait()
		w.attachedTo(eni)
		w.expect(one.ARN, "RUNNING a:RUNNING")
		w.once()
	})
}

// TestApplyIsTriedAgain: a network that cannot be made as it should be is tried again without news.
func TestApplyIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newVPCWorld(t)
		w.network.SetFail(errors.New("netlink: no buffer space available"))
		w.tell("demo", inVPC(3, eni))
		w.start()
		defer func() { w.kill() }()
		one := networked(1, eni, essential("a", "app"))
		w.control.Run(one)
		time.Sleep(time.Minute)
		w.expect(one.ARN, "nothing")
		w.network.SetFail(nil)
		time.Sleep(time.Minute)
		w.expect(one.ARN, "RUNNING a:RUNNING")
	})
}

// TestMembersComeAndGo: an instance that has a task does not leave, before a restart and after it. When the last one with an interface has left, nothing of
// its VPC stays.
func TestMembersComeAndGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newVPCWorld(t)
		w.config.Instances = nil
		w.start()
		defer func() { w.kill() }()
		member := agent.InstanceConfig{Name: "pool-1", Cluster: "demo", Member: "1"}
		for range 2 { // the second time it is there
			if err := w.agent.Join(t.Context(), member); err != nil {
				t.Fatal(err)
			}
		}
		w.tell("demo", inVPC(3, eni))
		one := networked(1, eni, essential("a", "app"))
		w.control.Run(one)
		w.expect(one.ARN, "RUNNING a:RUNNING")
		inUse := func() {
			t.Helper()
			if err := w.agent.Leave(t.Context(), member.Name); !errors.Is(err, agent.ErrInUse) {
				t.Errorf("leave with a task: %v", err)
			}
			w.attachedTo(eni)
		}
		inUse()
		w.kill()
		w.config.Instances = []agent.InstanceConfig{member}
		w.start()
		inUse()
		synctest.Wait()
		inUse()
		w.control.Stop(one.ARN)
		w.expect(one.ARN, "STOPPED a:STOPPED(143)")
		for range 2 {
			if err := w.agent.Leave(t.Context(), member.Name); err != nil {
				t.Errorf("leave: %v", err)
			}
		}
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		w.nothingLeft()
		if s := w.network.State(); len(s.VPCs)+len(s.Interfaces) != 0 {
			t.Errorf("the last member has left, and there is still %v", s)
		}
		w.kill()
		w.config.Instances = nil
		w.start()
		time.Sleep(2 * time.Hour)
		synctest.Wait()
		if k, n := w.ledger.Keys(), w.engine.Containers(agent.Exited); len(k) != 0 || n != 0 {
			t.Errorf("after another start and the clean-up the ledger still has %v, the engine %d containers", k, n)
		}
	})
}
