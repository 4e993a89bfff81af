package iam

import (
	"context"
	"fmt"
	"slices"

	"berth/internal/frontdoor"
	"berth/internal/iam"
	"berth/internal/record"
	"berth/internal/state"

	"github.com/aws/aws-sdk-go-v2/service/iam/types"
)

// tagOperations are the operations on tags.
func (a *API) tagOperations() []frontdoor.Operation {
	return []frontdoor.Operation{
		operation("TagUser", a.onUser, a.tagUser, "UserName", "Tags"),
		operation("TagRole", a.onRole, a.tagRole, "RoleName", "Tags"),
		operation("TagPolicy", onPolicy, a.tagPolicy, "PolicyArn", "Tags"),
		operation("TagInstanceProfile", a.onProfile, a.tagInstanceProfile, "InstanceProfileName", "Tags"),
		operation("TagOpenIDConnectProvider", onProvider, a.tagOpenIDConnectProvider, "OpenIDConnectProviderArn", "Tags"),
		operation("UntagUser", a.onUser, a.untagUser, "UserName", "TagKeys"),
		operation("UntagRole", a.onRole, a.untagRole, "RoleName", "TagKeys"),
		operation("UntagPolicy", onPolicy, a.untagPolicy, "PolicyArn", "TagKeys"),
		operation("UntagInstanceProfile", a.onProfile, a.untagInstanceProfile, "InstanceProfileName", "TagKeys"),
		operation("UntagOpenIDConnectProvider", onProvider, a.untagOpenIDConnectProvider, "OpenIDConnectProviderArn", "TagKeys"),
		operation("ListUserTags", a.onUser, a.listUserTags, "UserName"),
		operation("ListRoleTags", a.onRole, a.listRoleTags, "RoleName"),
		operation("ListPolicyTags", onPolicy, a.listPolicyTags, "PolicyArn"),
		operation("ListInstanceProfileTags", a.onProfile, a.listInstanceProfileTags, "InstanceProfileName"),
		operation("ListOpenIDConnectProviderTags", onProvider, a.listOpenIDConnectProviderTags, "OpenIDConnectProviderArn"),
	}
}

// tagged is a copy of a record, and where its tags are.
type tagged struct {
	record record.Record
	tags   *[]iam.Tag
}

// finder finds a resource that has tags.
type finder func(t *state.Tables, account string) (tagged, error)

func taggedUser(name *string) finder {
	return func(t *state.Tables, account string) (tagged, error) {
		u, err := findUser(t, account, *name)
		if err != nil {
			return tagged{}, err
		}
		c := *u
		return tagged{&c, &c.Tags}, nil
	}
}

// taggedRole finds service-linked roles as well: their tags are the account's.
func taggedRole(name *string) finder {
	return func(t *state.Tables, account string) (tagged, error) {
		r, err := findRole(t, account, *name)
		if err != nil {
			return tagged{}, err
		}
		c := *r
		return tagged{&c, &c.Tags}, nil
	}
}

func (a *API) taggedPolicy(arn *string) finder {
	return func(t *state.Tables, account string) (tagged, error) {
		p, err := a.findOwnPolicy(t, account, *arn)
		if err != nil {
			return tagged{}, err
		}
		c := *p
		return tagged{&c, &c.Tags}, nil
	}
}

// shownPolicy finds a policy whose tags are only shown: AWS's have none.
func (a *API) shownPolicy(arn *string) finder {
	return func(t *state.Tables, account string) (tagged, error) {
		p, err := a.findPolicy(t, account, *arn)
		if err != nil {
			return tagged{}, err
		}
		return tagged{p, &p.Tags}, nil
	}
}

func taggedProfile(name *string) finder {
	return func(t *state.Tables, account string) (tagged, error) {
		p, err := findProfile(t, account, *name)
		if err != nil {
			return tagged{}, err
		}
		c := *p
		return tagged{&c, &c.Tags}, nil
	}
}

func taggedProvider(arn *string) finder {
	return func(t *state.Tables, account string) (tagged, error) {
		p, err := findProvider(t, account, *arn)
		if err != nil {
			return tagged{}, err
		}
		c := *p
		return tagged{&c, &c.Tags}, nil
	}
}

// retag stores what change makes of a resource's tags.
func (a *API) retag(ctx context.Context, r *frontdoor.Request, find finder, change func(old []iam.Tag) ([]iam.Tag, error)) error {
	err := a.store.Update(ctx, func(tx *state.Tx) error {
		x, err := find(tx.Tables, r.Scope.Account)
		if err != nil {
			return err
		}
		if *x.tags, err = change(*x.tags); err != nil {
			return err
		}
		tx.Put(x.record)
		return nil
	})
	if err != nil {
		return fmt.Errorf("change tags: %w", err)
	}
	return nil
}

func (a *API) tag(ctx context.Context, r *frontdoor.Request, find finder, more []types.Tag) error {
	return a.retag(ctx, r, find, func(old []iam.Tag) ([]iam.Tag, error) { return merged(old, more) })
}

func (a *API) untag(ctx context.Context, r *frontdoor.Request, find finder, keys []string) error {
	return a.retag(ctx, r, find, func(old []iam.Tag) ([]iam.Tag, error) { return without(old, keys), nil })
}

// listTags is a page of a resource's tags.
func (a *API) listTags(r *frontdoor.Request, find finder, marker *string, maxItems *int32) (list []types.Tag, next *string, err error) {
	p, err := newPager(maxItems, marker)
	if err != nil {
		return nil, nil, err
	}
	x, err := find(a.store.View().Tables, r.Scope.Account)
	if err != nil {
		return nil, nil, err
	}
	list, next = page(p, slices.Values(tags(*x.tags)), func(t types.Tag) string { return *t.Key })
	return list, next, nil
}
