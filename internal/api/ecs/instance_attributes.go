package ecs

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/apierr"
	"berth/internal/ecs"
)

// AWS's limits on an attribute, and Berth's on how many an agent may say: it says some eighty capabilities.
const (
	mostAttributes    = 500
	mostAttributeText = 128
)

// identity is what of an EC2 instance's identity document is used. The signature is not verified: who the caller is, the access key says.
type identity struct {
	InstanceID   string `json:"instanceId"`
	InstanceType string `json:"instanceType"`
	Zone         string `json:"availabilityZone"`
	Architecture string `json:"architecture"`
	ImageID      string `json:"imageId"`
}

// parseIdentity reads an identity document; the text is empty outside of EC2.
func parseIdentity(document *string) (id identity, err error) {
	if text(document) == "" {
		return identity{}, nil
	}
	if err := json.Unmarshal([]byte(*document), &id); err != nil || !strings.HasPrefix(id.InstanceID, "i-") {
		return identity{}, apierr.InvalidParameter("instanceIdentityDocument is not an EC2 instance's identity document.")
	}
	return id, nil
}

// attributes are those that follow from the document: agents on EC2 do not say them.
func (id identity) attributes() []types.Attribute {
	var out []types.Attribute
	for _, a := range [][2]string{
		{ecs.AttributeZone, id.Zone}, {ecs.AttributeInstanceType, id.InstanceType}, {ecs.AttributeArchitecture, id.Architecture}, {ecs.AttributeImage, id.ImageID},
	} {
		if a[1] != "" {
			out = append(out, types.Attribute{Name: new(a[0]), Value: new(a[1])})
		}
	}
	return out
}

// validateAttributes checks what an agent says of its machine, whose they all are. An error is an InvalidParameterException.
func validateAttributes(list []types.Attribute) error {
	if len(list) > mostAttributes {
		return apierr.InvalidParameter("attributes can have at most %d items.", mostAttributes)
	}
	seen := map[string]string{}
	for _, a := range list {
		name := text(a.Name)
		if err := validateEnum("attributes.targetType", a.TargetType); err != nil {
			return err
		}
		other, again := seen[name]
		switch {
		case name == "":
			return apierr.InvalidParameter("Attribute name should not be null or empty.")
		case len(name) > mostAttributeText || len(text(a.Value)) > mostAttributeText:
			return apierr.InvalidParameter("The name and the value of an attribute can have at most %d characters, but those of '%s' are longer.",
				mostAttributeText, name)
		case again && other != text(a.Value): // an agent may say a capability twice, which is no contradiction
			return apierr.InvalidParameter("The attribute '%s' is given more than once.", name)
		}
		seen[name] = text(a.Value)
	}
	return nil
}

// mergeAttributes are the attributes of an instance that registers: what the agent says now, all of which it must get back or it gives up; what
// follows from its identity; custom ones from before, which it says only at first; its type; and its zone, or else the default one, if any.
func mergeAttributes(before, said, identity []types.Attribute, zone string) []types.Attribute {
	var out []types.Attribute
	add := func(list []types.Attribute, keep func(name string) bool) {
		for _, a := range list {
			known := func(o types.Attribute) bool { return text(o.Name) == text(a.Name) }
			if keep(text(a.Name)) && !slices.ContainsFunc(out, known) {
				out = append(out, types.Attribute{Name: a.Name, Value: a.Value})
			}
		}
	}
	all := func(string) bool { return true }
	add(said, all) // each once
	add(identity, all)
	add(before, func(name string) bool {
		return ecs.CustomAttribute(name) || name == ecs.AttributeZone || name == ecs.AttributeInstanceType
	})
	if zone != "" {
		add([]types.Attribute{{Name: new(ecs.AttributeZone), Value: &zone}}, all)
	}
	return out
}
