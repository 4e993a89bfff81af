package iam

import (
	"context"
	"strings"

	"berth/internal/frontdoor"
	"berth/internal/iam"
	"berth/internal/state"

	awsiam "github.com/aws/aws-sdk-go-v2/service/iam"
)

// mostProfileRoles is how many roles an instance profile may have.
const mostProfileRoles = 1

func (a *API) addRoleToInstanceProfile(
	ctx context.Context, r *frontdoor.Request, in *awsiam.AddRoleToInstanceProfileInput,
) (*awsiam.AddRoleToInstanceProfileOutput, error) {
	err := a.changeProfile(ctx, r.Scope.Account, *in.InstanceProfileName, func(tx *state.Tx, p *iam.InstanceProfile) error {
		role, err := findOwnRole(tx.Tables, r.Scope.Account, *in.RoleName)
		if err != nil {
			return err
		}
		if p.Role != "" {
			return quota("InstanceSessionsPerInstanceProfile", mostProfileRoles)
		}
		p.Role = role.Name
		return nil
	})
	return &awsiam.AddRoleToInstanceProfileOutput{}, err
}

func (a *API) removeRoleFromInstanceProfile(
	ctx context.Context, r *frontdoor.Request, in *awsiam.RemoveRoleFromInstanceProfileInput,
) (*awsiam.RemoveRoleFromInstanceProfileOutput, error) {
	err := a.changeProfile(ctx, r.Scope.Account, *in.InstanceProfileName, func(_ *state.Tx, p *iam.InstanceProfile) error {
		if p.Role == "" || !strings.EqualFold(p.Role, *in.RoleName) {
			return noSuch("The role with name %s cannot be found.", *in.RoleName)
		}
		p.Role = ""
		return nil
	})
	return &awsiam.RemoveRoleFromInstanceProfileOutput{}, err
}
