package secretsmanager

import (
	"slices"

	"berth/internal/apierr"
	"berth/internal/secret"
	"berth/internal/state"
)

// putVersion gives a secret a version with that id and value, which gets the labels: AWSCURRENT where none are named, and in any case if it is the first.
// It returns the secret as it is then. A version that is there already with the same value changes nothing; one with another value is a
// ResourceExistsException.
func (a *API) putVersion(tx *state.Tx, s *secret.Secret, id string, v value, labels []string) (*secret.Secret, error) {
	made := secret.SecretVersion{Secret: s.Arn, VersionID: id, CreatedDate: now()}
	if old := tx.SecretVersions.Get(made.Key()); old != nil {
		return s, a.same(old, v)
	}
	stages, err := attached(s.Stages, id, labels)
	if err != nil {
		return nil, err
	}
	tx.Put(a.sealed(made, v))
	for _, old := range secret.Surplus(slices.Collect(versions(tx.Tables, s)), stages, mostVersions) {
		tx.Delete(old)
	}
	changed := *s
	changed.Stages, changed.ChangedDate = stages, made.CreatedDate
	tx.Put(&changed)
	return &changed, nil
}

// attached are stages with labels moved to a new version.
func attached(stages secret.Stages, id string, labels []string) (secret.Stages, error) {
	current := stages.Holder(secret.Current) == "" || len(labels) == 0 || slices.Contains(labels, secret.Current)
	for _, label := range labels {
		if label != secret.Current {
			stages = stages.Moved(label, id)
		}
	}
	if current {
		stages = stages.Moved(secret.Current, id)
	}
	if len(stages) > mostStages {
		return nil, limitExceeded("The VersionStages exceed the limit: a secret can have at most %d staging labels.", mostStages)
	}
	return stages, nil
}

// same says whether a version has that value.
func (a *API) same(old *secret.SecretVersion, v value) error {
	kept, err := a.open(old)
	if err != nil {
		return err
	}
	if kept != v {
		return apierr.New("ResourceExistsException", "You can't use ClientRequestToken %s because that value is already in use for a version of secret %s.",
			old.VersionID, old.Secret)
	}
	return nil
}
