package ssm

import (
	"context"
	"slices"
	"strconv"

	awsssm "github.com/aws/aws-sdk-go-v2/service/ssm"

	"berth/internal/constraint"
	"berth/internal/frontdoor"
	"berth/internal/state"
)

// unlabelParameterVersion takes labels off a version. Those that it does not have are named in the answer.
func (a *API) unlabelParameterVersion(ctx context.Context, r *frontdoor.Request, in *awsssm.UnlabelParameterVersionInput) (*awsssm.UnlabelParameterVersionOutput, error) {
	var c constraint.Check
	c.Present("parameterVersion", in.ParameterVersion != nil)
	if err := firstOf(validateLabels(in.Name, in.Labels), c.Err()); err != nil {
		return nil, err
	}
	out := &awsssm.UnlabelParameterVersionOutput{}
	err := a.store.Update(ctx, func(tx *state.Tx) error {
		p, err := findPlain(tx.Tables, r.Scope, *in.Name)
		if err != nil {
			return err
		}
		if *in.ParameterVersion < 1 {
			return noVersion(text(*in.ParameterVersion), p.Name)
		}
		out.RemovedLabels, out.InvalidLabels = []string{}, []string{}
		v, err := numbered(tx.Tables, p, *in.ParameterVersion)
		if err != nil {
			return err
		}
		for _, label := range distinct(in.Labels) {
			if slices.Contains(v.Labels, label) {
				out.RemovedLabels = append(out.RemovedLabels, label)
			} else {
				out.InvalidLabels = append(out.InvalidLabels, label)
			}
		}
		if len(out.RemovedLabels) > 0 {
			v.Labels = slices.DeleteFunc(slices.Clone(v.Labels), func(x string) bool { return slices.Contains(in.Labels, x) })
			putVersion(tx, p, v)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// text is a number in digits.
func text(n int64) string { return strconv.FormatInt(n, 10) }
