package secretsmanager

import (
	"context"
	"time"

	awssm "github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"berth/internal/constraint"
	"berth/internal/frontdoor"
	"berth/internal/secret"
)

// describeSecret shows all of a secret but its values, also while it waits for its deletion.
func (a *API) describeSecret(_ context.Context, r *frontdoor.Request, in *awssm.DescribeSecretInput) (*awssm.DescribeSecretOutput, error) {
	var c constraint.Check
	if err := validateID(&c, in.SecretId); err != nil {
		return nil, err
	}
	s, err := find(a.store.View().Tables, r.Scope, *in.SecretId)
	if err != nil {
		return nil, err
	}
	return &awssm.DescribeSecretOutput{
		ARN: &s.Arn, Name: &s.Name, Description: filled(s.Description), KmsKeyId: filled(s.KMSKeyID), Tags: tagList(s.Tags),
		CreatedDate: &s.CreatedDate, LastChangedDate: &s.ChangedDate, DeletedDate: moment(s.DeletedDate), VersionIdsToStages: versionStages(s),
	}, nil
}

// versionStages are the labels of the versions that have any, nil where there is no version.
func versionStages(s *secret.Secret) map[string][]string {
	if len(s.Stages) == 0 {
		return nil
	}
	stages := map[string][]string{}
	for _, one := range s.Stages {
		stages[one.VersionID] = append(stages[one.VersionID], one.Label)
	}
	return stages
}

// filled is nil for an empty text.
func filled(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

// moment is nil for no time.
func moment(at time.Time) *time.Time {
	if at.IsZero() {
		return nil
	}
	return &at
}
