package ssm

import (
	"cmp"
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsssm "github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"berth/internal/apierr"
	"berth/internal/frontdoor"
	"berth/internal/secret"
	"berth/internal/state"
)

const (
	mostVersions   = 100
	mostParameters = 110_000 // of the installation: as many as an account may have of both tiers
)

// putParameter makes a parameter, or a new version of one that is there where the request says Overwrite.
func (a *API) putParameter(ctx context.Context, r *frontdoor.Request, in *awsssm.PutParameterInput) (*awsssm.PutParameterOutput, error) {
	if err := validatePut(in); err != nil {
		return nil, err
	}
	var out *awsssm.PutParameterOutput
	err := a.store.Update(ctx, func(tx *state.Tx) (err error) {
		made := tx.Parameters.Get(secret.ParameterARN(r.Scope, *in.Name))
		if made == nil {
			made, err = a.newParameter(tx, r, in)
		} else {
			made, err = a.overwritten(tx, r, made, in)
		}
		if err != nil {
			return err
		}
		tx.Put(made)
		out = &awsssm.PutParameterOutput{Version: made.Current.Version, Tier: types.ParameterTier(made.Current.Tier)}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

func (a *API) newParameter(tx *state.Tx, r *frontdoor.Request, in *awsssm.PutParameterInput) (*secret.Parameter, error) {
	switch {
	case in.Type == "":
		return nil, invalid("A parameter type is required when you create a parameter.")
	case tx.Parameters.Len() >= mostParameters:
		return nil, apierr.New("ParameterLimitExceeded", "You have exceeded the number of parameters: %d.", mostParameters)
	}
	p := &secret.Parameter{Arn: secret.ParameterARN(r.Scope, *in.Name), Name: *in.Name, Tags: withTags(nil, in.Tags)}
	v, err := a.newValue(r, p, secret.ParameterValue{}, in)
	p.Current = v
	return p, err
}

// overwritten is a parameter with a new version; the one before is kept, and the oldest goes where there are too many.
func (a *API) overwritten(tx *state.Tx, r *frontdoor.Request, p *secret.Parameter, in *awsssm.PutParameterInput) (*secret.Parameter, error) {
	switch {
	case p.Name != *in.Name || !aws.ToBool(in.Overwrite):
		return nil, apierr.New("ParameterAlreadyExists", "The parameter already exists. To overwrite this value, set the overwrite option in the request to true.")
	case in.Type != "" && string(in.Type) != p.Current.Type:
		return nil, apierr.New("HierarchyTypeMismatchException", "Parameter Store doesn't support changing a parameter type. The Type of %s is %s.", p.Name, p.Current.Type)
	}
	if err := dropOldest(tx, p); err != nil {
		return nil, err
	}
	v, err := a.newValue(r, p, p.Current, in)
	if err != nil {
		return nil, err
	}
	tx.Put(&secret.ParameterVersion{Parameter: p.Arn, Value: p.Current})
	changed := *p
	changed.Current = v
	return &changed, nil
}

// dropOldest makes room for a version.
func dropOldest(tx *state.Tx, p *secret.Parameter) error {
	older := slices.Collect(tx.ParameterVersions.Under(p.Arn+":", ""))
	if len(older)+1 < mostVersions {
		return nil
	}
	if oldest := older[0]; len(oldest.Value.Labels) > 0 {
		return apierr.New("ParameterMaxVersionLimitExceeded", "You attempted to create a new version of %s by calling the PutParameter API with the overwrite flag. "+
			"Version %d, the oldest version, can't be deleted because it has a label associated with it. Move the label to another version of the parameter, and try again.",
			p.Name, oldest.Value.Version)
	}
	tx.Delete(older[0])
	return nil
}

// newValue is the version of a request after the one before, whose description and the like stay where the request says nothing of them.
func (a *API) newValue(r *frontdoor.Request, p *secret.Parameter, before secret.ParameterValue, in *awsssm.PutParameterInput) (secret.ParameterValue, error) {
	v := before
	v.Version, v.Labels, v.ModifiedDate, v.ModifiedUser = before.Version+1, nil, now(), r.Caller.ARN
	if in.Type != "" {
		v.Type = string(in.Type)
	}
	for _, member := range []struct {
		to   *string
		from *string
	}{{&v.Description, in.Description}, {&v.AllowedPattern, in.AllowedPattern}, {&v.KeyID, in.KeyId}} {
		if member.from != nil {
			*member.to = *member.from
		}
	}
	v.DataType = cmp.Or(aws.ToString(in.DataType), before.DataType, textData)
	if v.Type == string(types.ParameterTypeSecureString) {
		v.KeyID = cmp.Or(v.KeyID, defaultKey)
	}
	var err error
	if v.Tier, err = tier(in.Tier, before.Tier, *in.Value); err != nil {
		return v, err
	}
	if err := validateValue(v, *in.Value); err != nil {
		return v, err
	}
	return a.seal(p.Arn, v, *in.Value), nil
}
