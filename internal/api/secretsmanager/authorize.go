package secretsmanager

import (
	"fmt"
	"reflect"
	"strings"

	"berth/internal/frontdoor"
	"berth/internal/policy"
	"berth/internal/record"
	"berth/internal/secret"
)

// keys are the condition keys of a request that are its members: by the Service Authorization Reference, each is called as its member is.
func keys(_ *frontdoor.Request, in any) policy.Context {
	input := reflect.ValueOf(in).Elem()
	return policy.Func(func(key string) []string {
		member, ok := strings.CutPrefix(key, "secretsmanager:")
		if !ok {
			return nil
		}
		for _, known := range []string{"SecretId", "Name", "Description", "KmsKeyId", "VersionId", "VersionStage", "RecoveryWindowInDays",
			"ForceDeleteWithoutRecovery", "BlockPublicPolicy"} {
			if strings.ToLower(known) == member {
				return memberText(input.FieldByName(known))
			}
		}
		return nil
	})
}

// memberText is a member's value, nil where the request does not have it.
func memberText(v reflect.Value) []string {
	if !v.IsValid() || v.Kind() != reflect.Pointer || v.IsNil() {
		return nil
	}
	return []string{fmt.Sprint(v.Elem().Interface())}
}

// resourceTags are a secret's tags by its ARN.
func (a *API) resourceTags(resource string) map[string]string {
	s := a.store.View().Secrets.Get(resource)
	if s == nil {
		return nil
	}
	return record.TagMap(s.Tags)
}

// resourcePolicy is a secret's policy by its ARN, nil where it has none.
func (a *API) resourcePolicy(_ *frontdoor.Request, resource string) *policy.Set {
	s := a.store.View().Secrets.Get(resource)
	if s == nil || s.Policy == "" {
		return nil
	}
	return compiled(s)
}

// compiled is a secret's policy. One that is stored and yet cannot be read lets nobody in.
func compiled(s *secret.Secret) *policy.Set {
	d, err := policy.Parse(s.Policy, policy.Resource)
	if err != nil {
		d = &policy.Document{Statements: []policy.Statement{{
			Effect: policy.Deny, Principals: &policy.Principals{All: true}, Actions: []string{"*"}, Resources: []string{"*"},
		}}}
	}
	return policy.Compile(policy.Source{Name: "resource policy of " + s.Name, Document: d})
}

// mayGet asks the policies about the value of one secret of several.
func (a *API) mayGet(r *frontdoor.Request, id string) error {
	resource := a.resource(r.Scope, id)
	tags := a.resourceTags(resource)
	e := r.Authorize(frontdoor.Question{
		Action: "secretsmanager:GetSecretValue", Resource: resource, ResourcePolicy: a.resourcePolicy(r, resource),
		Keys: policy.Chain{
			policy.Keys{{Name: "secretsmanager:secretid", Values: []string{id}}},
			policy.Tags{Prefix: "aws:resourcetag/", Tags: tags}, policy.Tags{Prefix: "secretsmanager:resourcetag/", Tags: tags},
		},
	})
	if e != nil {
		return e
	}
	return nil
}
