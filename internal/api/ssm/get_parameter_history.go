package ssm

import (
	"cmp"
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsssm "github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"berth/internal/constraint"
	"berth/internal/frontdoor"
	"berth/internal/page"
	"berth/internal/secret"
)

const mostListed = 50 // on a page

// getParameterHistory lists the versions of a parameter, oldest first.
func (a *API) getParameterHistory(_ context.Context, r *frontdoor.Request, in *awsssm.GetParameterHistoryInput) (*awsssm.GetParameterHistoryOutput, error) {
	var c constraint.Check
	c.Needed("name", in.Name, 1, mostName)
	constraint.Number(&c, "maxResults", in.MaxResults, 1, mostListed)
	if err := c.Err(); err != nil {
		return nil, err
	}
	t := a.store.View().Tables
	p, err := findPlain(t, r.Scope, *in.Name)
	if err != nil {
		return nil, err
	}
	wanted, ok := page.New(int(cmp.Or(aws.ToInt32(in.MaxResults), mostListed)), in.NextToken, "GetParameterHistory", p.Arn)
	if !ok {
		return nil, invalidToken()
	}
	list, next := page.Take(wanted, versions(t, p), func(v secret.ParameterValue) string { return fmt.Sprintf("%010d", v.Version) })
	out := &awsssm.GetParameterHistoryOutput{Parameters: []types.ParameterHistory{}, NextToken: next}
	for _, v := range list {
		value, err := a.shown(p.Arn, v, aws.ToBool(in.WithDecryption))
		if err != nil {
			return nil, err
		}
		out.Parameters = append(out.Parameters, types.ParameterHistory{
			Name: &p.Name, Type: types.ParameterType(v.Type), Value: &value, Version: v.Version, KeyId: filled(v.KeyID), Labels: orNone(v.Labels),
			Description: filled(v.Description), AllowedPattern: filled(v.AllowedPattern), DataType: &v.DataType, Tier: types.ParameterTier(v.Tier),
			LastModifiedDate: &v.ModifiedDate, LastModifiedUser: &v.ModifiedUser, Policies: []types.ParameterInlinePolicy{},
		})
	}
	return out, nil
}

// orNone is an empty list for none: answers have it.
func orNone[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}
