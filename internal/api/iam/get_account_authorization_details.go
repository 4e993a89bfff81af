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

// detail is one item of an account's details: what it is, its key, and how it puts itself into an answer.
type detail struct {
	kind types.EntityType
	key  string
	show func(out *awsiam.GetAccountAuthorizationDetailsOutput)
}

// getAccountAuthorizationDetails shows all that decides who may do what in an account: its users, groups, roles and managed policies, and those of AWS's that
// it uses.
func (a *API) getAccountAuthorizationDetails(
	_ context.Context, r *frontdoor.Request, in *awsiam.GetAccountAuthorizationDetailsInput,
) (*awsiam.GetAccountAuthorizationDetailsOutput, error) {
	p, err := newPager(in.MaxItems, in.Marker)
	if err != nil {
		return nil, err
	}
	wanted := func(d detail) bool { return len(in.Filter) == 0 || slices.Contains(in.Filter, d.kind) }
	list, marker := page(p, where(a.details(a.store.View().Tables, r.Scope.Account), wanted), func(d detail) string { return d.key })
	out := &awsiam.GetAccountAuthorizationDetailsOutput{
		UserDetailList: []types.UserDetail{}, GroupDetailList: []types.GroupDetail{}, RoleDetailList: []types.RoleDetail{}, Policies: []types.ManagedPolicyDetail{},
		Marker: marker, IsTruncated: marker != nil,
	}
	for _, d := range list {
		d.show(out)
	}
	return out, nil
}

// details are an account's, in the order of their keys.
func (a *API) details(t *state.Tables, account string) iter.Seq[detail] {
	return func(yield func(detail) bool) {
		for u := range users(t, account) {
			if !yield(detail{types.EntityTypeUser, "1/" + u.Key(), func(out *awsiam.GetAccountAuthorizationDetailsOutput) {
				out.UserDetailList = append(out.UserDetailList, userDetail(u))
			}}) {
				return
			}
		}
		for g := range groups(t, account) {
			if !yield(detail{types.EntityTypeGroup, "2/" + g.Key(), func(out *awsiam.GetAccountAuthorizationDetailsOutput) {
				out.GroupDetailList = append(out.GroupDetailList, groupDetail(g))
			}}) {
				return
			}
		}
		for r := range roles(t, account) {
			if !yield(detail{types.EntityTypeRole, "3/" + r.Key(), func(out *awsiam.GetAccountAuthorizationDetailsOutput) {
				out.RoleDetailList = append(out.RoleDetailList, roleDetail(t, r))
			}}) {
				return
			}
		}
		a.policyDetails(t, account)(yield)
	}
}

// policyDetails are an account's managed policies and those of AWS's that it uses.
func (a *API) policyDetails(t *state.Tables, account string) iter.Seq[detail] {
	used := usage(t, account)
	return func(yield func(detail) bool) {
		for p := range a.inScope(t, account, types.PolicyScopeTypeAll) {
			kind := types.EntityTypeLocalManagedPolicy
			if a.managed.Find(p.Arn) != nil {
				kind = types.EntityTypeAWSManagedPolicy
			}
			u, uses := used[p.Arn]
			if kind == types.EntityTypeAWSManagedPolicy && !uses {
				continue
			}
			if !yield(detail{kind, "4/" + p.Arn, func(out *awsiam.GetAccountAuthorizationDetailsOutput) {
				out.Policies = append(out.Policies, policyDetail(p, u))
			}}) {
				return
			}
		}
	}
}

func userDetail(u *iam.User) types.UserDetail {
	return types.UserDetail{
		Arn: new(u.ARN()), UserName: &u.Name, UserId: &u.ID, Path: &u.Path, CreateDate: &u.CreateDate, GroupList: append([]string{}, u.Groups...),
		AttachedManagedPolicies: mapped(u.Attached, attachedShape), UserPolicyList: mapped(u.Inline, inlineShape),
		PermissionsBoundary: boundary(u.Boundary), Tags: tags(u.Tags),
	}
}

func groupDetail(g *iam.Group) types.GroupDetail {
	return types.GroupDetail{
		Arn: new(g.ARN()), GroupName: &g.Name, GroupId: &g.ID, Path: &g.Path, CreateDate: &g.CreateDate,
		AttachedManagedPolicies: mapped(g.Attached, attachedShape), GroupPolicyList: mapped(g.Inline, inlineShape),
	}
}

func roleDetail(t *state.Tables, r *iam.Role) types.RoleDetail {
	d := types.RoleDetail{
		Arn: new(r.ARN()), RoleName: &r.Name, RoleId: &r.ID, Path: &r.Path, CreateDate: &r.CreateDate, AssumeRolePolicyDocument: encoded(r.Trust),
		AttachedManagedPolicies: mapped(r.Attached, attachedShape), RolePolicyList: mapped(r.Inline, inlineShape), InstanceProfileList: []types.InstanceProfile{},
		PermissionsBoundary: boundary(r.Boundary), Tags: tags(r.Tags), RoleLastUsed: lastUsed(r),
	}
	for p := range profiles(t, r.Account) {
		if strings.EqualFold(p.Role, r.Name) {
			d.InstanceProfileList = append(d.InstanceProfileList, profileShape(t, p))
		}
	}
	return d
}

func policyDetail(p *iam.Policy, u uses) types.ManagedPolicyDetail {
	d := types.ManagedPolicyDetail{
		Arn: &p.Arn, PolicyName: &p.Name, PolicyId: &p.ID, Path: &p.Path, DefaultVersionId: &p.Default, CreateDate: &p.CreateDate, UpdateDate: &p.UpdateDate,
		AttachmentCount: &u.attached, PermissionsBoundaryUsageCount: &u.bounds, IsAttachable: true, Description: optional(p.Description),
	}
	for i := range p.Versions {
		d.PolicyVersionList = append(d.PolicyVersionList, versionShape(p, &p.Versions[i], true))
	}
	return d
}

func inlineShape(p iam.Inline) types.PolicyDetail {
	return types.PolicyDetail{PolicyName: &p.Name, PolicyDocument: encoded(p.Document)}
}
