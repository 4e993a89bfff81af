package ssm

import (
	"context"

	awsssm "github.com/aws/aws-sdk-go-v2/service/ssm"

	"berth/internal/frontdoor"
)

// deleteParameters deletes those of the named parameters that are there, one after another, and names the others.
func (a *API) deleteParameters(ctx context.Context, r *frontdoor.Request, in *awsssm.DeleteParametersInput) (*awsssm.DeleteParametersOutput, error) {
	if err := validateNames(in.Names); err != nil {
		return nil, err
	}
	out := &awsssm.DeleteParametersOutput{DeletedParameters: []string{}, InvalidParameters: []string{}}
	for _, name := range distinct(in.Names) {
		err := a.remove(ctx, r, name)
		switch {
		case err == nil:
			out.DeletedParameters = append(out.DeletedParameters, name)
		case missing(err):
			out.InvalidParameters = append(out.InvalidParameters, name)
		default:
			return nil, err
		}
	}
	return out, nil
}
