package ssm

import (
	"iter"
	"slices"

	"berth/internal/arn"
	"berth/internal/secret"
	"berth/internal/state"
)

// find is the parameter that a request names, by its name or its ARN, and how it is named.
func find(t *state.Tables, s arn.Scope, name string) (*secret.Parameter, secret.ParameterRef, error) {
	ref, ok := secret.ParseParameter(s, name)
	if !ok {
		return nil, ref, notFound(name)
	}
	p := t.Parameters.Get(ref.ARN)
	if p == nil || !ref.Is(p) {
		return nil, ref, notFound(name)
	}
	return p, ref, nil
}

// findPlain is the parameter of a request that may not name a version.
func findPlain(t *state.Tables, s arn.Scope, name string) (*secret.Parameter, error) {
	p, ref, err := find(t, s, name)
	if err == nil && ref.Selector != "" {
		return nil, notFound(name)
	}
	return p, err
}

// versions are all of a parameter's, oldest first.
func versions(t *state.Tables, p *secret.Parameter) iter.Seq[secret.ParameterValue] {
	return func(yield func(secret.ParameterValue) bool) {
		for v := range t.ParameterVersions.Under(p.Arn+":", "") {
			if !yield(v.Value) {
				return
			}
		}
		yield(p.Current)
	}
}

// selected is the version that a reference selects.
func selected(t *state.Tables, p *secret.Parameter, ref secret.ParameterRef) (secret.ParameterValue, error) {
	version, label := ref.Version(), ref.Label()
	switch {
	case ref.Selector == "" || version == p.Current.Version:
		return p.Current, nil
	case label == "":
		if old := t.ParameterVersions.Get(secret.VersionKey(p.Arn, version)); old != nil {
			return old.Value, nil
		}
		return secret.ParameterValue{}, noVersion(ref.Selector[1:], p.Name)
	}
	for v := range versions(t, p) {
		if slices.Contains(v.Labels, label) {
			return v, nil
		}
	}
	return secret.ParameterValue{}, noLabel(label, p.Name)
}

// putVersion writes a version of p that has changed and returns p as it is then.
func putVersion(tx *state.Tx, p *secret.Parameter, v secret.ParameterValue) *secret.Parameter {
	if v.Version != p.Current.Version {
		tx.Put(&secret.ParameterVersion{Parameter: p.Arn, Value: v})
		return p
	}
	changed := *p
	changed.Current = v
	tx.Put(&changed)
	return &changed
}
