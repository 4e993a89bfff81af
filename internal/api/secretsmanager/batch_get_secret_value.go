package secretsmanager

import (
	"cmp"
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	awssm "github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"

	"berth/internal/apierr"
	"berth/internal/constraint"
	"berth/internal/frontdoor"
	"berth/internal/page"
	"berth/internal/secret"
	"berth/internal/state"
)

const mostBatch = 20 // secrets of a request

// batchGetSecretValue answers with the current values of several secrets. Each needs the right to get it; what cannot be had is told secret by secret.
func (a *API) batchGetSecretValue(_ context.Context, r *frontdoor.Request, in *awssm.BatchGetSecretValueInput) (*awssm.BatchGetSecretValueOutput, error) {
	p, err := validateBatch(in)
	if err != nil {
		return nil, err
	}
	t := a.store.View().Tables
	out := &awssm.BatchGetSecretValueOutput{SecretValues: []types.SecretValueEntry{}, Errors: []types.APIErrorType{}}
	ids := in.SecretIdList
	if len(in.Filters) > 0 {
		ids, out.NextToken = filteredIDs(t, r, in.Filters, p)
	}
	for _, id := range ids {
		entry, err := a.batchEntry(t, r, id)
		if err != nil {
			e := apierr.As(err)
			out.Errors = append(out.Errors, types.APIErrorType{SecretId: &id, ErrorCode: &e.Code, Message: &e.Message})
			continue
		}
		out.SecretValues = append(out.SecretValues, *entry)
	}
	return out, nil
}

func validateBatch(in *awssm.BatchGetSecretValueInput) (page.Request, error) {
	var c constraint.Check
	constraint.Number(&c, "maxResults", in.MaxResults, 1, mostBatch)
	if in.SecretIdList != nil {
		c.Count("secretIdList", in.SecretIdList, 1, mostBatch)
	}
	for _, id := range in.SecretIdList {
		c.Text("secretIdList.member", &id, 1, mostID)
	}
	validateFilters(&c, in.Filters)
	if err := firstOf(c.Err(), completeFilters(in.Filters)); err != nil {
		return page.Request{}, err
	}
	switch {
	case (len(in.SecretIdList) > 0) == (len(in.Filters) > 0):
		return page.Request{}, invalidParameter("Either 'SecretIdList' or 'Filters' must be provided, but not both.")
	case len(in.Filters) == 0 && (in.MaxResults != nil || aws.ToString(in.NextToken) != ""):
		return page.Request{}, invalidParameter("'Filters' not specified. 'Filters' must also be specified when 'MaxResults' or 'NextToken' is provided.")
	}
	p, ok := page.New(int(cmp.Or(aws.ToInt32(in.MaxResults), mostBatch)), in.NextToken, append([]string{"BatchGetSecretValue"}, filterTexts(in.Filters)...)...)
	if !ok {
		return p, invalidToken()
	}
	return p, nil
}

// filteredIDs are the ARNs of a page of the secrets that pass filters, in their order.
func filteredIDs(t *state.Tables, r *frontdoor.Request, filters []types.Filter, p page.Request) (ids []string, next *string) {
	wanted := func(yield func(*secret.Secret) bool) {
		for s := range t.Secrets.Under(secret.SecretsIn(r.Scope), "") {
			if s.DeletedDate.IsZero() && matches(s, filters) && !yield(s) {
				return
			}
		}
	}
	list, next := page.Take(p, wanted, (*secret.Secret).Key)
	for _, s := range list {
		ids = append(ids, s.Arn)
	}
	return ids, next
}

func (a *API) batchEntry(t *state.Tables, r *frontdoor.Request, id string) (*types.SecretValueEntry, error) {
	if err := a.mayGet(r, id); err != nil {
		return nil, err
	}
	s, err := findUsable(t, r.Scope, id)
	if err != nil {
		return nil, err
	}
	version, err := findVersion(t, s, "", "")
	if err != nil {
		return nil, err
	}
	v, err := a.open(version)
	if err != nil {
		return nil, err
	}
	text, binary := v.members()
	return &types.SecretValueEntry{
		ARN: &s.Arn, Name: &s.Name, VersionId: &version.VersionID, SecretString: text, SecretBinary: binary, VersionStages: s.Stages.Of(version.VersionID),
		CreatedDate: &version.CreatedDate,
	}, nil
}
