package secretsmanager

import (
	"cmp"
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	awssm "github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"berth/internal/constraint"
	"berth/internal/frontdoor"
	"berth/internal/secret"
	"berth/internal/state"
)

// getSecretValue answers with the value of a version: the one that the request names by its id, by a label of it or by both, else the current one.
func (a *API) getSecretValue(_ context.Context, r *frontdoor.Request, in *awssm.GetSecretValueInput) (*awssm.GetSecretValueOutput, error) {
	var c constraint.Check
	c.Text("versionId", in.VersionId, leastToken, mostToken)
	c.Text("versionStage", in.VersionStage, 1, mostStage)
	if err := validateID(&c, in.SecretId); err != nil {
		return nil, err
	}
	t := a.store.View().Tables
	s, err := findUsable(t, r.Scope, *in.SecretId)
	if err != nil {
		return nil, err
	}
	version, err := findVersion(t, s, aws.ToString(in.VersionId), aws.ToString(in.VersionStage))
	if err != nil {
		return nil, err
	}
	v, err := a.open(version)
	if err != nil {
		return nil, err
	}
	text, binary := v.members()
	return &awssm.GetSecretValueOutput{
		ARN: &s.Arn, Name: &s.Name, VersionId: &version.VersionID, SecretString: text, SecretBinary: binary, VersionStages: s.Stages.Of(version.VersionID),
		CreatedDate: &version.CreatedDate,
	}, nil
}

// findVersion is the version with that id and label. Either may be empty; without both it is the current one.
func findVersion(t *state.Tables, s *secret.Secret, id, label string) (*secret.SecretVersion, error) {
	if id == "" {
		label = cmp.Or(label, secret.Current)
		if id = s.Stages.Holder(label); id == "" {
			return nil, noStage(label)
		}
	}
	version := t.SecretVersions.Get(s.Arn + "/" + id)
	switch {
	case version == nil:
		return nil, noVersion(id)
	case label != "" && s.Stages.Holder(label) != id:
		return nil, invalidRequest("You provided a VersionStage that is not associated to the provided VersionId.")
	}
	return version, nil
}
