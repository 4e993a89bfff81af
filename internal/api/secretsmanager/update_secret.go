package secretsmanager

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	awssm "github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"berth/internal/constraint"
	"berth/internal/frontdoor"
	"berth/internal/state"
)

// updateSecret changes what a request names of a secret. A value becomes its new current version.
func (a *API) updateSecret(ctx context.Context, r *frontdoor.Request, in *awssm.UpdateSecretInput) (*awssm.UpdateSecretOutput, error) {
	v, err := validateUpdate(in)
	if err != nil {
		return nil, err
	}
	var out *awssm.UpdateSecretOutput
	err = a.store.Update(ctx, func(tx *state.Tx) error {
		s, err := findUsable(tx.Tables, r.Scope, *in.SecretId)
		if err != nil {
			return err
		}
		changed := *s
		if in.Description != nil {
			changed.Description = *in.Description
		}
		if in.KmsKeyId != nil {
			changed.KMSKeyID = *in.KmsKeyId
		}
		changed.ChangedDate = now()
		tx.Put(&changed)
		out = &awssm.UpdateSecretOutput{ARN: &s.Arn, Name: &s.Name}
		if v.given {
			out.VersionId = in.ClientRequestToken
			_, err = a.putVersion(tx, &changed, *in.ClientRequestToken, v, nil)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

func validateUpdate(in *awssm.UpdateSecretInput) (value, error) {
	var c constraint.Check
	c.Text("clientRequestToken", in.ClientRequestToken, leastToken, mostToken)
	c.Text("description", in.Description, 0, mostDescription)
	c.Text("kmsKeyId", in.KmsKeyId, 0, mostKeyID)
	v, err := readValue(&c, in.SecretString, in.SecretBinary)
	if err := firstOf(validateID(&c, in.SecretId), err); err != nil {
		return v, err
	}
	if aws.ToString(in.Type) != "" {
		return v, notActedOn("Type")
	}
	return v, firstOf(validateToken(in.ClientRequestToken, v), validateKey(in.KmsKeyId))
}
