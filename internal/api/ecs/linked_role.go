package ecs

import (
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/access"
	"berth/internal/apierr"
	"berth/internal/arn"
	"berth/internal/ecs"
	"berth/internal/frontdoor"
	"berth/internal/policy"
	"berth/internal/state"
)

// mayAttach checks that ECS may make the network interfaces of a definition's tasks; d may be nil.
func (a *API) mayAttach(t *state.Tables, c arn.Cluster, d *ecs.TaskDefinition) error {
	if a.config.MayAttach == nil || d == nil || d.Definition.NetworkMode != types.NetworkModeAwsvpc {
		return nil
	}
	if err := a.config.MayAttach(t, arn.ScopeOf(c).Account); err != nil {
		return apierr.InvalidParameter("%s", err.Error())
	}
	return nil
}

// ensureLinkedRole makes ECS's service-linked role for the first cluster of an account, in the name of who makes the cluster and with their rights, as ECS does.
func (a *API) ensureLinkedRole(tx *state.Tx, r *frontdoor.Request) error {
	account := r.Scope.Account
	if a.config.MayAttach == nil || access.LinkedRole(tx.Tables, account) != nil {
		return nil
	}
	role := access.NewLinkedRole(account)
	e := r.Authorize(frontdoor.Question{
		Action: "iam:CreateServiceLinkedRole", Resource: role.ARN(), Keys: policy.Keys{{Name: "iam:awsservicename", Values: []string{role.LinkedService()}}},
	})
	if e != nil {
		return apierr.InvalidParameter("%s", (&access.ErrLinked{Role: role.ARN()}).Error()).Because(e)
	}
	tx.Put(role)
	return nil
}
