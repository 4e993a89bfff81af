package iam

import (
	"context"
	"fmt"
	"strings"

	"berth/internal/frontdoor"
	"berth/internal/iam"
	"berth/internal/state"

	awsiam "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
)

// mostProfiles is how many instance profiles an account may have.
const mostProfiles = 1000

// instanceProfileOperations are the operations on instance profiles.
func (a *API) instanceProfileOperations() []frontdoor.Operation {
	add := operation("AddRoleToInstanceProfile", a.onProfile, a.addRoleToInstanceProfile, "InstanceProfileName", "RoleName")
	add.Also = a.passRole
	return []frontdoor.Operation{
		add,
		operation("CreateInstanceProfile", a.onProfile, a.createInstanceProfile, "InstanceProfileName"),
		operation("GetInstanceProfile", a.onProfile, a.getInstanceProfile, "InstanceProfileName"),
		operation("ListInstanceProfiles", anything, a.listInstanceProfiles),
		operation("ListInstanceProfilesForRole", a.onRole, a.listInstanceProfilesForRole, "RoleName"),
		operation("DeleteInstanceProfile", a.onProfile, a.deleteInstanceProfile, "InstanceProfileName"),
		operation("RemoveRoleFromInstanceProfile", a.onProfile, a.removeRoleFromInstanceProfile, "InstanceProfileName", "RoleName"),
	}
}

// changeProfile stores what change makes of a copy of an instance profile.
func (a *API) changeProfile(ctx context.Context, account, name string, change func(tx *state.Tx, p *iam.InstanceProfile) error) error {
	err := a.store.Update(ctx, func(tx *state.Tx) error {
		old, err := findProfile(tx.Tables, account, name)
		if err != nil {
			return err
		}
		c := *old
		if err := change(tx, &c); err != nil {
			return err
		}
		tx.Put(&c)
		return nil
	})
	if err != nil {
		return fmt.Errorf("change instance profile %s: %w", name, err)
	}
	return nil
}

// profilePage is a page of instance profiles that keep.
func (a *API) profilePage(t *state.Tables, account string, marker *string, maxItems *int32, keep func(*iam.InstanceProfile) bool) (
	list []types.InstanceProfile, next *string, err error,
) {
	p, err := newPager(maxItems, marker)
	if err != nil {
		return nil, nil, err
	}
	rows, next := page(p, where(profiles(t, account), keep), (*iam.InstanceProfile).Key)
	return mapped(rows, func(p *iam.InstanceProfile) types.InstanceProfile { return profileShape(t, p) }), next, nil
}

func (a *API) getInstanceProfile(_ context.Context, r *frontdoor.Request, in *awsiam.GetInstanceProfileInput) (*awsiam.GetInstanceProfileOutput, error) {
	t := a.store.View().Tables
	p, err := findProfile(t, r.Scope.Account, *in.InstanceProfileName)
	if err != nil {
		return nil, err
	}
	shape := profileShape(t, p)
	shape.Tags = tags(p.Tags)
	return &awsiam.GetInstanceProfileOutput{InstanceProfile: &shape}, nil
}

func (a *API) listInstanceProfiles(
	_ context.Context, r *frontdoor.Request, in *awsiam.ListInstanceProfilesInput,
) (*awsiam.ListInstanceProfilesOutput, error) {
	under := func(p *iam.InstanceProfile) bool { return strings.HasPrefix(p.Path, text(in.PathPrefix)) }
	list, marker, err := a.profilePage(a.store.View().Tables, r.Scope.Account, in.Marker, in.MaxItems, under)
	return &awsiam.ListInstanceProfilesOutput{InstanceProfiles: list, Marker: marker, IsTruncated: marker != nil}, err
}

func (a *API) listInstanceProfilesForRole(
	_ context.Context, r *frontdoor.Request, in *awsiam.ListInstanceProfilesForRoleInput,
) (*awsiam.ListInstanceProfilesForRoleOutput, error) {
	t := a.store.View().Tables
	if _, err := findRole(t, r.Scope.Account, *in.RoleName); err != nil {
		return nil, err
	}
	with := func(p *iam.InstanceProfile) bool { return strings.EqualFold(p.Role, *in.RoleName) }
	list, marker, err := a.profilePage(t, r.Scope.Account, in.Marker, in.MaxItems, with)
	return &awsiam.ListInstanceProfilesForRoleOutput{InstanceProfiles: list, Marker: marker, IsTruncated: marker != nil}, err
}
