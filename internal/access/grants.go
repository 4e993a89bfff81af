package access

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"

	"berth/internal/arn"
	"berth/internal/ecs"
	"berth/internal/iam"
	"berth/internal/iam/managed"
	"berth/internal/policy"
	"berth/internal/state"
)

// book has the compiled policies of those who have called, good for as long as no IAM record changes.
type book struct {
	moment    *state.Moment
	grants    sync.Map // *policy.Grants by kind and key
	trusts    sync.Map // *policy.Set by key of the role
	linked    sync.Map // linked by account
	instances sync.Map // *known by access key id
}

// pages are the current book, and AWS's own policies.
type pages struct {
	now    atomic.Pointer[book]
	load   sync.Once
	loaded *managed.Policies
}

func (k *Keys) managed() *managed.Policies {
	k.pages.load.Do(func() { k.pages.loaded = managed.Load() })
	return k.pages.loaded
}

// book is the one of a view: a new one where IAM records have changed since.
func (k *Keys) book(t *state.Tables) *book {
	now := k.pages.now.Load()
	if now == nil || now.moment != t.Identities() {
		now = &book{moment: t.Identities()}
		k.pages.now.Store(now)
	}
	return now
}

// roleGrants are what a role may do.
func (k *Keys) roleGrants(t *state.Tables, r *iam.Role) *policy.Grants {
	return k.grants(t, "role "+r.Key(), &r.Entity, nil)
}

// userGrants are what a user may do, by itself and by its groups.
func (k *Keys) userGrants(t *state.Tables, u *iam.User) *policy.Grants {
	return k.grants(t, "user "+u.Key(), &u.Entity, u.Groups)
}

func (k *Keys) grants(t *state.Tables, key string, e *iam.Entity, groups []string) *policy.Grants {
	b := k.book(t)
	if g, ok := b.grants.Load(key); ok {
		return g.(*policy.Grants)
	}
	g := k.compile(t, e, groups)
	b.grants.Store(key, g)
	return g
}

// known is the principal that a credential stands for.
type known struct {
	of        *ecs.Credential
	principal policy.Principal
}

// instancePrincipal is a container instance, made anew when its record has changed.
func (k *Keys) instancePrincipal(t *state.Tables, c *ecs.Credential) policy.Principal {
	b := k.book(t)
	if x, ok := b.instances.Load(c.AccessKeyID); ok && x.(*known).of == c {
		return x.(*known).principal
	}
	p := k.makeInstance(t, c)
	b.instances.Store(c.AccessKeyID, &known{c, p})
	return p
}

// compile reads the policies of an entity. One that cannot be read may deny what others allow: then nothing is allowed.
func (k *Keys) compile(t *state.Tables, e *iam.Entity, groups []string) *policy.Grants {
	sources, err := k.sources(t, e)
	for _, name := range groups {
		if g := t.Groups.Get(iam.Key(e.Account, name)); g != nil && err == nil {
			var more []policy.Source
			more, err = k.sources(t, &g.Entity)
			sources = append(sources, more...)
		}
	}
	var bound *policy.Set
	if e.Boundary != "" && err == nil {
		var s policy.Source
		if s, err = k.source(t, e.Boundary); err == nil {
			bound = policy.Compile(s)
		}
	}
	if err != nil {
		return &policy.Grants{}
	}
	return &policy.Grants{Identity: policy.Compile(sources...), Boundary: bound}
}

// sources are an entity's inline and attached policies.
func (k *Keys) sources(t *state.Tables, e *iam.Entity) (list []policy.Source, err error) {
	for _, in := range e.Inline {
		d, err := policy.Parse(in.Document, policy.Identity)
		if err != nil {
			return nil, fmt.Errorf("policy %s of %s: %w", in.Name, e.Name, err)
		}
		list = append(list, policy.Source{Name: in.Name, Document: d})
	}
	for _, a := range e.Attached {
		s, err := k.source(t, a)
		if err != nil {
			return nil, err
		}
		list = append(list, s)
	}
	return list, nil
}

// source is a managed policy, AWS's or an account's own.
func (k *Keys) source(t *state.Tables, name string) (policy.Source, error) {
	text, ok := k.ManagedDocument(t, name)
	if !ok {
		return policy.Source{}, fmt.Errorf("policy %s is gone", name)
	}
	d, err := policy.Parse(text, policy.Identity)
	if err != nil {
		return policy.Source{}, fmt.Errorf("policy %s: %w", name, err)
	}
	return policy.Source{Name: name, Document: d}, nil
}

// Trust is who may assume a role; nil, which trusts nobody, where its policy cannot be read.
func (k *Keys) Trust(t *state.Tables, r *iam.Role) *policy.Set {
	b := k.book(t)
	if s, ok := b.trusts.Load(r.Key()); ok {
		return s.(*policy.Set)
	}
	var s *policy.Set
	if d, err := policy.Parse(r.Trust, policy.Trust); err == nil {
		s = policy.Compile(policy.Source{Name: r.ARN(), Document: d})
	}
	b.trusts.Store(r.Key(), s)
	return s
}

// sessionPolicies are the policies that bound a session. Together they are one bound: what one of them allows is allowed.
func sessionPolicies(s Session) ([]*policy.Set, error) {
	var sources []policy.Source
	for _, text := range s.Policies {
		d, err := policy.Parse(text, policy.Session)
		if err != nil {
			return nil, fmt.Errorf("session policy: %w", err)
		}
		sources = append(sources, policy.Source{Name: "session policy", Document: d})
	}
	if sources == nil {
		return nil, nil
	}
	return []*policy.Set{policy.Compile(sources...)}, nil
}

// Role finds a role by its ARN, nil where there is none.
func Role(t *state.Tables, name string) *iam.Role {
	account, short := entity(name, ":role/")
	r := t.Roles.Get(iam.Key(account, short))
	if r == nil || r.ARN() != name {
		return nil
	}
	return r
}

// RoleARN is the ARN of a role of an account that task definitions name by its ARN or, as ECS lets them, by its name alone.
func RoleARN(t *state.Tables, account, role string) string {
	if arn.Is(role) {
		return role
	}
	if r := t.Roles.Get(iam.Key(account, role)); r != nil {
		return r.ARN()
	}
	return iam.ARN(account, "role", "/", role)
}

// User finds a user by its ARN, nil where there is none.
func User(t *state.Tables, arn string) *iam.User {
	account, name := entity(arn, ":user/")
	u := t.Users.Get(iam.Key(account, name))
	if u == nil || u.ARN() != arn {
		return nil
	}
	return u
}

// entity takes an ARN of IAM apart: the account, and the name without its path.
func entity(arn, kind string) (account, name string) {
	rest, _ := strings.CutPrefix(arn, "arn:aws:iam::")
	account, path, _ := strings.Cut(rest, kind)
	return account, path[strings.LastIndexByte(path, '/')+1:]
}

// ManagedDocument is the text of a managed policy, AWS's or an account's own, as it is in force.
func (k *Keys) ManagedDocument(t *state.Tables, arn string) (text string, ok bool) {
	p := k.managed().Find(arn)
	if p == nil {
		p = t.Policies.Get(arn)
	}
	if p == nil {
		return "", false
	}
	return p.Document(), true
}
