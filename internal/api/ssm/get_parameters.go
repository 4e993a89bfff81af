package ssm

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsssm "github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"berth/internal/apierr"
	"berth/internal/constraint"
	"berth/internal/frontdoor"
)

const mostNames = 10

// getParameters answers with those of the named parameters that are there, and names the others. Each is there once, however often it is named.
func (a *API) getParameters(_ context.Context, r *frontdoor.Request, in *awsssm.GetParametersInput) (*awsssm.GetParametersOutput, error) {
	if err := validateNames(in.Names); err != nil {
		return nil, err
	}
	t := a.store.View().Tables
	out := &awsssm.GetParametersOutput{Parameters: []types.Parameter{}, InvalidParameters: []string{}}
	for _, name := range distinct(in.Names) {
		p, err := a.parameter(t, r, name, aws.ToBool(in.WithDecryption))
		switch {
		case err == nil:
			out.Parameters = append(out.Parameters, *p)
		case missing(err):
			out.InvalidParameters = append(out.InvalidParameters, name)
		default:
			return nil, err
		}
	}
	return out, nil
}

// missing says whether an error is that a parameter or its version is not there.
func missing(err error) bool {
	code := apierr.As(err).Code
	return code == "ParameterNotFound" || code == "ParameterVersionNotFound"
}

func validateNames(names []string) error {
	var c constraint.Check
	c.Present("names", names != nil)
	if names != nil {
		c.Count("names", names, 1, mostNames)
	}
	for _, name := range names {
		c.Text("names.member", &name, 1, mostName)
	}
	return c.Err()
}

// distinct are names in their order, each once.
func distinct(names []string) (out []string) {
	seen := map[string]bool{}
	for _, name := range names {
		if !seen[name] {
			seen[name], out = true, append(out, name)
		}
	}
	return out
}
