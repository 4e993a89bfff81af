package agenttest

import (
	"context"
	"sync"

	"berth/internal/acsproto"
	"berth/internal/agent"
)

// Registries log in to registries in memory: with the first of Logins until that is forgotten, then with the next. The last one stays.
type Registries struct {
	mu     sync.Mutex
	Logins []agent.Login
	err    error
	n      int
}

var _ agent.Registries = (*Registries)(nil)

// Refuse has all logins fail from now on, with nil none.
func (r *Registries) Refuse(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.err = err
}

// Calls is how often a login was asked for.
func (r *Registries) Calls() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.n
}

// Login implements agent.Registries.
func (r *Registries) Login(context.Context, string, acsproto.RegistryAuthentication) (agent.Login, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.n++
	if r.err != nil {
		return agent.Login{}, r.err
	}
	return r.Logins[0], nil
}

// Forget implements agent.Registries.
func (r *Registries) Forget(l agent.Login) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.Logins) > 1 && r.Logins[0] == l {
		r.Logins = r.Logins[1:]
	}
}
