package ssm

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsssm "github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"berth/internal/constraint"
	"berth/internal/frontdoor"
	"berth/internal/secret"
	"berth/internal/state"
)

// getParameter answers with one version of a parameter: the newest, or the one that a number or label behind its name selects.
func (a *API) getParameter(_ context.Context, r *frontdoor.Request, in *awsssm.GetParameterInput) (*awsssm.GetParameterOutput, error) {
	var c constraint.Check
	c.Needed("name", in.Name, 1, mostName)
	if err := c.Err(); err != nil {
		return nil, err
	}
	p, err := a.parameter(a.store.View().Tables, r, *in.Name, aws.ToBool(in.WithDecryption))
	if err != nil {
		return nil, err
	}
	return &awsssm.GetParameterOutput{Parameter: p}, nil
}

// parameter is a parameter as answers show it.
func (a *API) parameter(t *state.Tables, r *frontdoor.Request, name string, decrypt bool) (*types.Parameter, error) {
	p, ref, err := find(t, r.Scope, name)
	if err != nil {
		return nil, err
	}
	v, err := selected(t, p, ref)
	if err != nil {
		return nil, err
	}
	return a.shape(p, v, ref.Selector, decrypt)
}

// shape is a version of a parameter as answers show it.
func (a *API) shape(p *secret.Parameter, v secret.ParameterValue, selector string, decrypt bool) (*types.Parameter, error) {
	value, err := a.shown(p.Arn, v, decrypt)
	if err != nil {
		return nil, err
	}
	return &types.Parameter{
		ARN: &p.Arn, Name: &p.Name, Type: types.ParameterType(v.Type), Value: &value, Version: v.Version, Selector: filled(selector), DataType: &v.DataType,
		LastModifiedDate: &v.ModifiedDate,
	}, nil
}

// filled is nil for an empty text.
func filled(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}
