package ecs

import (
	"slices"
	"strings"

	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/apierr"
	"berth/internal/arn"
	"berth/internal/ecs"
	"berth/internal/frontdoor"
	"berth/internal/state"
)

// AWS's limits on the attributes of a request, and on the custom ones of a container instance.
const (
	mostAttributesAtOnce = 10
	mostCustomAttributes = 10
)

// attributeChange is an attribute that a request puts on an instance or takes from it.
type attributeChange struct {
	name   string
	value  *string
	target arn.Instance
}

// attributeChanges reads the attributes of PutAttributes and DeleteAttributes. An error is an InvalidParameterException.
func attributeChanges(r *frontdoor.Request, cluster *string, list []types.Attribute) ([]attributeChange, error) {
	c, err := clusterARN(r, cluster)
	switch {
	case err != nil:
		return nil, err
	case len(list) == 0:
		return nil, apierr.InvalidParameter("attributes should not be null or empty.")
	case len(list) > mostAttributesAtOnce:
		return nil, apierr.InvalidParameter("attributes can have at most %d items.", mostAttributesAtOnce)
	}
	var out []attributeChange
	for _, a := range list {
		if err := validateCustomName(text(a.Name)); err != nil {
			return nil, err
		}
		target, err := attributeTarget(c, a)
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(out, func(o attributeChange) bool { return o.name == *a.Name && o.target == target }) {
			return nil, apierr.InvalidParameter("The attribute '%s' is given more than once.", *a.Name)
		}
		out = append(out, attributeChange{*a.Name, a.Value, target})
	}
	return out, nil
}

// attributeTarget reads whose an attribute is: a container instance's ARN, or its id where the request says that it is one.
func attributeTarget(c arn.Cluster, a types.Attribute) (arn.Instance, error) {
	if err := validateEnum("targetType", a.TargetType); err != nil {
		return "", err
	}
	id := text(a.TargetId)
	switch {
	case id == "":
		return "", apierr.InvalidParameter("targetId should not be null or empty.")
	case !arn.Is(id) && a.TargetType == "":
		return "", apierr.InvalidParameter("targetType is required where targetId is not an ARN.")
	}
	return instanceARN(c, id)
}

// validateCustomName checks the name of an attribute that users may change.
func validateCustomName(name string) error {
	switch {
	case name == "":
		return apierr.InvalidParameter("Attribute name should not be null or empty.")
	case len(name) > mostAttributeText || !attributeText(name, `-_./\`):
		return apierr.InvalidParameter(`The attribute name '%s' is invalid: it can have between 1 and %d letters, digits, hyphens, underscores, slashes, `+
			`back slashes and periods.`, shortened(name), mostAttributeText)
	case !ecs.CustomAttribute(name):
		return apierr.InvalidParameter("The attribute '%s' cannot be changed: only custom attributes can, whose names do not begin with a reserved prefix.", name)
	}
	return nil
}

// validateCustomValue checks the value of a custom attribute; it may have none.
func validateCustomValue(a attributeChange) error {
	v := text(a.value)
	if a.value == nil || v != "" && len(v) <= mostAttributeText && attributeText(v, `-_.@/\: `) && strings.TrimSpace(v) == v {
		return nil
	}
	return apierr.InvalidParameter(`The value of the attribute '%s' is invalid: it can have between 1 and %d letters, digits, hyphens, underscores, `+
		`periods, at signs, slashes, back slashes, colons and spaces, the latter not at its ends.`, a.name, mostAttributeText)
}

// attributeText reports whether s has letters, digits and the characters of also only.
func attributeText(s, also string) bool {
	for _, c := range []byte(s) {
		letter := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
		if !letter && strings.IndexByte(also, c) < 0 {
			return false
		}
	}
	return true
}

// changeAttributes makes each change to its instance, and answers with the changed attributes. All instances must be there.
func changeAttributes(tx *state.Tx, r *frontdoor.Request, named *string, changes []attributeChange, change func(*ecs.Instance, attributeChange)) (
	out []types.Attribute, err error,
) {
	if _, err := cluster(tx.Tables, r, named); err != nil {
		return nil, err
	}
	changed := map[arn.Instance]*ecs.Instance{}
	for _, x := range changes {
		i := changed[x.target]
		if i == nil {
			was := tx.Instances.Get(x.target)
			if was == nil || was.Status == ecs.Inactive {
				return nil, apierr.TargetNotFound(string(x.target))
			}
			n := *was
			i, n.Attributes = &n, slices.Clone(was.Attributes)
			changed[x.target] = i
		}
		before := i.CustomAttributes()
		change(i, x)
		if n := i.CustomAttributes(); n > mostCustomAttributes && n > before {
			return nil, apierr.AttributeLimitExceeded(mostCustomAttributes, string(x.target))
		}
		out = append(out, types.Attribute{Name: new(x.name), Value: x.value, TargetId: new(string(x.target))})
	}
	for _, x := range changes {
		i := changed[x.target]
		if was := tx.Instances.Get(x.target); i != nil && !slices.EqualFunc(was.Attributes, i.Attributes, sameAttribute) {
			i.Version++
			tx.Put(i)
		}
		delete(changed, x.target)
	}
	return out, nil
}

func sameAttribute(a, b types.Attribute) bool {
	return text(a.Name) == text(b.Name) && text(a.Value) == text(b.Value) && (a.Value == nil) == (b.Value == nil)
}

// attributeOperations are the operations on attributes, with the resources that a policy is asked about.
func (a *API) attributeOperations() []frontdoor.Operation {
	targets := func(r *frontdoor.Request, cluster *string, list []types.Attribute) []string {
		var names []string
		for _, a := range list {
			names = append(names, text(a.TargetId))
		}
		return instanceResources(r, cluster, names...)
	}
	return []frontdoor.Operation{
		frontdoor.Op("PutAttributes", a.putAttributes).On(func(r *frontdoor.Request, in any) []string {
			i := in.(*awsecs.PutAttributesInput)
			return targets(r, i.Cluster, i.Attributes)
		}),
		frontdoor.Op("DeleteAttributes", a.deleteAttributes).On(func(r *frontdoor.Request, in any) []string {
			i := in.(*awsecs.DeleteAttributesInput)
			return targets(r, i.Cluster, i.Attributes)
		}),
		frontdoor.Op("ListAttributes", a.listAttributes).On(func(r *frontdoor.Request, in any) []string {
			return instanceResources(r, in.(*awsecs.ListAttributesInput).Cluster, "*")
		}),
	}
}
