package trail

import (
	"context"
	"errors"
	"sync"
	"time"

	"berth/internal/access"
	"berth/internal/arn"
	"berth/internal/ecs"
	"berth/internal/policy"
	"berth/internal/state"
	"berth/internal/vpc"
)

// Interfaces takes down what ECS does with its service-linked role: the network interfaces that it makes and removes for tasks, and that it may make none.
type Interfaces struct {
	Trail  *Trail
	State  *state.Store
	Keys   *access.Keys
	Region string // of records about an account, which has none

	mu      sync.Mutex
	refused map[string]string // why, by account
}

// mostRefused is how many accounts it is remembered of that ECS may make no interfaces in them.
const mostRefused = 1000

// Run takes down, until ctx ends, the interfaces that are made and removed meanwhile. It is for the leader: what is there when it begins, another one has taken
// down.
func (i *Interfaces) Run(ctx context.Context) error {
	i.State.Subscribe().Each(ctx, func(b state.Batch) {
		for _, c := range b.Changes {
			i.changed(b.Tables, c)
		}
	})
	return nil
}

// changed takes down what a change of a task means for its interface.
func (i *Interfaces) changed(t *state.Tables, c state.Change) {
	if _, is := c.Record().(*ecs.Task); !is {
		return
	}
	before, _ := c.Old.(*ecs.Task)
	after, _ := c.New.(*ecs.Task)
	if before != nil && after != nil && before.Interface == after.Interface && before.Over() == after.Over() {
		return
	}
	old, now := made(before), made(after)
	switch {
	case old == nil && now != nil:
		i.take(t, &provisioned{face: now})
	case old != nil && now == nil:
		i.take(t, &provisioned{face: old, removed: true})
	}
}

// made is the interface that is made for a task: nil before it has an address, and when the task has stopped.
func made(t *ecs.Task) *vpc.NetworkInterface {
	if n := state.TaskInterface(t); n != nil && n.Address != "" {
		return n
	}
	return nil
}

func (i *Interfaces) take(t *state.Tables, p *provisioned) {
	p.at = time.Now()
	p.as, p.verdict = i.asked(t, arn.ScopeOf(p.face.Arn).Account, p.action())
	i.Trail.put(entry{own: p, size: overhead})
}

// asked is who ECS is in an account, and what the policies of its role say.
func (i *Interfaces) asked(t *state.Tables, account, action string) (as *policy.Principal, v policy.Verdict) {
	if as = i.Keys.Linked(t, account); as != nil {
		v = policy.Decide(policy.Request{Principal: as, Action: action, Resource: "*"})
	}
	return as, v
}

// MayAttach is access.Keys.MayAttach. That ECS may make no interfaces in an account is taken down once for each reason, until it may again, however often it is
// asked. It does not wait.
func (i *Interfaces) MayAttach(t *state.Tables, account string) error {
	err := i.Keys.MayAttach(t, account)
	var why *access.ErrLinked
	if i.news(account, err) && errors.As(err, &why) {
		u := &unprovisioned{at: time.Now(), account: account, region: i.Region, why: why}
		if why.Denied != "" {
			u.as, u.verdict = i.asked(t, account, why.Denied)
		}
		i.Trail.put(entry{own: u, size: overhead})
	}
	return err
}

// news reports whether something else keeps ECS from making interfaces in an account than when it was asked last. nil is that nothing does.
func (i *Interfaces) news(account string, err error) bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	if err == nil {
		delete(i.refused, account)
		return false
	}
	if i.refused[account] == err.Error() {
		return false
	}
	if i.refused == nil || len(i.refused) >= mostRefused {
		i.refused = map[string]string{}
	}
	i.refused[account] = err.Error()
	return true
}
