package iam

import (
	"context"
	"fmt"

	"berth/internal/frontdoor"
	"berth/internal/iam"
	"berth/internal/state"

	awsiam "github.com/aws/aws-sdk-go-v2/service/iam"
)

func (a *API) createGroup(ctx context.Context, r *frontdoor.Request, in *awsiam.CreateGroupInput) (*awsiam.CreateGroupOutput, error) {
	e, err := newEntity(groupPrefix, r.Scope.Account, *in.GroupName, in.Path, nil)
	if err != nil {
		return nil, err
	}
	g := &iam.Group{Entity: e}
	err = a.store.Update(ctx, func(tx *state.Tx) error {
		if tx.Groups.Get(g.Key()) != nil {
			return exists("Group with name %s already exists.", g.Name)
		}
		if count(groups(tx.Tables, g.Account)) >= mostGroups {
			return quota("GroupsPerAccount", mostGroups)
		}
		tx.Put(g)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("create group %s: %w", g.Name, err)
	}
	return &awsiam.CreateGroupOutput{Group: new(groupShape(g))}, nil
}
