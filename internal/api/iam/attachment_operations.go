package iam

import (
	"context"
	"slices"
	"strings"

	"berth/internal/apierr"
	"berth/internal/frontdoor"
	"berth/internal/iam"
	"berth/internal/iam/managed"
	"berth/internal/state"

	"github.com/aws/aws-sdk-go-v2/service/iam/types"
)

// mostAttached is how many managed policies may be attached to one entity.
const mostAttached = 10

// attachmentOperations are the operations that attach managed policies.
func (a *API) attachmentOperations() []frontdoor.Operation {
	return []frontdoor.Operation{
		operation("AttachUserPolicy", a.onUser, a.attachUserPolicy, "UserName", "PolicyArn"),
		operation("AttachGroupPolicy", a.onGroup, a.attachGroupPolicy, "GroupName", "PolicyArn"),
		operation("AttachRolePolicy", a.onRole, a.attachRolePolicy, "RoleName", "PolicyArn"),
		operation("DetachUserPolicy", a.onUser, a.detachUserPolicy, "UserName", "PolicyArn"),
		operation("DetachGroupPolicy", a.onGroup, a.detachGroupPolicy, "GroupName", "PolicyArn"),
		operation("DetachRolePolicy", a.onRole, a.detachRolePolicy, "RoleName", "PolicyArn"),
		operation("ListAttachedUserPolicies", a.onUser, a.listAttachedUserPolicies, "UserName"),
		operation("ListAttachedGroupPolicies", a.onGroup, a.listAttachedGroupPolicies, "GroupName"),
		operation("ListAttachedRolePolicies", a.onRole, a.listAttachedRolePolicies, "RoleName"),
	}
}

// attach attaches a managed policy; one that is attached already stays so.
func (a *API) attach(ctx context.Context, k kind, account, name, policy string) error {
	if err := policyARN(policy); err != nil {
		return err
	}
	return a.change(ctx, k, account, name, func(tx *state.Tx, e *iam.Entity) error {
		p, err := a.findAttachable(tx.Tables, account, policy)
		switch {
		case err != nil:
			return err
		case managed.ServiceLinked(p):
			return apierr.New("PolicyNotAttachable", "Cannot attach a Service Role Policy to a Customer Role.")
		case slices.Contains(e.Attached, policy):
			return nil
		case len(e.Attached) >= mostAttached:
			return quota("PoliciesPer"+k.titled(), mostAttached)
		}
		e.Attached = append(slices.Clone(e.Attached), policy)
		return nil
	})
}

// detach takes a managed policy away.
func (a *API) detach(ctx context.Context, k kind, account, name, policy string) error {
	if err := policyARN(policy); err != nil {
		return err
	}
	return a.change(ctx, k, account, name, func(_ *state.Tx, e *iam.Entity) error {
		i := slices.Index(e.Attached, policy)
		if i < 0 {
			return noSuch("Policy %s was not found.", policy)
		}
		e.Attached = slices.Delete(slices.Clone(e.Attached), i, i+1)
		return nil
	})
}

// attached lists what is attached to an entity, of policies under a path, in the order of their ARNs.
func (a *API) attached(k kind, account, name string, under, marker *string, maxItems *int32) (list []types.AttachedPolicy, next *string, err error) {
	p, err := newPager(maxItems, marker)
	if err != nil {
		return nil, nil, err
	}
	t := a.store.View().Tables
	e, err := k.view(t, account, name)
	if err != nil {
		return nil, nil, err
	}
	inPath := func(policy string) bool {
		found := a.lookup(t, account, policy)
		return found == nil && under == nil || found != nil && strings.HasPrefix(found.Path, text(under))
	}
	names, next := page(p, where(slices.Values(slices.Sorted(slices.Values(e.Attached))), inPath), self)
	return mapped(names, attachedShape), next, nil
}
