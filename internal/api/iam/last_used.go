package iam

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"berth/internal/access"
	"berth/internal/state"
)

// Use is that an access key, or a role by its session, made a call.
type Use struct {
	AccessKeyID     string // "" where it does not count
	Role            string // ARN, "" for a user
	Service, Region string // "ecs"
	At              time.Time
}

// Uses are the last uses of keys and roles that are not written down yet. The zero value is ready; it may be used concurrently.
type Uses struct {
	mu    sync.Mutex
	keys  map[string]Use // by access key id
	roles map[string]Use // by ARN
}

// mostUses is how many keys, and roles, are remembered between two writes. More are forgotten: they are used again.
const mostUses = 10_000

// Note remembers a use. It never waits for long, and costs no write.
func (u *Uses) Note(x Use) {
	u.mu.Lock()
	defer u.mu.Unlock()
	note(&u.keys, x.AccessKeyID, x)
	note(&u.roles, x.Role, x)
}

func note(m *map[string]Use, key string, x Use) {
	if key == "" {
		return
	}
	if *m == nil {
		*m = map[string]Use{}
	}
	if _, known := (*m)[key]; known || len(*m) < mostUses {
		(*m)[key] = x
	}
}

// take returns what there is and forgets it.
func (u *Uses) take() (keys, roles []Use) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, x := range u.keys {
		keys = append(keys, x)
	}
	for _, x := range u.roles {
		roles = append(roles, x)
	}
	u.keys, u.roles = nil, nil
	return keys, roles
}

// usedAgain is how long a use is not written down after the last one that was, so that calls do not each make a write. usesInUpdate bounds a write.
const (
	usedAgain    = time.Hour
	usesInUpdate = 80
)

// WriteUses writes down when keys and roles were used last, each once an hour at most, many in one write.
func (a *API) WriteUses(ctx context.Context, u *Uses) error {
	keys, roles := u.take()
	v := a.store.View()
	var due []func(tx *state.Tx)
	for _, x := range keys {
		if k := v.AccessKeys.Get(x.AccessKeyID); k != nil && x.At.Sub(k.LastUsedDate) >= usedAgain {
			due = append(due, x.ofKey)
		}
	}
	for _, x := range roles {
		if r := access.Role(v.Tables, x.Role); r != nil && x.At.Sub(r.LastUsedDate) >= usedAgain {
			due = append(due, x.ofRole)
		}
	}
	for some := range slices.Chunk(due, usesInUpdate) {
		err := a.store.Update(ctx, func(tx *state.Tx) error {
			for _, write := range some {
				write(tx)
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("write down when keys and roles were used: %w", err)
		}
	}
	return nil
}

func (x Use) ofKey(tx *state.Tx) {
	if k := tx.AccessKeys.Get(x.AccessKeyID); k != nil {
		c := *k
		c.LastUsedDate, c.LastUsedService, c.LastUsedRegion = x.At.UTC().Truncate(time.Second), x.Service, x.Region
		tx.Put(&c)
	}
}

func (x Use) ofRole(tx *state.Tx) {
	if r := access.Role(tx.Tables, x.Role); r != nil {
		c := *r
		c.LastUsedDate, c.LastUsedRegion = x.At.UTC().Truncate(time.Second), x.Region
		tx.Put(&c)
	}
}
