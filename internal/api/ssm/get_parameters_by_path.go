package ssm

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsssm "github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"berth/internal/constraint"
	"berth/internal/frontdoor"
	"berth/internal/page"
	"berth/internal/secret"
	"berth/internal/state"
)

const mostByPath = 10 // on a page

// found is a version of a parameter that a list shows.
type found struct {
	*secret.Parameter
	value secret.ParameterValue
}

// getParametersByPath answers with the parameters below a path, on one level or on all. With a filter on labels it shows the versions that have one of them.
func (a *API) getParametersByPath(_ context.Context, r *frontdoor.Request, in *awsssm.GetParametersByPathInput) (*awsssm.GetParametersByPathOutput, error) {
	filters, p, err := validateByPath(in)
	if err != nil {
		return nil, err
	}
	t := a.store.View().Tables
	list, next := page.Take(p, belowPath(t, r, *in.Path, aws.ToBool(in.Recursive), filters), func(f found) string { return f.Arn })
	out := &awsssm.GetParametersByPathOutput{Parameters: []types.Parameter{}, NextToken: next}
	for _, f := range list {
		shown, err := a.shape(f.Parameter, f.value, "", aws.ToBool(in.WithDecryption))
		if err != nil {
			return nil, err
		}
		out.Parameters = append(out.Parameters, *shown)
	}
	return out, nil
}

func validateByPath(in *awsssm.GetParametersByPathInput) ([]filter, page.Request, error) {
	var c constraint.Check
	c.Needed("path", in.Path, 1, mostName)
	constraint.Number(&c, "maxResults", in.MaxResults, 1, mostByPath)
	if err := c.Err(); err != nil {
		return nil, page.Request{}, err
	}
	if err := validatePath(*in.Path); err != nil {
		return nil, page.Request{}, err
	}
	filters, err := readFilters(in.ParameterFilters, "Type", "KeyId", "Label")
	if err != nil {
		return nil, page.Request{}, err
	}
	list := append([]string{"GetParametersByPath", *in.Path, fmt.Sprint(aws.ToBool(in.Recursive))}, filterTexts(filters)...)
	p, ok := page.New(int(cmp.Or(aws.ToInt32(in.MaxResults), mostByPath)), in.NextToken, list...)
	if !ok {
		return nil, p, invalidToken()
	}
	return filters, p, nil
}

// belowPath yields what is below a path and passes the filters, by ARN.
func belowPath(t *state.Tables, r *frontdoor.Request, path string, recursive bool, filters []filter) iter.Seq[found] {
	labels := slices.ContainsFunc(filters, func(f filter) bool { return f.key == "Label" })
	return func(yield func(found) bool) {
		for p := range t.Parameters.Under(secret.ParameterARN(r.Scope, path), "") {
			if !below(p.Name, path, recursive) {
				continue
			}
			of := versions(t, p)
			if !labels {
				of = slices.Values([]secret.ParameterValue{p.Current})
			}
			for v := range of {
				if !matches(p, v, filters) {
					continue
				}
				if !yield(found{p, v}) {
					return
				}
				break // a parameter is there once
			}
		}
	}
}
