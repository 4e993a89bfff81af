package agent

import (
	"context"
	"errors"
	"maps"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"berth/internal/acsproto"
)

// defaultInterfaces is how many network interfaces the tasks of an instance can have.
const defaultInterfaces = 1000

// vpcs is what the sessions of the machine's instances tell of its VPCs, taken together, and has it applied.
type vpcs struct {
	agent *Agent
	wake  chan struct{} // size 1: look again

	mu        sync.Mutex
	told      map[string]*toldNetwork // by instance
	left      bool                    // one that had told has left
	listening map[inVPC]bool          // what has a listener
}

// toldNetwork is what one instance's session has told.
type toldNetwork struct {
	n     int64
	state NetworkState
}

func newVPCs(a *Agent) *vpcs {
	return &vpcs{agent: a, wake: make(chan struct{}, 1), told: map[string]*toldNetwork{}, listening: map[inVPC]bool{}}
}

// Network takes a message about the instance's VPCs.
func (o *orders) Network(_ context.Context, m acsproto.Network) { o.agent.vpcs.take(o.Name, m) }

func (v *vpcs) take(instance string, m acsproto.Network) {
	v.mu.Lock()
	if v.agent.instance(instance) == nil { // it has left, and its session is ending
		v.mu.Unlock()
		return
	}
	t := v.told[instance]
	if t == nil || m.Whole {
		t = &toldNetwork{state: NetworkState{map[string]acsproto.VPC{}, map[string]acsproto.SecurityGroup{}, map[string]acsproto.NetworkInterface{}}}
		v.told[instance] = t
	}
	t.n = m.N
	for _, x := range m.VPCs {
		t.state.VPCs[x.ID] = x
	}
	for _, x := range m.Groups {
		t.state.Groups[x.ID] = x
	}
	for _, x := range m.Interfaces {
		t.state.Interfaces[x.ID] = x
	}
	for _, id := range m.Gone {
		delete(t.state.VPCs, id)
		delete(t.state.Groups, id)
		delete(t.state.Interfaces, id)
	}
	v.mu.Unlock()
	v.poke()
}

func (v *vpcs) poke() {
	select {
	case v.wake <- struct{}{}:
	default:
	}
}

// patience is how long instances that have told nothing yet keep what others told from being applied: it would take away what they have here.
const patience = time.Minute

// together is all that was told: of two versions of an object the newer one, and an interface is local if it is to one of the instances. missing
// is how many instances have told nothing yet, and some says that something is known: others have, or those that had have all left.
func (v *vpcs) together() (all NetworkState, missing int, some bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	list := slices.Collect(maps.Values(v.told))
	slices.SortFunc(list, func(a, b *toldNetwork) int { return int(a.n - b.n) })
	all = NetworkState{map[string]acsproto.VPC{}, map[string]acsproto.SecurityGroup{}, map[string]acsproto.NetworkInterface{}}
	for _, t := range list {
		maps.Copy(all.VPCs, t.state.VPCs)
		maps.Copy(all.Groups, t.state.Groups)
		for id, n := range t.state.Interfaces {
			n.Local = n.Local || all.Interfaces[id].Local
			all.Interfaces[id] = n
		}
	}
	present := len(v.agent.present())
	return all, present - len(v.told), len(v.told) > 0 || v.left && present == 0
}

// run applies what was told, whenever there is news, until ctx ends. What fails is tried again.
func (v *vpcs) run(ctx context.Context) error {
	if v.agent.Network == nil {
		return nil
	}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { v.apply(ctx, g); return nil })
	return g.Wait()
}

func (v *vpcs) apply(ctx context.Context, g *errgroup.Group) {
	began, failing := time.Now(), pause{}
	var before *NetworkState // the one that was applied last
	again := time.NewTimer(patience)
	defer again.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-v.wake:
		case <-again.C:
		}
		state, missing, some := v.together()
		if !some || missing > 0 && time.Since(began) < patience {
			continue
		}
		bereft := v.bereft(before, state)
		err := errors.Join(v.agent.Network.Apply(ctx, state), v.listen(ctx, g, state)) // a VPC that fails does not keep others
		before = &state
		for _, t := range bereft {
			t.reattach()
		}
		if err == nil {
			failing.reset()
			continue
		}
		if ctx.Err() == nil {
			v.agent.Log.Warn("the network of VPCs is not as it should be, trying again", "err", err)
		}
		failing.fail(time.Now())
		again.Reset(time.Until(failing.until))
	}
}

// bereft are the tasks whose interface the state before has taken away from them, and the next one has: their instance's session was away for longer than
// patience when the agent started.
func (v *vpcs) bereft(before *NetworkState, next NetworkState) (list []*task) {
	if before == nil {
		return nil
	}
	for _, t := range v.agent.all() {
		t.view(func(r *Record) {
			if r.networked() && r.Attached && !before.Interfaces[r.interfaceID()].Local && next.Interfaces[r.interfaceID()].Local {
				list = append(list, t)
			}
		})
	}
	return list
}

// inVPC is an address that containers in a VPC find the agent at.
type inVPC struct {
	vpc string
	at  netip.AddrPort
}

// The addresses of the task endpoints and of instance metadata.
var (
	endpointsInVPC = netip.MustParseAddrPort("169.254.170.2:80")
	metadataInVPC  = netip.MustParseAddrPort("169.254.169.254:80")
)

// VPCFront serves containers inside VPCs.
type VPCFront interface {
	// Serve serves the task endpoints on a listener in a VPC until ctx ends or it is closed, and ServeMetadata instance metadata.
	Serve(ctx context.Context, l net.Listener, vpc string) error
	ServeMetadata(ctx context.Context, l net.Listener, vpc string) error
}

// listen opens the task endpoints and instance metadata in every VPC that has a local interface and none yet.
func (v *vpcs) listen(ctx context.Context, g *errgroup.Group, s NetworkState) (failed error) {
	front, ok := v.agent.Front.(VPCFront)
	if !ok {
		return nil
	}
	local := map[string]bool{}
	for _, n := range s.Interfaces {
		if n.Local {
			local[n.VPC] = true
		}
	}
	for id := range local {
		failed = errors.Join(failed, v.serve(ctx, g, inVPC{id, endpointsInVPC}, front.Serve), v.serve(ctx, g, inVPC{id, metadataInVPC}, front.ServeMetadata))
	}
	return failed
}

// serve opens one address in a VPC and has it served, unless it is.
func (v *vpcs) serve(ctx context.Context, g *errgroup.Group, where inVPC, serve func(context.Context, net.Listener, string) error) error {
	v.mu.Lock()
	open := v.listening[where]
	v.mu.Unlock()
	if open {
		return nil
	}
	l, err := v.agent.Network.Listen(where.vpc, where.at)
	if err != nil {
		return err
	}
	v.mu.Lock()
	v.listening[where] = true
	v.mu.Unlock()
	g.Go(func() error {
		err := serve(ctx, l, where.vpc)
		if err != nil && ctx.Err() == nil {
			v.agent.Log.Warn("the agent is not reached in a VPC", "vpc", where.vpc, "address", where.at, "err", err)
		}
		v.mu.Lock()
		delete(v.listening, where)
		v.mu.Unlock()
		v.poke()
		return nil
	})
	return nil
}
