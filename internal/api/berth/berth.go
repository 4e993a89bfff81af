// Package berth serves Berth's own operations, which AWS has not: why something is in the state it is in, tokens for machines
// to join, the replicas of the control plane, and Fargate's pool.
// They go through the same front door, signed and authorized like any other.
package berth

import (
	"context"
	"time"

	"berth/internal/access"
	"berth/internal/apierr"
	"berth/internal/arn"
	"berth/internal/awswire"
	"berth/internal/ecs"
	"berth/internal/frontdoor"
	"berth/internal/iam"
	"berth/internal/state"
)

// API are the operations over one store.
type API struct {
	State    *state.Store
	Keys     *access.Keys
	Replicas Replicas
	Quotas   ecs.Quotas
}

// Target is the prefix of X-Amz-Target.
const Target = "Berth_20261124"

// Service is the table that the front door dispatches by.
func (a *API) Service() frontdoor.Service {
	names := []string{"AuthorizeEnvironmentFile", "CreateJoinToken", "CreateMemberToken", "DescribePool", "ExplainInstance", "ExplainService", "ExplainTask", "GetInstanceRole", "InterruptSpotTasks",
		"ListMembers", "ListQuotas", "RemoveMember"}
	read := func(o frontdoor.Operation) frontdoor.Operation { o.ReadOnly = true; return o }
	open := func(o frontdoor.Operation) frontdoor.Operation { o.Open = true; return read(o) } // it asks itself who may
	return frontdoor.Service{
		Name: "berth", Protocol: frontdoor.AWSJSON11, Names: awswire.LowerCamel, Target: Target, Known: names,
		Operations: []frontdoor.Operation{
			open(frontdoor.Op("AuthorizeEnvironmentFile", a.authorizeEnvironmentFile)),
			frontdoor.Op("CreateJoinToken", a.createJoinToken),
			frontdoor.Op("CreateMemberToken", a.createMemberToken),
			frontdoor.Op("DescribePool", a.describePool),
			read(frontdoor.Op("ExplainInstance", a.explainInstance)),
			read(frontdoor.Op("ExplainService", a.explainService)),
			read(frontdoor.Op("ExplainTask", a.explainTask)),
			open(frontdoor.Op("GetInstanceRole", a.getInstanceRole)),
			frontdoor.Op("InterruptSpotTasks", a.interruptSpotTasks),
			frontdoor.Op("ListMembers", a.listMembers),
			frontdoor.Op("ListQuotas", a.listQuotas).OnLeader(), // whose quotas hold
			frontdoor.Op("RemoveMember", a.removeMember),
		},
	}
}

// CreateJoinTokenInput names the cluster that a machine may join, "default" where it is absent, and the instance profile whose role its instance has,
// ecsInstanceRole where it is absent.
type CreateJoinTokenInput struct{ Cluster, InstanceProfile *string }

// CreateJoinTokenOutput is a token for one machine.
type CreateJoinTokenOutput struct {
	Token     string
	Cluster   string
	ExpiresAt time.Time
}

func (a *API) createJoinToken(ctx context.Context, r *frontdoor.Request, in *CreateJoinTokenInput) (*CreateJoinTokenOutput, error) {
	c, err := a.cluster(r, in.Cluster)
	if err != nil {
		return nil, err
	}
	profile := access.InstanceRole
	if in.InstanceProfile != nil {
		profile = *in.InstanceProfile
	}
	if profile != "" && a.State.View().InstanceProfiles.Get(iam.Key(r.Scope.Account, profile)) == nil {
		return nil, apierr.InvalidParameter("instanceProfile: there is no instance profile %s in the account", profile)
	}
	token, expires, err := a.Keys.NewJoinToken(ctx, c.ClusterArn, profile)
	if err != nil {
		return nil, err
	}
	return &CreateJoinTokenOutput{Token: token, Cluster: string(c.ClusterArn), ExpiresAt: expires}, nil
}

// cluster finds an ACTIVE cluster by name or ARN.
func (a *API) cluster(r *frontdoor.Request, name *string) (*ecs.Cluster, error) {
	key := r.Scope.Cluster("default")
	if name != nil && arn.Is(*name) {
		key = arn.Cluster(*name)
	} else if name != nil && *name != "" {
		key = r.Scope.Cluster(*name)
	}
	c := a.State.View().Clusters.Get(key)
	if c == nil {
		return nil, apierr.ClusterNotFound()
	}
	if c.Status != ecs.Active {
		return nil, apierr.ClusterInactive()
	}
	return c, nil
}
