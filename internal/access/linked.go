package access

import (
	"context"
	"fmt"
	"time"

	"berth/internal/arn"
	"berth/internal/ecs"
	"berth/internal/iam"
	"berth/internal/policy"
	"berth/internal/seal"
	"berth/internal/state"
)

// ECS is who acts on users' behalf with its service-linked role, in sessions of a name of their own where it makes and removes network interfaces.
const (
	ECS          = "ecs.amazonaws.com"
	Provisioning = "ecs-eni-provisioning"
)

// interfaceCalls are what ECS does with that role for a task with a network interface.
var interfaceCalls = [...]string{"ec2:DescribeSubnets", "ec2:CreateNetworkInterface", "ec2:AttachNetworkInterface"}

// ErrLinked says that ECS cannot act with its service-linked role in an account, in AWS's words.
type ErrLinked struct {
	Role   string // ARN
	Denied string // the action that its policies do not allow; "" where ECS cannot assume it at all
}

func (e *ErrLinked) Error() string {
	if e.Denied == "" {
		return "Unable to assume the service linked role. Please verify that the ECS service linked role exists."
	}
	return fmt.Sprintf("Unexpected EC2 error while attempting to Create Network Interface: UnauthorizedOperation. %s is not authorized to perform: %s", e.Role, e.Denied)
}

// linkedShape is what ECS's service-linked role is like.
func linkedShape() iam.ServiceLinked {
	s, _ := iam.ServiceLinkedFor(ECS) // it has one
	return s
}

// LinkedRole is ECS's service-linked role in an account, nil where there is none.
func LinkedRole(t *state.Tables, account string) *iam.Role {
	r := t.Roles.Get(iam.Key(account, linkedShape().Name))
	if r == nil || r.LinkedService() != ECS {
		return nil
	}
	return r
}

// NewLinkedRole is a new one.
func NewLinkedRole(account string) *iam.Role {
	return linkedShape().Role(account, seal.NewID("AROA"), "", now().Truncate(time.Second))
}

// MayAttach says whether ECS may make network interfaces for tasks in an account: its service-linked role is there and allows it. Its error is an ErrLinked. The
// answer is kept until an IAM record changes.
func (k *Keys) MayAttach(t *state.Tables, account string) error {
	b := k.book(t)
	if known, ok := b.linked.Load(account); ok {
		return known.(linked).error
	}
	err := k.mayAttach(t, account)
	b.linked.Store(account, linked{err})
	return err
}

// linked is an answer of MayAttach.
type linked struct{ error }

func (k *Keys) mayAttach(t *state.Tables, account string) error {
	p := k.Linked(t, account)
	if p == nil {
		return &ErrLinked{Role: NewLinkedRole(account).ARN()}
	}
	for _, action := range interfaceCalls {
		if policy.Decide(policy.Request{Principal: p, Action: action, Resource: "*"}).Decision != policy.Allowed {
			return &ErrLinked{Role: p.Role, Denied: action}
		}
	}
	return nil
}

// Linked is ECS with its service-linked role in an account, as it makes and removes network interfaces; nil where it cannot assume the role.
func (k *Keys) Linked(t *state.Tables, account string) *policy.Principal {
	r := LinkedRole(t, account)
	if r == nil || !k.Trusts(t, r, ECS, arn.Scope{Account: account}) {
		return nil
	}
	p := k.rolePrincipal(t, r, Provisioning)
	return &p
}

// EnsureLinkedRoles makes ECS's service-linked role in an account, and in every other one that has clusters: of an installation that is older than the role.
func (k *Keys) EnsureLinkedRoles(ctx context.Context, account string) error {
	return k.State.Update(ctx, func(tx *state.Tx) error {
		missing := map[string]bool{account: true}
		for c := range tx.Clusters.All() {
			if c.Status != ecs.Inactive {
				missing[arn.ScopeOf(c.ClusterArn).Account] = true
			}
		}
		delete(missing, arn.PoolAccount)
		for one := range missing {
			if r := NewLinkedRole(one); tx.Roles.Get(r.Key()) == nil {
				tx.Put(r)
			}
		}
		return nil
	})
}
