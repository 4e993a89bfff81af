package agent

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// Instances may come and go while the agent runs: members of the Fargate pool do.

// ErrInUse says that an instance still has tasks.
var ErrInUse = errors.New("the instance has tasks")

// present are the instances that there are now.
func (a *Agent) present() []*instance {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.instances)
}

// Join takes in one more instance, and runs it. One of that name that is there already is no error. It must not be called before Run.
func (a *Agent) Join(ctx context.Context, c InstanceConfig) error {
	if c.Name == "" {
		return errors.New("an instance has a name")
	}
	if a.instance(c.Name) != nil {
		return nil
	}
	i := newInstance(a, c)
	a.mu.Lock()
	a.instances = append(a.instances, i)
	a.mu.Unlock()
	select {
	case a.members <- i:
		return nil
	case <-ctx.Done():
		a.remove(i)
		return ctx.Err()
	}
}

// Leave ends an instance: its sessions end, and what is kept of it goes. One that has tasks that have not ended stays (ErrInUse). One that is not there is no
// error.
func (a *Agent) Leave(ctx context.Context, name string) error {
	i := a.instance(name)
	if i == nil {
		return nil
	}
	for _, t := range i.tasks() {
		stopped := false
		t.view(func(r *Record) { stopped = r.Stopped() })
		if !stopped {
			return fmt.Errorf("%s: %w", name, ErrInUse)
		}
	}
	i.leave()
	a.remove(i)
	a.vpcs.forget(name)
	return a.Ledger.Write(ctx, map[string][]byte{instancePrefix + name: nil})
}

func (a *Agent) remove(i *instance) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.instances = slices.DeleteFunc(a.instances, func(x *instance) bool { return x == i })
}

// live runs the instance until ctx ends or it leaves.
func (i *instance) live(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stop := context.AfterFunc(i.left, cancel)
	defer stop()
	err := i.run(ctx)
	if i.left.Err() != nil {
		return nil
	}
	return err
}

// forget drops what an instance that has left has told.
func (v *vpcs) forget(instance string) {
	v.mu.Lock()
	v.left = v.left || v.told[instance] != nil
	delete(v.told, instance)
	v.mu.Unlock()
	v.poke()
}
