package iam

import (
	"context"
	"iter"
	"slices"
	"strings"

	"berth/internal/frontdoor"
	"berth/internal/iam"
	"berth/internal/state"

	awsiam "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
)

// using is an entity that uses a policy.
type using struct {
	kind types.EntityType
	*iam.Entity
}

// key orders groups before roles before users.
func (u using) key() string { return string(u.kind) + "/" + strings.ToLower(u.Name) }

func (a *API) listEntitiesForPolicy(
	_ context.Context, r *frontdoor.Request, in *awsiam.ListEntitiesForPolicyInput,
) (*awsiam.ListEntitiesForPolicyOutput, error) {
	p, err := newPager(in.MaxItems, in.Marker)
	if err != nil {
		return nil, err
	}
	t := a.store.View().Tables
	policy, err := a.findPolicy(t, r.Scope.Account, *in.PolicyArn)
	if err != nil {
		return nil, err
	}
	list, marker := page(p, where(kinds(t, r.Scope.Account), func(u using) bool {
		return (in.EntityFilter == "" || in.EntityFilter == u.kind) && strings.HasPrefix(u.Path, text(in.PathPrefix)) && u.has(policy.Arn, in.PolicyUsageFilter)
	}), using.key)
	out := &awsiam.ListEntitiesForPolicyOutput{
		PolicyGroups: []types.PolicyGroup{}, PolicyRoles: []types.PolicyRole{}, PolicyUsers: []types.PolicyUser{}, Marker: marker, IsTruncated: marker != nil,
	}
	for _, u := range list {
		switch u.kind {
		case types.EntityTypeGroup:
			out.PolicyGroups = append(out.PolicyGroups, types.PolicyGroup{GroupName: &u.Name, GroupId: &u.ID})
		case types.EntityTypeRole:
			out.PolicyRoles = append(out.PolicyRoles, types.PolicyRole{RoleName: &u.Name, RoleId: &u.ID})
		default:
			out.PolicyUsers = append(out.PolicyUsers, types.PolicyUser{UserName: &u.Name, UserId: &u.ID})
		}
	}
	return out, nil
}

// has says whether an entity uses a policy in that way.
func (u using) has(policy string, as types.PolicyUsageType) bool {
	attached, bounded := slices.Contains(u.Attached, policy), u.Boundary == policy
	switch as {
	case types.PolicyUsageTypePermissionsPolicy:
		return attached
	case types.PolicyUsageTypePermissionsBoundary:
		return bounded
	}
	return attached || bounded
}

// kinds are the groups, roles and users of an account, in the order of their keys.
func kinds(t *state.Tables, account string) iter.Seq[using] {
	return func(yield func(using) bool) {
		for g := range groups(t, account) {
			if !yield(using{types.EntityTypeGroup, &g.Entity}) {
				return
			}
		}
		for r := range roles(t, account) {
			if !yield(using{types.EntityTypeRole, &r.Entity}) {
				return
			}
		}
		for u := range users(t, account) {
			if !yield(using{types.EntityTypeUser, &u.Entity}) {
				return
			}
		}
	}
}
