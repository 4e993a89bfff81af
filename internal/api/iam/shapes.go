package iam

import (
	"berth/internal/iam"
	"berth/internal/state"

	"github.com/aws/aws-sdk-go-v2/service/iam/types"
)

// optional is a text that an answer leaves out where it is empty.
func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// tags are a record's tags in an answer, nil where there are none.
func tags(all []iam.Tag) []types.Tag {
	var out []types.Tag
	for _, t := range all {
		out = append(out, types.Tag{Key: new(t.Key), Value: new(t.Value)})
	}
	return out
}

func boundary(policy string) *types.AttachedPermissionsBoundary {
	if policy == "" {
		return nil
	}
	return &types.AttachedPermissionsBoundary{PermissionsBoundaryArn: &policy, PermissionsBoundaryType: types.PermissionsBoundaryAttachmentTypePolicy}
}

// newRoleShape is a role as CreateRole answers it, without its tags: lists leave them out.
func newRoleShape(r *iam.Role) *types.Role {
	return &types.Role{Arn: new(r.ARN()), RoleName: &r.Name, RoleId: &r.ID, Path: &r.Path, CreateDate: &r.CreateDate, AssumeRolePolicyDocument: encoded(r.Trust)}
}

// roleShape is a role in lists.
func roleShape(r *iam.Role) types.Role {
	s := newRoleShape(r)
	s.Description, s.MaxSessionDuration = optional(r.Description), &r.MaxSession
	return *s
}

// wholeRole is a role as GetRole answers it.
func wholeRole(r *iam.Role) *types.Role {
	s := roleShape(r)
	s.Tags, s.PermissionsBoundary, s.RoleLastUsed = tags(r.Tags), boundary(r.Boundary), lastUsed(r)
	return &s
}

// lastUsed is when a role was used, empty for never.
func lastUsed(r *iam.Role) *types.RoleLastUsed {
	if r.LastUsedDate.IsZero() {
		return &types.RoleLastUsed{}
	}
	return &types.RoleLastUsed{LastUsedDate: &r.LastUsedDate, Region: optional(r.LastUsedRegion)}
}

// userShape is a user in lists, and wholeUser as GetUser answers it.
func userShape(u *iam.User) types.User {
	return types.User{Arn: new(u.ARN()), UserName: &u.Name, UserId: &u.ID, Path: &u.Path, CreateDate: &u.CreateDate}
}

func wholeUser(u *iam.User) *types.User {
	s := userShape(u)
	s.Tags, s.PermissionsBoundary = tags(u.Tags), boundary(u.Boundary)
	return &s
}

func groupShape(g *iam.Group) types.Group {
	return types.Group{Arn: new(g.ARN()), GroupName: &g.Name, GroupId: &g.ID, Path: &g.Path, CreateDate: &g.CreateDate}
}

// profileShape is an instance profile with its role. Lists leave out its tags.
func profileShape(t *state.Tables, p *iam.InstanceProfile) types.InstanceProfile {
	s := types.InstanceProfile{
		Arn: new(p.ARN()), InstanceProfileName: &p.Name, InstanceProfileId: &p.ID, Path: &p.Path, CreateDate: &p.CreateDate, Roles: []types.Role{},
	}
	if r := t.Roles.Get(iam.Key(p.Account, p.Role)); p.Role != "" && r != nil {
		s.Roles = append(s.Roles, *newRoleShape(r))
	}
	return s
}

// policyShape is a managed policy. Lists leave out its description and tags.
func policyShape(p *iam.Policy, u uses) types.Policy {
	return types.Policy{
		Arn: &p.Arn, PolicyName: &p.Name, PolicyId: &p.ID, Path: &p.Path, DefaultVersionId: &p.Default, CreateDate: &p.CreateDate, UpdateDate: &p.UpdateDate,
		AttachmentCount: &u.attached, PermissionsBoundaryUsageCount: &u.bounds, IsAttachable: true,
	}
}

// versionShape is a version of a managed policy, with its document where a request asks for one version.
func versionShape(p *iam.Policy, v *iam.Version, document bool) types.PolicyVersion {
	s := types.PolicyVersion{VersionId: &v.ID, IsDefaultVersion: v.ID == p.Default, CreateDate: &v.CreateDate}
	if document {
		s.Document = encoded(v.Document)
	}
	return s
}

// attachedShape is a managed policy that is attached to something.
func attachedShape(policy string) types.AttachedPolicy {
	name := policy
	for i := len(policy) - 1; i >= 0; i-- {
		if policy[i] == '/' {
			name = policy[i+1:]
			break
		}
	}
	return types.AttachedPolicy{PolicyArn: &policy, PolicyName: &name}
}
