package secretsmanager

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	awssm "github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"

	"berth/internal/arn"
	"berth/internal/constraint"
	"berth/internal/frontdoor"
	"berth/internal/page"
	"berth/internal/secret"
	"berth/internal/state"
)

const mostListed = 100 // on a page

// listSecrets lists the secrets of the account and region, by when they were made where the request names no other order.
func (a *API) listSecrets(_ context.Context, r *frontdoor.Request, in *awssm.ListSecretsInput) (*awssm.ListSecretsOutput, error) {
	p, err := validateList(in)
	if err != nil {
		return nil, err
	}
	key := sortKey(in.SortBy)
	list, next := page.Take(p, slices.Values(sorted(a.store.View().Tables, r.Scope, in, key)), key)
	out := &awssm.ListSecretsOutput{NextToken: next, SecretList: []types.SecretListEntry{}}
	for _, s := range list {
		out.SecretList = append(out.SecretList, types.SecretListEntry{
			ARN: &s.Arn, Name: &s.Name, Description: filled(s.Description), KmsKeyId: filled(s.KMSKeyID), Tags: tagList(s.Tags),
			CreatedDate: &s.CreatedDate, LastChangedDate: &s.ChangedDate, DeletedDate: moment(s.DeletedDate), SecretVersionsToStages: versionStages(s),
		})
	}
	return out, nil
}

func validateList(in *awssm.ListSecretsInput) (page.Request, error) {
	var c constraint.Check
	constraint.Number(&c, "maxResults", in.MaxResults, 1, mostListed)
	constraint.Enum(&c, "sortBy", in.SortBy, in.SortBy.Values())
	constraint.Enum(&c, "sortOrder", in.SortOrder, in.SortOrder.Values())
	validateFilters(&c, in.Filters)
	if err := firstOf(c.Err(), completeFilters(in.Filters)); err != nil {
		return page.Request{}, err
	}
	if in.SortBy == types.SortByTypeLastAccessedDate {
		return page.Request{}, notActedOn("SortBy last-accessed-date")
	}
	list := append([]string{"ListSecrets", string(in.SortBy), string(in.SortOrder)}, filterTexts(in.Filters)...)
	p, ok := page.New(int(cmp.Or(aws.ToInt32(in.MaxResults), mostListed)), in.NextToken, list...)
	if !ok {
		return p, invalidToken()
	}
	p.Descending = in.SortOrder == types.SortOrderTypeDesc
	return p, nil
}

// sorted are the secrets that a request lists, in its order.
func sorted(t *state.Tables, s arn.Scope, in *awssm.ListSecretsInput, key func(*secret.Secret) string) []*secret.Secret {
	var all []*secret.Secret
	for one := range t.Secrets.Under(secret.SecretsIn(s), "") {
		if (one.DeletedDate.IsZero() || aws.ToBool(in.IncludePlannedDeletion)) && matches(one, in.Filters) {
			all = append(all, one)
		}
	}
	slices.SortFunc(all, func(x, y *secret.Secret) int { return strings.Compare(key(x), key(y)) })
	if in.SortOrder == types.SortOrderTypeDesc {
		slices.Reverse(all)
	}
	return all
}

// sortKey is a text that is in the order that a request wants; no two secrets have the same.
func sortKey(by types.SortByType) func(*secret.Secret) string {
	const sortable = "2006-01-02T15:04:05.000"
	return func(s *secret.Secret) string {
		switch by {
		case types.SortByTypeName:
			return s.Name + "\x00" + s.Arn
		case types.SortByTypeLastChangedDate:
			return s.ChangedDate.Format(sortable) + s.Arn
		}
		return s.CreatedDate.Format(sortable) + s.Arn
	}
}
