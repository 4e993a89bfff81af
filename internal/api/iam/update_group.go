package iam

import (
	"context"
	"fmt"
	"slices"

	"berth/internal/frontdoor"
	"berth/internal/iam"
	"berth/internal/state"

	awsiam "github.com/aws/aws-sdk-go-v2/service/iam"
)

// mostRenamed is how many members a group may have to be renamed: each of them is written, and one Update writes a hundred records.
const mostRenamed = 97

// updateGroup gives a group another name or path. Its members stay.
func (a *API) updateGroup(ctx context.Context, r *frontdoor.Request, in *awsiam.UpdateGroupInput) (*awsiam.UpdateGroupOutput, error) {
	err := a.store.Update(ctx, func(tx *state.Tx) error {
		old, err := findGroup(tx.Tables, r.Scope.Account, *in.GroupName)
		if err != nil {
			return err
		}
		g := *old
		if in.NewPath != nil {
			g.Path = *in.NewPath
		}
		if in.NewGroupName != nil {
			g.Name = *in.NewGroupName
		}
		if g.Key() != old.Key() && tx.Groups.Get(g.Key()) != nil {
			return exists("Group with name %s already exists.", g.Name)
		}
		if g.Name != old.Name {
			if err := renameGroup(tx, old, g.Name); err != nil {
				return err
			}
		}
		tx.Put(&g)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("update group %s: %w", *in.GroupName, err)
	}
	return &awsiam.UpdateGroupOutput{}, nil
}

// renameGroup makes the members of a group name it by its new name.
func renameGroup(tx *state.Tx, g *iam.Group, name string) error {
	all := slices.Collect(members(tx.Tables, g))
	if len(all) > mostRenamed {
		return withStatus(409, "LimitExceeded", "Group %s has %d members; groups of more than %d members cannot be renamed.", g.Name, len(all), mostRenamed)
	}
	for _, u := range all {
		c := *u
		c.Groups = slices.Clone(u.Groups)
		c.Groups[membership(u, g.Name)] = name
		tx.Put(&c)
	}
	tx.Delete(g)
	return nil
}
