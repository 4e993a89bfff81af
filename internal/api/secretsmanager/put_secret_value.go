package secretsmanager

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	awssm "github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"berth/internal/constraint"
	"berth/internal/frontdoor"
	"berth/internal/state"
)

// putSecretValue gives a secret a new version, which is the current one unless the request says which labels it has.
func (a *API) putSecretValue(ctx context.Context, r *frontdoor.Request, in *awssm.PutSecretValueInput) (*awssm.PutSecretValueOutput, error) {
	v, err := validatePutValue(in)
	if err != nil {
		return nil, err
	}
	var out *awssm.PutSecretValueOutput
	err = a.store.Update(ctx, func(tx *state.Tx) error {
		s, err := findUsable(tx.Tables, r.Scope, *in.SecretId)
		if err != nil {
			return err
		}
		s, err = a.putVersion(tx, s, *in.ClientRequestToken, v, in.VersionStages)
		if err != nil {
			return err
		}
		out = &awssm.PutSecretValueOutput{ARN: &s.Arn, Name: &s.Name, VersionId: in.ClientRequestToken, VersionStages: s.Stages.Of(*in.ClientRequestToken)}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

func validatePutValue(in *awssm.PutSecretValueInput) (value, error) {
	var c constraint.Check
	c.Text("clientRequestToken", in.ClientRequestToken, leastToken, mostToken)
	if in.VersionStages != nil {
		c.Count("versionStages", in.VersionStages, 1, mostStages)
	}
	for _, label := range in.VersionStages {
		c.Text("versionStages.member", &label, 1, mostStage)
	}
	v, err := readValue(&c, in.SecretString, in.SecretBinary)
	if err := firstOf(validateID(&c, in.SecretId), err); err != nil {
		return v, err
	}
	switch {
	case !v.given:
		return v, invalidRequest("You must provide either SecretString or SecretBinary.")
	case aws.ToString(in.RotationToken) != "":
		return v, notActedOn("RotationToken")
	}
	return v, validateToken(in.ClientRequestToken, v)
}
