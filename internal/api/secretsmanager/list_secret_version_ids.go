package secretsmanager

import (
	"cmp"
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	awssm "github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"

	"berth/internal/constraint"
	"berth/internal/frontdoor"
	"berth/internal/page"
	"berth/internal/secret"
)

// listSecretVersionIDs lists a secret's versions by their ids: those with a label, or all.
func (a *API) listSecretVersionIDs(_ context.Context, r *frontdoor.Request, in *awssm.ListSecretVersionIdsInput) (*awssm.ListSecretVersionIdsOutput, error) {
	var c constraint.Check
	constraint.Number(&c, "maxResults", in.MaxResults, 1, mostListed)
	if err := validateID(&c, in.SecretId); err != nil {
		return nil, err
	}
	t := a.store.View().Tables
	s, err := find(t, r.Scope, *in.SecretId)
	if err != nil {
		return nil, err
	}
	p, ok := page.New(int(cmp.Or(aws.ToInt32(in.MaxResults), mostListed)), in.NextToken, "ListSecretVersionIds", s.Arn)
	if !ok {
		return nil, invalidToken()
	}
	wanted := func(yield func(*secret.SecretVersion) bool) {
		for v := range versions(t, s) {
			if (aws.ToBool(in.IncludeDeprecated) || len(s.Stages.Of(v.VersionID)) > 0) && !yield(v) {
				return
			}
		}
	}
	list, next := page.Take(p, wanted, (*secret.SecretVersion).Key)
	out := &awssm.ListSecretVersionIdsOutput{ARN: &s.Arn, Name: &s.Name, NextToken: next, Versions: []types.SecretVersionsListEntry{}}
	for _, v := range list {
		out.Versions = append(out.Versions, types.SecretVersionsListEntry{
			VersionId: &v.VersionID, VersionStages: s.Stages.Of(v.VersionID), CreatedDate: &v.CreatedDate, KmsKeyIds: []string{cmp.Or(s.KMSKeyID, "DefaultEncryptionKey")},
		})
	}
	return out, nil
}
