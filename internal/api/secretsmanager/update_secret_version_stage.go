package secretsmanager

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	awssm "github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"berth/internal/constraint"
	"berth/internal/frontdoor"
	"berth/internal/secret"
	"berth/internal/state"
)

// updateSecretVersionStage moves a label from one version to another, attaches it, or takes it off.
func (a *API) updateSecretVersionStage(ctx context.Context, r *frontdoor.Request, in *awssm.UpdateSecretVersionStageInput) (*awssm.UpdateSecretVersionStageOutput, error) {
	var c constraint.Check
	c.Needed("versionStage", in.VersionStage, 1, mostStage)
	c.Text("removeFromVersionId", in.RemoveFromVersionId, leastToken, mostToken)
	c.Text("moveToVersionId", in.MoveToVersionId, leastToken, mostToken)
	if err := validateID(&c, in.SecretId); err != nil {
		return nil, err
	}
	var out *awssm.UpdateSecretVersionStageOutput
	err := a.store.Update(ctx, func(tx *state.Tx) error {
		s, err := findUsable(tx.Tables, r.Scope, *in.SecretId)
		if err != nil {
			return err
		}
		changed := *s
		changed.ChangedDate = now()
		changed.Stages, err = moveStage(tx.Tables, s, *in.VersionStage, aws.ToString(in.RemoveFromVersionId), aws.ToString(in.MoveToVersionId))
		if err != nil {
			return err
		}
		tx.Put(&changed)
		out = &awssm.UpdateSecretVersionStageOutput{ARN: &s.Arn, Name: &s.Name}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// moveStage is a secret's labels with one moved, attached or taken off. Where the label is, the request must say.
func moveStage(t *state.Tables, s *secret.Secret, label, from, to string) (secret.Stages, error) {
	if from == "" && to == "" {
		return nil, invalidParameter("You must provide RemoveFromVersionId or MoveToVersionId.")
	}
	for _, id := range []string{from, to} {
		if id != "" && t.SecretVersions.Get(s.Arn+"/"+id) == nil {
			return nil, noVersion(id)
		}
	}
	switch holder := s.Stages.Holder(label); {
	case holder != "" && from == "" && holder != to:
		return nil, invalidParameter("The parameter RemoveFromVersionId can't be empty. Staging label %s is currently attached to version %s, so you must "+
			"explicitly reference that version in RemoveFromVersionId.", label, holder)
	case from != "" && holder != from:
		return nil, invalidParameter("RemoveFromVersionId: staging label %s is not attached to version %s.", label, from)
	case to == "" && label == secret.Current:
		return nil, invalidParameter("You can only move staging label AWSCURRENT to a different secret version. It can't be completely removed.")
	case to == "":
		return s.Stages.Without(label), nil
	}
	stages := s.Stages.Moved(label, to)
	if len(stages) > mostStages {
		return nil, limitExceeded("The VersionStage exceeds the limit: a secret can have at most %d staging labels.", mostStages)
	}
	return stages, nil
}
