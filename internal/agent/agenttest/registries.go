package agenttest

import (
	"context"
	"sync"

	"berth/internal/acsproto"
	"berth/internal/agent"
)

// Registries log in to registries in memory: with the first of Logins until that is forgotten, then with the next. The last one stays.
type Registries struct {
	asked
	mu     sync.Mutex
	Logins []agent.Login
}

var _ agent.Registries = (*Registries)(nil)

// Login implements agent.Registries.
func (r *Registries) Login(context.Context, string, acsproto.RegistryAuthentication) (agent.Login, error) {
	if err := r.ask(); err != nil {
		return agent.Login{}, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
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
