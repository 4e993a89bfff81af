package ssm

import (
	"context"
	"regexp"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsssm "github.com/aws/aws-sdk-go-v2/service/ssm"

	"berth/internal/apierr"
	"berth/internal/constraint"
	"berth/internal/frontdoor"
	"berth/internal/secret"
	"berth/internal/state"
)

const (
	mostLabels = 10 // of a version
	mostLabel  = 100
)

var labelForm = regexp.MustCompile(`^[a-zA-Z0-9_.-]+$`)

// labelParameterVersion attaches labels to a version, the newest where the request names none, and takes them off the one that had them. Labels that break
// the rules are named in the answer.
func (a *API) labelParameterVersion(ctx context.Context, r *frontdoor.Request, in *awsssm.LabelParameterVersionInput) (*awsssm.LabelParameterVersionOutput, error) {
	if err := validateLabels(in.Name, in.Labels); err != nil {
		return nil, err
	}
	wrong := func(label string) bool { return !validLabel(label) }
	out := &awsssm.LabelParameterVersionOutput{InvalidLabels: orNone(slices.DeleteFunc(distinct(in.Labels), validLabel))}
	labels := slices.DeleteFunc(distinct(in.Labels), wrong)
	err := a.store.Update(ctx, func(tx *state.Tx) error {
		p, err := findPlain(tx.Tables, r.Scope, *in.Name)
		if err != nil {
			return err
		}
		v, err := numbered(tx.Tables, p, aws.ToInt64(in.ParameterVersion))
		if err != nil {
			return err
		}
		out.ParameterVersion = v.Version
		return attach(tx, p, v, labels)
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

func validateLabels(name *string, labels []string) error {
	var c constraint.Check
	c.Needed("name", name, 1, mostName)
	c.Present("labels", labels != nil)
	if labels != nil {
		c.Count("labels", labels, 1, mostLabels)
	}
	for _, label := range labels {
		c.Text("labels.member", &label, 1, mostLabel)
	}
	return c.Err()
}

// validLabel keeps the rules: letters, digits, and . - _; no digit first, and no prefix of AWS's own.
func validLabel(label string) bool {
	low := strings.ToLower(label)
	return labelForm.MatchString(label) && (label[0] < '0' || label[0] > '9') && !strings.HasPrefix(low, "aws") && !strings.HasPrefix(low, "ssm")
}

// numbered is the version with that number, the newest for 0.
func numbered(t *state.Tables, p *secret.Parameter, number int64) (secret.ParameterValue, error) {
	if number == 0 || number == p.Current.Version {
		return p.Current, nil
	}
	if old := t.ParameterVersions.Get(secret.VersionKey(p.Arn, number)); old != nil {
		return old.Value, nil
	}
	return secret.ParameterValue{}, noVersion(text(number), p.Name)
}

// attach moves labels to a version.
func attach(tx *state.Tx, p *secret.Parameter, to secret.ParameterValue, labels []string) error {
	all := slices.Collect(versions(tx.Tables, p))
	for _, v := range all {
		with := slices.Clone(v.Labels)
		for _, label := range labels {
			has := slices.Contains(with, label)
			switch {
			case v.Version == to.Version && !has:
				with = append(with, label)
			case v.Version != to.Version && has:
				with = slices.DeleteFunc(with, func(x string) bool { return x == label })
			}
		}
		if len(with) > mostLabels {
			return apierr.New("ParameterVersionLabelLimitExceeded",
				"A parameter version can have maximum %d Labels. Move one or more labels to another version and try again.", mostLabels)
		}
		if !slices.Equal(with, v.Labels) {
			v.Labels = with
			p = putVersion(tx, p, v)
		}
	}
	return nil
}
