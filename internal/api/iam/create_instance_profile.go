package iam

import (
	"context"
	"fmt"

	"berth/internal/frontdoor"
	"berth/internal/iam"
	"berth/internal/seal"
	"berth/internal/state"

	awsiam "github.com/aws/aws-sdk-go-v2/service/iam"
)

func (a *API) createInstanceProfile(
	ctx context.Context, r *frontdoor.Request, in *awsiam.CreateInstanceProfileInput,
) (*awsiam.CreateInstanceProfileOutput, error) {
	all, err := merged(nil, in.Tags)
	if err != nil {
		return nil, err
	}
	p := &iam.InstanceProfile{Account: r.Scope.Account, Name: *in.InstanceProfileName, ID: seal.NewID(profilePrefix), Path: "/", CreateDate: now(), Tags: all}
	if in.Path != nil {
		p.Path = *in.Path
	}
	err = a.store.Update(ctx, func(tx *state.Tx) error {
		if tx.InstanceProfiles.Get(p.Key()) != nil {
			return exists("Instance Profile %s already exists.", p.Name)
		}
		if count(profiles(tx.Tables, p.Account)) >= mostProfiles {
			return quota("InstanceProfilesPerAccount", mostProfiles)
		}
		tx.Put(p)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("create instance profile %s: %w", p.Name, err)
	}
	shape := profileShape(a.store.View().Tables, p)
	shape.Tags = tags(p.Tags)
	return &awsiam.CreateInstanceProfileOutput{InstanceProfile: &shape}, nil
}

func (a *API) deleteInstanceProfile(
	ctx context.Context, r *frontdoor.Request, in *awsiam.DeleteInstanceProfileInput,
) (*awsiam.DeleteInstanceProfileOutput, error) {
	err := a.store.Update(ctx, func(tx *state.Tx) error {
		p, err := findProfile(tx.Tables, r.Scope.Account, *in.InstanceProfileName)
		if err != nil {
			return err
		}
		if p.Role != "" {
			return conflict("Cannot delete entity, must remove roles from instance profile first.")
		}
		tx.Delete(p)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("delete instance profile %s: %w", *in.InstanceProfileName, err)
	}
	return &awsiam.DeleteInstanceProfileOutput{}, nil
}
