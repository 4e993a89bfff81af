package iam

import (
	"context"
	"fmt"

	"berth/internal/frontdoor"
	"berth/internal/iam"
	"berth/internal/policy"
	"berth/internal/seal"
	"berth/internal/state"

	awsiam "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
)

// shortestSession is how long a role's sessions last at most where nobody says more, in seconds.
const shortestSession = 3600

func (a *API) createRole(ctx context.Context, r *frontdoor.Request, in *awsiam.CreateRoleInput) (*awsiam.CreateRoleOutput, error) {
	role, trust, err := newRole(r.Scope.Account, in)
	if err != nil {
		return nil, err
	}
	err = a.store.Update(ctx, func(tx *state.Tx) error {
		if tx.Roles.Get(role.Key()) != nil {
			return exists("Role with name %s already exists.", role.Name)
		}
		if err := a.checkBoundary(tx.Tables, role.Account, role.Boundary); err != nil {
			return err
		}
		if err := checkPrincipals(tx.Tables, trust); err != nil {
			return err
		}
		if count(roles(tx.Tables, role.Account)) >= mostRoles {
			return quota("RolesPerAccount", mostRoles)
		}
		tx.Put(role)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("create role %s: %w", role.Name, err)
	}
	shape := newRoleShape(role)
	shape.Tags, shape.PermissionsBoundary = tags(role.Tags), boundary(role.Boundary)
	if in.Description != nil {
		shape.Description = optional(role.Description)
	}
	if in.MaxSessionDuration != nil {
		shape.MaxSessionDuration = &role.MaxSession
	}
	return &awsiam.CreateRoleOutput{Role: shape}, nil
}

func newRole(account string, in *awsiam.CreateRoleInput) (*iam.Role, *policy.Document, error) {
	trust, err := trustPolicy(*in.AssumeRolePolicyDocument)
	if err != nil {
		return nil, nil, err
	}
	e, err := newEntity(rolePrefix, account, *in.RoleName, in.Path, in.Tags)
	if err != nil {
		return nil, nil, err
	}
	if in.PermissionsBoundary != nil {
		e.Boundary = *in.PermissionsBoundary
	}
	role := &iam.Role{Entity: e, Trust: *in.AssumeRolePolicyDocument, Description: text(in.Description), MaxSession: shortestSession}
	if in.MaxSessionDuration != nil {
		role.MaxSession = *in.MaxSessionDuration
	}
	if serviceLinked(role) {
		return nil, nil, invalid("Path %s is not valid: only service-linked roles are there. Use CreateServiceLinkedRole.", role.Path)
	}
	return role, trust, nil
}

// newEntity is a user, group or role that a request makes.
func newEntity(prefix, account, name string, path *string, more []types.Tag) (iam.Entity, error) {
	all, err := merged(nil, more)
	e := iam.Entity{Account: account, Name: name, ID: seal.NewID(prefix), Path: "/", CreateDate: now(), Tags: all}
	if path != nil {
		e.Path = *path
	}
	return e, err
}
