package ssm

import (
	"context"

	awsssm "github.com/aws/aws-sdk-go-v2/service/ssm"

	"berth/internal/constraint"
	"berth/internal/frontdoor"
	"berth/internal/secret"
	"berth/internal/state"
)

// deleteParameter deletes a parameter with all its versions.
func (a *API) deleteParameter(ctx context.Context, r *frontdoor.Request, in *awsssm.DeleteParameterInput) (*awsssm.DeleteParameterOutput, error) {
	var c constraint.Check
	c.Needed("name", in.Name, 1, mostName)
	if err := c.Err(); err != nil {
		return nil, err
	}
	if err := a.remove(ctx, r, *in.Name); err != nil {
		return nil, err
	}
	return &awsssm.DeleteParameterOutput{}, nil
}

// remove deletes a parameter in one Update: its versions are never more than that holds.
func (a *API) remove(ctx context.Context, r *frontdoor.Request, name string) error {
	return a.store.Update(ctx, func(tx *state.Tx) error {
		p, err := findPlain(tx.Tables, r.Scope, name)
		if err != nil {
			return err
		}
		var older []*secret.ParameterVersion
		for v := range tx.ParameterVersions.Under(p.Arn+":", "") {
			older = append(older, v)
		}
		for _, v := range older {
			tx.Delete(v)
		}
		tx.Delete(p)
		return nil
	})
}
