package ec2

import (
	"context"

	"berth/internal/frontdoor"
)

type describeSecurityGroupReferencesInput struct {
	DryRun  *bool
	GroupId []string
}

type describeSecurityGroupReferencesOutput struct {
	SecurityGroupReferenceSet []string
}

// describeSecurityGroupReferences tells which VPCs on the other side of a peering name groups: none, as there is no peering.
func (a *API) describeSecurityGroupReferences(_ context.Context, r *frontdoor.Request, in *describeSecurityGroupReferencesInput) (*describeSecurityGroupReferencesOutput, error) {
	if len(in.GroupId) == 0 {
		return nil, missing("GroupId")
	}
	t := a.store.View().Tables
	for _, id := range in.GroupId {
		if _, err := findGroup(t, r.Scope, id); err != nil {
			return nil, err
		}
	}
	return &describeSecurityGroupReferencesOutput{SecurityGroupReferenceSet: []string{}}, nil
}

type describeStaleSecurityGroupsInput struct {
	DryRun     *bool
	MaxResults *int32
	NextToken  *string
	VpcId      *string
}

type describeStaleSecurityGroupsOutput struct {
	StaleSecurityGroupSet []string
}

// describeStaleSecurityGroups tells which groups of a VPC name ones of VPCs that are not peers any more: none, as there is no peering.
func (a *API) describeStaleSecurityGroups(_ context.Context, r *frontdoor.Request, in *describeStaleSecurityGroupsInput) (*describeStaleSecurityGroupsOutput, error) {
	if _, err := newPager("stale security groups", in.MaxResults, in.NextToken, nil); err != nil {
		return nil, err
	}
	if _, err := namedVPC(a.store.View().Tables, r.Scope, in.VpcId); err != nil {
		return nil, err
	}
	return &describeStaleSecurityGroupsOutput{StaleSecurityGroupSet: []string{}}, nil
}
