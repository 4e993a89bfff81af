package iam

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"berth/internal/apierr"
	"berth/internal/ecs"
	"berth/internal/frontdoor"
	"berth/internal/iam"
	"berth/internal/seal"
	"berth/internal/state"

	awsiam "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
)

// serviceLinkedOperations are the operations on roles that belong to a service.
func (a *API) serviceLinkedOperations() []frontdoor.Operation {
	return []frontdoor.Operation{
		operation("CreateServiceLinkedRole", onServiceLinked, a.createServiceLinkedRole, "AWSServiceName"),
		operation("DeleteServiceLinkedRole", a.onRole, a.deleteServiceLinkedRole, "RoleName"),
		operation("GetServiceLinkedRoleDeletionStatus", onDeletion, a.getServiceLinkedRoleDeletionStatus, "DeletionTaskId"),
	}
}

// onServiceLinked is the role that a request makes for a service.
func onServiceLinked(r *frontdoor.Request, in any) []string {
	service := member(in, "AWSServiceName")
	linked, known := iam.ServiceLinkedFor(service)
	name := "*"
	if known {
		name = linked.RoleName(member(in, "CustomSuffix"))
	}
	return []string{iam.ARN(r.Scope.Account, "role", iam.ServiceLinkedPath+service+"/", name)}
}

// onDeletion is the role that a deletion is of.
func onDeletion(r *frontdoor.Request, in any) []string {
	task := strings.TrimPrefix(member(in, "DeletionTaskId"), "task")
	if i := strings.LastIndexByte(task, '/'); i > 0 {
		return []string{iam.ARN(r.Scope.Account, "role", task[:i], "")}
	}
	return nil
}

func (a *API) createServiceLinkedRole(
	ctx context.Context, r *frontdoor.Request, in *awsiam.CreateServiceLinkedRoleInput,
) (*awsiam.CreateServiceLinkedRoleOutput, error) {
	linked, known := iam.ServiceLinkedFor(*in.AWSServiceName)
	switch {
	case !known:
		return nil, invalid("Service %s has no service-linked role here. docs/coverage.md lists those that have.", *in.AWSServiceName)
	case in.CustomSuffix != nil && !linked.Suffix:
		return nil, invalid("Custom suffix is not allowed for %s", *in.AWSServiceName)
	case len(linked.RoleName(text(in.CustomSuffix))) > 64:
		return nil, apierr.New("ValidationError", "The name of the role, %s, is longer than 64 characters: CustomSuffix must be shorter.",
			linked.RoleName(*in.CustomSuffix))
	}
	role := linked.Role(r.Scope.Account, seal.NewID(rolePrefix), text(in.CustomSuffix), now())
	if in.Description != nil {
		role.Description = *in.Description
	}
	err := a.store.Update(ctx, func(tx *state.Tx) error {
		if tx.Roles.Get(role.Key()) != nil {
			return invalid("Service role name %s has been taken in this account, please try a different suffix.", role.Name)
		}
		if count(roles(tx.Tables, role.Account)) >= mostRoles {
			return quota("RolesPerAccount", mostRoles)
		}
		tx.Put(role)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("create the service-linked role of %s: %w", *in.AWSServiceName, err)
	}
	shape := newRoleShape(role)
	shape.Description = optional(role.Description)
	return &awsiam.CreateServiceLinkedRoleOutput{Role: shape}, nil
}

// deletionKept is how long it is known how a deletion ended.
const deletionKept = 24 * time.Hour

// deleteServiceLinkedRole deletes the role unless its service uses it. How it ended says GetServiceLinkedRoleDeletionStatus.
func (a *API) deleteServiceLinkedRole(
	ctx context.Context, r *frontdoor.Request, in *awsiam.DeleteServiceLinkedRoleInput,
) (*awsiam.DeleteServiceLinkedRoleOutput, error) {
	var d *iam.RoleDeletion
	err := a.store.Update(ctx, func(tx *state.Tx) error {
		role, err := findRole(tx.Tables, r.Scope.Account, *in.RoleName)
		if err != nil {
			return err
		}
		if !serviceLinked(role) {
			return invalid("The role %s is not a service-linked role.", role.Name)
		}
		d = &iam.RoleDeletion{Task: "task" + role.Path + role.Name + "/" + seal.NewUUID(), Account: role.Account, RoleName: role.Name, CreateDate: now()}
		if using := linkedResources(tx.Tables, role); len(using) > 0 {
			d.Reason = fmt.Sprintf("A service-linked role cannot be deleted while its service uses it. %s uses %s.", role.LinkedService(), role.Name)
			d.Region, d.Resources = r.Scope.Region, using
		} else {
			tx.Delete(role)
		}
		forgetDeletions(tx, role.Account)
		tx.Put(d)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("delete service-linked role %s: %w", *in.RoleName, err)
	}
	return &awsiam.DeleteServiceLinkedRoleOutput{DeletionTaskId: &d.Task}, nil
}

// mostShownResources is how many ARNs a deletion that failed shows.
const mostShownResources = 10

// linkedResources are ARNs of what a service does with its role: for ECS its clusters.
func linkedResources(t *state.Tables, role *iam.Role) (using []string) {
	if role.LinkedService() != "ecs.amazonaws.com" {
		return nil
	}
	for c := range t.Clusters.All() {
		if c.Status != ecs.Inactive && strings.Contains(string(c.ClusterArn), ":"+role.Account+":") && len(using) < mostShownResources {
			using = append(using, string(c.ClusterArn))
		}
	}
	return using
}

// forgetDeletions drops what nobody asks for any more, some at a time.
func forgetDeletions(tx *state.Tx, account string) {
	old := where(tx.RoleDeletions.Under(account+"/", ""), func(d *iam.RoleDeletion) bool { return now().Sub(d.CreateDate) > deletionKept })
	for i, d := range slices.Collect(old) {
		if i < 50 {
			tx.Delete(d)
		}
	}
}

func (a *API) getServiceLinkedRoleDeletionStatus(
	_ context.Context, r *frontdoor.Request, in *awsiam.GetServiceLinkedRoleDeletionStatusInput,
) (*awsiam.GetServiceLinkedRoleDeletionStatusOutput, error) {
	d := a.store.View().RoleDeletions.Get(r.Scope.Account + "/" + *in.DeletionTaskId)
	switch {
	case d == nil:
		return nil, noSuch("Deletion task %s cannot be found.", *in.DeletionTaskId)
	case d.Reason == "":
		return &awsiam.GetServiceLinkedRoleDeletionStatusOutput{Status: types.DeletionTaskStatusTypeSucceeded}, nil
	}
	return &awsiam.GetServiceLinkedRoleDeletionStatusOutput{Status: types.DeletionTaskStatusTypeFailed, Reason: &types.DeletionTaskFailureReasonType{
		Reason: &d.Reason, RoleUsageList: []types.RoleUsageType{{Region: &d.Region, Resources: d.Resources}},
	}}, nil
}
