package providertest

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"

	"berth/internal/provider"
)

// Memory is a provider whose members are entries of a map. The zero value is ready to use.
type Memory struct {
	// Launched and Terminated are called, where they are set, for every member that comes and goes, with nothing locked.
	Launched   func(provider.Order)
	Terminated func(id string)

	mu      sync.Mutex
	members map[string]provider.Order
	reason  string
	full    bool
	held    bool
}

var _ provider.Provider = (*Memory)(nil)

// Refuse makes every call fail with a reason; "" lets them succeed again.
func (m *Memory) Refuse(reason string) { m.set(func() { m.reason = reason }) }

// Full makes every launch of a new member find no capacity.
func (m *Memory) Full(full bool) { m.set(func() { m.full = full }) }

// Hold makes every call hang until it is cancelled.
func (m *Memory) Hold(held bool) { m.set(func() { m.held = held }) }

// Order returns what a member that is there was launched with.
func (m *Memory) Order(id string) (provider.Order, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	o, ok := m.members[id]
	return o, ok
}

// Launch adds a member.
func (m *Memory) Launch(ctx context.Context, o provider.Order) error {
	if err := m.begin(ctx, "launch", o.ID); err != nil {
		return err
	}
	added, err := m.add(o)
	if added && m.Launched != nil {
		m.Launched(o)
	}
	return err
}

func (m *Memory) add(o provider.Order) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, ok := m.members[o.ID]; ok {
		return false, nil
	}
	if m.full {
		return false, &provider.Failure{Verb: "launch", Member: o.ID, Reason: provider.ErrNoCapacity.Error(), Err: provider.ErrNoCapacity}
	}
	if m.members == nil {
		m.members = map[string]provider.Order{}
	}
	m.members[o.ID] = o
	return true, nil
}

// Terminate removes a member.
func (m *Memory) Terminate(ctx context.Context, id string) error {
	if err := m.begin(ctx, "terminate", id); err != nil {
		return err
	}
	_, ok := m.Order(id)
	m.set(func() { delete(m.members, id) })
	if ok && m.Terminated != nil {
		m.Terminated(id)
	}
	return nil
}

// List names the members.
func (m *Memory) List(ctx context.Context) (ids []string, err error) {
	if err := m.begin(ctx, "list", ""); err != nil {
		return nil, err
	}
	m.set(func() { ids = slices.Sorted(maps.Keys(m.members)) })
	return ids, nil
}

func (m *Memory) set(f func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	f()
}

// begin is what every call does first.
func (m *Memory) begin(ctx context.Context, verb, id string) error {
	fail := func(reason string, err error) error {
		return &provider.Failure{Verb: verb, Member: id, Reason: reason, Err: err}
	}
	var reason string
	var held bool
	m.set(func() { reason, held = m.reason, m.held })
	if held {
		<-ctx.Done()
	}
	if err := ctx.Err(); err != nil {
		return fail("cancelled", err)
	}
	if verb != "list" {
		if err := provider.CheckID(id); err != nil {
			return &provider.Failure{Verb: verb, Reason: err.Error(), Err: err}
		}
	}
	if reason != "" {
		return fail(reason, errors.New(reason))
	}
	return nil
}
