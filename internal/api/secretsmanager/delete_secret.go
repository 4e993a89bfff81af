package secretsmanager

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awssm "github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"berth/internal/arn"
	"berth/internal/constraint"
	"berth/internal/frontdoor"
	"berth/internal/state"
)

// How many days a secret can still be restored.
const (
	fewestDays = 7
	mostDays   = 30
	day        = 24 * time.Hour
)

// deleteSecret marks a secret for deletion, or deletes it at once where it is forced.
func (a *API) deleteSecret(ctx context.Context, r *frontdoor.Request, in *awssm.DeleteSecretInput) (*awssm.DeleteSecretOutput, error) {
	var c constraint.Check
	if err := validateID(&c, in.SecretId); err != nil {
		return nil, err
	}
	force, days := aws.ToBool(in.ForceDeleteWithoutRecovery), in.RecoveryWindowInDays
	switch {
	case force && days != nil:
		return nil, invalidParameter("You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays.")
	case days != nil && (*days < fewestDays || *days > mostDays):
		return nil, invalidParameter("The RecoveryWindowInDays value must be between %d and %d days (inclusive).", fewestDays, mostDays)
	}
	var out *awssm.DeleteSecretOutput
	err := a.store.Update(ctx, func(tx *state.Tx) error {
		at := now()
		if force {
			out = forceDelete(tx, r.Scope, *in.SecretId, at)
			return nil
		}
		s, err := findUsable(tx.Tables, r.Scope, *in.SecretId)
		if err != nil {
			return err
		}
		changed := *s
		changed.DeletedDate = at
		changed.DeletionDate = at.Add(time.Duration(cmp.Or(aws.ToInt64(days), mostDays)) * day)
		tx.Put(&changed)
		out = &awssm.DeleteSecretOutput{ARN: &changed.Arn, Name: &changed.Name, DeletionDate: &changed.DeletionDate}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// forceDelete deletes a secret; one that is not there is answered as if it had been, as AWS does. What is left of its versions is for the sweep.
func forceDelete(tx *state.Tx, scope arn.Scope, id string, at time.Time) *awssm.DeleteSecretOutput {
	s := lookUp(tx.Tables, scope, id)
	if s == nil {
		as := id
		if !arn.Is(id) {
			as = newARN(tx.Tables, scope, id)
		}
		return &awssm.DeleteSecretOutput{ARN: &as, Name: &id, DeletionDate: &at}
	}
	for _, v := range atMost(slices.Collect(versions(tx.Tables, s)), mostSwept-1) {
		tx.Delete(v)
	}
	tx.Delete(s)
	return &awssm.DeleteSecretOutput{ARN: &s.Arn, Name: &s.Name, DeletionDate: &at}
}

func atMost[T any](list []T, n int) []T { return list[:min(len(list), n)] }
