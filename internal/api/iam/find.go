package iam

import (
	"iter"
	"strings"

	"berth/internal/arn"
	"berth/internal/iam"
	"berth/internal/state"
)

// findRole finds a role by its name.
func findRole(t *state.Tables, account, name string) (*iam.Role, error) {
	if r := t.Roles.Get(iam.Key(account, name)); r != nil {
		return r, nil
	}
	return nil, noSuch("The role with name %s cannot be found.", name)
}

// findOwnRole finds a role that the account may change: not one that belongs to a service.
func findOwnRole(t *state.Tables, account, name string) (*iam.Role, error) {
	r, err := findRole(t, account, name)
	if err == nil && serviceLinked(r) {
		return nil, unmodifiable(r.Name)
	}
	return r, err
}

func serviceLinked(r *iam.Role) bool { return strings.HasPrefix(r.Path, iam.ServiceLinkedPath) }

// findUser finds a user by its name.
func findUser(t *state.Tables, account, name string) (*iam.User, error) {
	if u := t.Users.Get(iam.Key(account, name)); u != nil {
		return u, nil
	}
	return nil, noSuch("The user with name %s cannot be found.", name)
}

// findGroup finds a group by its name.
func findGroup(t *state.Tables, account, name string) (*iam.Group, error) {
	if g := t.Groups.Get(iam.Key(account, name)); g != nil {
		return g, nil
	}
	return nil, noSuch("The group with name %s cannot be found.", name)
}

// findProfile finds an instance profile by its name.
func findProfile(t *state.Tables, account, name string) (*iam.InstanceProfile, error) {
	if p := t.InstanceProfiles.Get(iam.Key(account, name)); p != nil {
		return p, nil
	}
	return nil, noSuch("Instance Profile %s cannot be found.", name)
}

// policyARN checks that a text has the form of a managed policy's ARN.
func policyARN(s string) error {
	if p, err := arn.Parse(s); err != nil || p.Service != "iam" || !strings.HasPrefix(p.Resource, "policy/") {
		return invalid("ARN %s is not valid.", s)
	}
	return nil
}

// lookup is the account's managed policy with that ARN, or AWS's; nil where there is none.
func (a *API) lookup(t *state.Tables, account, policy string) *iam.Policy {
	if p := a.managed.Find(policy); p != nil {
		return p
	}
	if !strings.HasPrefix(policy, "arn:aws:iam::"+account+":") {
		return nil
	}
	return t.Policies.Get(policy)
}

// findPolicy finds a managed policy to show.
func (a *API) findPolicy(t *state.Tables, account, policy string) (*iam.Policy, error) {
	if err := policyARN(policy); err != nil {
		return nil, err
	}
	if p := a.lookup(t, account, policy); p != nil {
		return p, nil
	}
	return nil, noSuch("Policy %s was not found.", policy)
}

// findAttachable finds a managed policy to give to a user, group or role.
func (a *API) findAttachable(t *state.Tables, account, policy string) (*iam.Policy, error) {
	if err := policyARN(policy); err != nil {
		return nil, err
	}
	if p := a.lookup(t, account, policy); p != nil {
		return p, nil
	}
	return nil, noSuch("Policy %s does not exist or is not attachable.", policy)
}

// findOwnPolicy finds a managed policy that the account may change: not one of AWS's.
func (a *API) findOwnPolicy(t *state.Tables, account, policy string) (*iam.Policy, error) {
	p, err := a.findPolicy(t, account, policy)
	if err == nil && a.managed.Find(policy) != nil {
		return nil, withStatus(403, "AccessDenied", "Policy %s is managed by AWS and cannot be changed.", policy)
	}
	return p, err
}

// The records of an account, in the order of their keys.
func users(t *state.Tables, account string) iter.Seq[*iam.User] {
	return t.Users.Under(account+"/", "")
}
func groups(t *state.Tables, account string) iter.Seq[*iam.Group] {
	return t.Groups.Under(account+"/", "")
}
func roles(t *state.Tables, account string) iter.Seq[*iam.Role] {
	return t.Roles.Under(account+"/", "")
}
func profiles(t *state.Tables, account string) iter.Seq[*iam.InstanceProfile] {
	return t.InstanceProfiles.Under(account+"/", "")
}
func policies(t *state.Tables, account string) iter.Seq[*iam.Policy] {
	return t.Policies.Under("arn:aws:iam::"+account+":policy/", "")
}
func providers(t *state.Tables, account string) iter.Seq[*iam.OIDCProvider] {
	return t.OIDCProviders.Under("arn:aws:iam::"+account+":oidc-provider/", "")
}

// count is how many rows there are.
func count[T any](rows iter.Seq[T]) (n int) {
	for range rows {
		n++
	}
	return n
}

// entities are the users, groups and roles of an account: what policies are attached to.
func entities(t *state.Tables, account string) iter.Seq[*iam.Entity] {
	return func(yield func(*iam.Entity) bool) {
		for u := range users(t, account) {
			if !yield(&u.Entity) {
				return
			}
		}
		for g := range groups(t, account) {
			if !yield(&g.Entity) {
				return
			}
		}
		for r := range roles(t, account) {
			if !yield(&r.Entity) {
				return
			}
		}
	}
}

// uses are how many entities a managed policy is attached to, and how many it bounds.
type uses struct{ attached, bounds int32 }

// usage counts the uses of all managed policies of an account, by their ARNs.
func usage(t *state.Tables, account string) map[string]uses {
	all := map[string]uses{}
	for e := range entities(t, account) {
		for _, policy := range e.Attached {
			u := all[policy]
			u.attached++
			all[policy] = u
		}
		if e.Boundary != "" {
			u := all[e.Boundary]
			u.bounds++
			all[e.Boundary] = u
		}
	}
	return all
}

// both tells two names that are the same without regard to case, which all of IAM's are.
func both(account, name, other string) bool { return iam.Key(account, name) == iam.Key(account, other) }
