package secretsmanager

import (
	"context"
	"time"

	awssm "github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"berth/internal/constraint"
	"berth/internal/frontdoor"
	"berth/internal/state"
)

// restoreSecret takes the mark for deletion off. A secret without one stays as it is.
func (a *API) restoreSecret(ctx context.Context, r *frontdoor.Request, in *awssm.RestoreSecretInput) (*awssm.RestoreSecretOutput, error) {
	var c constraint.Check
	if err := validateID(&c, in.SecretId); err != nil {
		return nil, err
	}
	var out *awssm.RestoreSecretOutput
	err := a.store.Update(ctx, func(tx *state.Tx) error {
		s, err := find(tx.Tables, r.Scope, *in.SecretId)
		if err != nil {
			return err
		}
		if !s.DeletedDate.IsZero() {
			changed := *s
			changed.DeletedDate, changed.DeletionDate = time.Time{}, time.Time{}
			tx.Put(&changed)
		}
		out = &awssm.RestoreSecretOutput{ARN: &s.Arn, Name: &s.Name}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}
