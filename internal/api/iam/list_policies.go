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

func (a *API) listPolicies(_ context.Context, r *frontdoor.Request, in *awsiam.ListPoliciesInput) (*awsiam.ListPoliciesOutput, error) {
	p, err := newPager(in.MaxItems, in.Marker)
	if err != nil {
		return nil, err
	}
	t := a.store.View().Tables
	used := usage(t, r.Scope.Account)
	list, marker := page(p, where(a.inScope(t, r.Scope.Account, in.Scope), func(p *iam.Policy) bool {
		u := used[p.Arn]
		return strings.HasPrefix(p.Path, text(in.PathPrefix)) && (!in.OnlyAttached || u.attached > 0) && u.fits(in.PolicyUsageFilter)
	}), (*iam.Policy).Key)
	shape := func(p *iam.Policy) types.Policy { return policyShape(p, used[p.Arn]) }
	return &awsiam.ListPoliciesOutput{Policies: mapped(list, shape), Marker: marker, IsTruncated: marker != nil}, nil
}

// inScope are the policies of a scope in the order of their ARNs: the account's come before AWS's.
func (a *API) inScope(t *state.Tables, account string, scope types.PolicyScopeType) iter.Seq[*iam.Policy] {
	return func(yield func(*iam.Policy) bool) {
		if scope != types.PolicyScopeTypeAws {
			for p := range policies(t, account) {
				if !yield(p) {
					return
				}
			}
		}
		if scope != types.PolicyScopeTypeLocal {
			slices.Values(a.managed.All())(yield)
		}
	}
}

// fits says whether a policy is used in that way; any will do where none is asked for.
func (u uses) fits(as types.PolicyUsageType) bool {
	switch as {
	case types.PolicyUsageTypePermissionsPolicy:
		return u.attached > 0
	case types.PolicyUsageTypePermissionsBoundary:
		return u.bounds > 0
	}
	return true
}
