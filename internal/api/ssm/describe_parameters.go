package ssm

import (
	"cmp"
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsssm "github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"berth/internal/constraint"
	"berth/internal/frontdoor"
	"berth/internal/page"
	"berth/internal/secret"
)

// describeParameters lists parameters without their values. Shared ones would be those of other accounts, of which there are none.
func (a *API) describeParameters(_ context.Context, r *frontdoor.Request, in *awsssm.DescribeParametersInput) (*awsssm.DescribeParametersOutput, error) {
	filters, p, err := validateDescribe(in)
	if err != nil {
		return nil, err
	}
	wanted := func(yield func(*secret.Parameter) bool) {
		for p := range a.store.View().Parameters.Under(secret.ParametersIn(r.Scope), "") {
			if !aws.ToBool(in.Shared) && matches(p, p.Current, filters) && !yield(p) {
				return
			}
		}
	}
	list, next := page.Take(p, wanted, (*secret.Parameter).Key)
	out := &awsssm.DescribeParametersOutput{Parameters: []types.ParameterMetadata{}, NextToken: next}
	for _, p := range list {
		v := p.Current
		out.Parameters = append(out.Parameters, types.ParameterMetadata{
			ARN: &p.Arn, Name: &p.Name, Type: types.ParameterType(v.Type), Version: v.Version, KeyId: filled(v.KeyID), Description: filled(v.Description),
			AllowedPattern: filled(v.AllowedPattern), DataType: &v.DataType, Tier: types.ParameterTier(v.Tier), LastModifiedDate: &v.ModifiedDate,
			LastModifiedUser: &v.ModifiedUser, Policies: []types.ParameterInlinePolicy{},
		})
	}
	return out, nil
}

func validateDescribe(in *awsssm.DescribeParametersInput) ([]filter, page.Request, error) {
	var c constraint.Check
	constraint.Number(&c, "maxResults", in.MaxResults, 1, mostListed)
	for _, f := range in.Filters {
		c.Present("filters.member.key", f.Key != "")
		constraint.Enum(&c, "filters.member.key", f.Key, f.Key.Values())
		c.Count("filters.member.values", f.Values, 1, mostFilterValues)
	}
	if err := c.Err(); err != nil {
		return nil, page.Request{}, err
	}
	if len(in.Filters) > 0 && len(in.ParameterFilters) > 0 {
		return nil, page.Request{}, invalid("You can use either Filters or ParameterFilters in a single request.")
	}
	filters, err := readFilters(append(olderFilters(in.Filters), in.ParameterFilters...), "Path", "Name", "Type", "KeyId", "Tier", "DataType", "tag:")
	if err != nil {
		return nil, page.Request{}, err
	}
	p, ok := page.New(int(cmp.Or(aws.ToInt32(in.MaxResults), mostListed)), in.NextToken, append([]string{"DescribeParameters"}, filterTexts(filters)...)...)
	if !ok {
		return nil, p, invalidToken()
	}
	return filters, p, nil
}

// olderFilters are the filters of the older form: of names they are beginnings.
func olderFilters(in []types.ParametersFilter) (filters []types.ParameterStringFilter) {
	for _, f := range in {
		one := types.ParameterStringFilter{Key: aws.String(string(f.Key)), Values: f.Values}
		if f.Key == types.ParametersFilterKeyName {
			one.Option = aws.String("BeginsWith")
		}
		filters = append(filters, one)
	}
	return filters
}
