package secretsmanager

import (
	"iter"
	"reflect"
	"regexp"

	"github.com/aws/aws-sdk-go-v2/aws"
	awssm "github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"berth/internal/apierr"
	"berth/internal/arn"
	"berth/internal/constraint"
	"berth/internal/frontdoor"
	"berth/internal/secret"
	"berth/internal/state"
)

// The lengths of what names a secret.
const (
	mostID   = 2048
	mostName = 512
)

var nameForm = regexp.MustCompile(`^[A-Za-z0-9/_+=.@!-]+$`)

// validateName checks the name of a new secret, or what a request calls one.
func validateName(name string) error {
	if !nameForm.MatchString(name) {
		return apierr.New("ValidationException",
			"Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: -/_+=.@!")
	}
	return nil
}

// validateID checks a SecretId, and whatever else is in the check.
func validateID(c *constraint.Check, id *string) error {
	c.Needed("secretId", id, 1, mostID)
	if err := c.Err(); err != nil {
		return err
	}
	if arn.Is(*id) {
		return nil
	}
	return validateName(*id)
}

// find is the secret that a SecretId names: a name, an ARN, or an ARN without the suffix. One of another account or region is not found.
func find(t *state.Tables, s arn.Scope, id string) (*secret.Secret, error) {
	if found := lookUp(t, s, id); found != nil {
		return found, nil
	}
	return nil, notFound()
}

func lookUp(t *state.Tables, s arn.Scope, id string) *secret.Secret {
	name, ok := secret.SecretName(s, id)
	if !ok {
		return nil
	}
	if arn.Is(id) {
		if found := t.Secrets.Get(id); found != nil {
			return found
		}
	}
	prefix := secret.SecretsIn(s) + name + "-"
	for found := range t.Secrets.Under(prefix, "") {
		if found.Name == name {
			return found
		}
	}
	return nil
}

// findUsable is a secret that is not marked for deletion.
func findUsable(t *state.Tables, s arn.Scope, id string) (*secret.Secret, error) {
	found, err := find(t, s, id)
	if err == nil && !found.DeletedDate.IsZero() {
		return nil, markedForDeletion()
	}
	return found, err
}

// versions are a secret's, by their ids.
func versions(t *state.Tables, s *secret.Secret) iter.Seq[*secret.SecretVersion] {
	return t.SecretVersions.Under(s.Arn+"/", "")
}

// unmadeSuffix stands for the random characters of a secret that is not there: policies match it with six question marks, as AWS's examples have it.
const unmadeSuffix = "-??????"

// newSecretResource is the ARN that a policy is asked about before the secret exists.
func newSecretResource(r *frontdoor.Request, in any) []string {
	return []string{secret.SecretsIn(r.Scope) + aws.ToString(in.(*awssm.CreateSecretInput).Name) + unmadeSuffix}
}

// about gives an operation what policies are asked about: the ARN of the secret that its SecretId names, the keys and the secret's own policy.
func (a *API) about(o frontdoor.Operation) frontdoor.Operation {
	member, ok := o.Input.FieldByName("SecretId")
	if !ok {
		panic("secretsmanager: " + o.Name + " names no secret")
	}
	o.Keys, o.ResourcePolicy = keys, a.resourcePolicy
	return o.On(func(r *frontdoor.Request, in any) []string {
		id := reflect.ValueOf(in).Elem().FieldByIndex(member.Index).Interface().(*string)
		if id == nil || *id == "" {
			return nil
		}
		return []string{a.resource(r.Scope, *id)}
	})
}

// resource is the ARN that policies are asked about for a SecretId.
func (a *API) resource(s arn.Scope, id string) string {
	if found := lookUp(a.store.View().Tables, s, id); found != nil {
		return found.Arn
	}
	if arn.Is(id) {
		return id
	}
	return secret.SecretsIn(s) + id + unmadeSuffix
}
