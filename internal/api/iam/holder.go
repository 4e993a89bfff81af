package iam

import (
	"context"
	"fmt"

	"berth/internal/iam"
	"berth/internal/record"
	"berth/internal/state"
)

// kind is a kind of what has policies.
type kind string

// The kinds, as IAM's texts call them.
const (
	user  kind = "user"
	group kind = "group"
	role  kind = "role"
)

// titled is the kind with a capital letter, as the names of quotas have it.
func (k kind) titled() string {
	switch k {
	case user:
		return "User"
	case group:
		return "Group"
	case role:
		return "Role"
	}
	return ""
}

// view is an entity, to be read.
func (k kind) view(t *state.Tables, account, name string) (*iam.Entity, error) {
	_, e, err := k.copy(t, account, name)
	return e, err
}

// copy is a copy of an entity and the record that it is of. Its lists are the stored ones.
func (k kind) copy(t *state.Tables, account, name string) (record.Record, *iam.Entity, error) {
	switch k {
	case user:
		u, err := findUser(t, account, name)
		if err != nil {
			return nil, nil, err
		}
		c := *u
		return &c, &c.Entity, nil
	case group:
		g, err := findGroup(t, account, name)
		if err != nil {
			return nil, nil, err
		}
		c := *g
		return &c, &c.Entity, nil
	}
	r, err := findRole(t, account, name)
	if err != nil {
		return nil, nil, err
	}
	c := *r
	return &c, &c.Entity, nil
}

// change stores what a function makes of a copy of an entity. It must clone the lists that it changes. A service-linked role is refused.
func (a *API) change(ctx context.Context, k kind, account, name string, change func(tx *state.Tx, e *iam.Entity) error) error {
	err := a.store.Update(ctx, func(tx *state.Tx) error {
		r, e, err := k.copy(tx.Tables, account, name)
		if err != nil {
			return err
		}
		if role, is := r.(*iam.Role); is && serviceLinked(role) {
			return unmodifiable(role.Name)
		}
		if err := change(tx, e); err != nil {
			return err
		}
		tx.Put(r)
		return nil
	})
	if err != nil {
		return fmt.Errorf("change %s %s: %w", k, name, err)
	}
	return nil
}
