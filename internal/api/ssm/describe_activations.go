package ssm

import (
	"cmp"
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsssm "github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"berth/internal/apierr"
	"berth/internal/constraint"
	"berth/internal/frontdoor"
	"berth/internal/page"
	"berth/internal/secret"
)

// describeActivations lists activations, also those that have expired, without their codes.
func (a *API) describeActivations(_ context.Context, r *frontdoor.Request, in *awsssm.DescribeActivationsInput) (*awsssm.DescribeActivationsOutput, error) {
	p, err := validateActivations(in)
	if err != nil {
		return nil, err
	}
	wanted := func(yield func(*secret.Activation) bool) {
		for one := range a.store.View().Activations.Under(secret.RegionKey(r.Scope.Account, r.Scope.Region, ""), "") {
			if wantsActivation(one, in.Filters) && !yield(one) {
				return
			}
		}
	}
	list, next := page.Take(p, wanted, (*secret.Activation).Key)
	out := &awsssm.DescribeActivationsOutput{ActivationList: []types.Activation{}, NextToken: next}
	at := now()
	for _, one := range list {
		out.ActivationList = append(out.ActivationList, types.Activation{
			ActivationId: &one.ActivationID, Description: filled(one.Description), DefaultInstanceName: filled(one.DefaultInstanceName), IamRole: &one.IAMRole,
			RegistrationLimit: &one.RegistrationLimit, RegistrationsCount: &one.RegistrationsCount, ExpirationDate: &one.ExpirationDate,
			Expired: one.Expired(at), CreatedDate: &one.CreatedDate, Tags: tagList(one.Tags),
		})
	}
	return out, nil
}

func validateActivations(in *awsssm.DescribeActivationsInput) (page.Request, error) {
	var c constraint.Check
	constraint.Number(&c, "maxResults", in.MaxResults, 1, mostListed)
	list := []string{"DescribeActivations"}
	for _, f := range in.Filters {
		constraint.Enum(&c, "filters.member.filterKey", f.FilterKey, f.FilterKey.Values())
		list = append(append(list, string(f.FilterKey)), f.FilterValues...)
	}
	if err := c.Err(); err != nil {
		return page.Request{}, err
	}
	for _, f := range in.Filters {
		if f.FilterKey == "" || len(f.FilterValues) == 0 {
			return page.Request{}, apierr.New("InvalidFilter", "The filter name is not valid: Filters need a FilterKey and FilterValues.")
		}
	}
	p, ok := page.New(int(cmp.Or(aws.ToInt32(in.MaxResults), mostListed)), in.NextToken, list...)
	if !ok {
		return p, invalidToken()
	}
	return p, nil
}

// wantsActivation says whether an activation passes all filters; of each one value is enough.
func wantsActivation(one *secret.Activation, filters []types.DescribeActivationsFilter) bool {
	for _, f := range filters {
		have := one.ActivationID
		switch f.FilterKey {
		case types.DescribeActivationsFilterKeysDefaultInstanceName:
			have = one.DefaultInstanceName
		case types.DescribeActivationsFilterKeysIamRole:
			have = one.IAMRole
		}
		if !slices.Contains(f.FilterValues, have) {
			return false
		}
	}
	return true
}
