package main

import (
	"context"
	"errors"
	"fmt"

	"berth/internal/apierr"
	"berth/internal/frontdoor"
	"berth/internal/state"
)

// growing are the operations that make more records.
var growing = map[string]bool{
	"CreateCluster": true, "RegisterTaskDefinition": true, "CreateService": true, "UpdateService": true, "CreateTaskSet": true, "UpdateTaskSet": true, "RunTask": true, "StartTask": true,
	"RegisterContainerInstance": true, "TagResource": true, "PutAttributes": true, "PutAccountSetting": true, "PutAccountSettingDefault": true, "CreateJoinToken": true,
	"CreateVpc": true, "CreateSubnet": true, "CreateSecurityGroup": true, "AuthorizeSecurityGroupIngress": true, "AuthorizeSecurityGroupEgress": true,
	"CreateNetworkInterface": true, "CreateRouteTable": true, "CreateRoute": true, "CreateInternetGateway": true, "CreateNatGateway": true, "AllocateAddress": true,
	"CreateUser": true, "CreateGroup": true, "CreateRole": true, "CreateServiceLinkedRole": true, "CreateInstanceProfile": true, "CreatePolicy": true,
	"CreatePolicyVersion": true, "CreateAccessKey": true, "CreateOpenIDConnectProvider": true, "PutUserPolicy": true, "PutGroupPolicy": true, "PutRolePolicy": true,
	"TagUser": true, "TagRole": true, "TagPolicy": true, "TagInstanceProfile": true, "TagOpenIDConnectProvider": true,
	"CreateSecret": true, "PutSecretValue": true, "UpdateSecret": true, "PutResourcePolicy": true,
	"PutParameter": true, "AddTagsToResource": true, "LabelParameterVersion": true, "CreateActivation": true, "CreateLogGroup": true, "TagLogGroup": true,
	"CreateRepository": true, "PutImage": true, "SetRepositoryPolicy": true, "PutLifecyclePolicy": true,
	"CreateTags": true, "AssociateVpcCidrBlock": true, "CreateDefaultVpc": true, "CreateDefaultSubnet": true, "CreateDhcpOptions": true,
}

// guarded refuses new work where there is no room for it, has another replica do what this one has not begun when its leadership ends, and
// says in words when it is not known whether something was done.
func (s *server) guarded(t frontdoor.Service) frontdoor.Service {
	for i := range t.Operations {
		o := &t.Operations[i]
		call, grows := o.Call, growing[o.Name]
		o.Call = func(ctx context.Context, r *frontdoor.Request, in any) (any, error) {
			if grows {
				if err := s.roomForMore(); err != nil {
					return nil, err
				}
			}
			ctx, trial := state.WithTrial(ctx)
			out, err := call(ctx, r, in)
			if errors.Is(err, state.ErrNotRun) && !trial.Ran() {
				return nil, leaderless().Because(fmt.Errorf("%w: %w", frontdoor.ErrElsewhere, err))
			}
			return out, unconfirmed(err)
		}
	}
	return t
}

// leaderless is what a caller is told of whose request nothing was done.
func leaderless() *apierr.Error {
	return apierr.Unavailable("The control plane has no leader right now. Try again.")
}

// unconfirmed is what a caller is told whose change was not confirmed before the leadership was lost. Every other error stays as it is.
func unconfirmed(err error) error {
	if !errors.Is(err, state.ErrNotLeader) || errors.As(err, new(*apierr.Error)) {
		return err
	}
	return apierr.Unavailable("The store did not confirm in time, or another replica leads now; whether the request was done is not known. Try again.").Because(err)
}
