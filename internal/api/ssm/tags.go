package ssm

import (
	"regexp"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"berth/internal/apierr"
	"berth/internal/arn"
	"berth/internal/constraint"
	"berth/internal/record"
	"berth/internal/secret"
	"berth/internal/state"
)

const (
	mostTags     = 50
	mostTagKey   = 128
	mostTagValue = 256
)

var tagForm = regexp.MustCompile(`^([\p{L}\p{Z}\p{N}_.:/=+\-@]*)$`)

// validateTags checks tags that a request wants on a resource.
func validateTags(tags []types.Tag) error {
	var c constraint.Check
	for _, t := range tags {
		c.Needed("tags.member.key", t.Key, 1, mostTagKey)
		c.Pattern("tags.member.key", t.Key, tagForm)
		c.Needed("tags.member.value", t.Value, 0, mostTagValue)
		c.Pattern("tags.member.value", t.Value, tagForm)
	}
	if err := c.Err(); err != nil {
		return err
	}
	seen := map[string]bool{}
	for _, t := range tags {
		switch {
		case strings.HasPrefix(strings.ToLower(*t.Key), "aws:"):
			return invalid("Tags: the key %s is not allowed: aws: prefixed tag key names are not allowed for external use.", *t.Key)
		case seen[*t.Key]:
			return invalid("Tags: the key %s is given more than once.", *t.Key)
		}
		seen[*t.Key] = true
	}
	if len(seen) > mostTags {
		return tooManyTags()
	}
	return nil
}

func tooManyTags() error {
	return apierr.New("TooManyTagsError", "The Tags of a resource can be at most %d.", mostTags)
}

// withTags are tags with others added, which replace those of the same key.
func withTags(old []secret.Tag, more []types.Tag) []secret.Tag {
	all := slices.Clone(old)
	for _, t := range more {
		tag := secret.Tag{Key: aws.ToString(t.Key), Value: aws.ToString(t.Value)}
		if i := slices.IndexFunc(all, func(x secret.Tag) bool { return x.Key == tag.Key }); i >= 0 {
			all[i] = tag
		} else {
			all = append(all, tag)
		}
	}
	return all
}

// withoutTags are tags but those of some keys.
func withoutTags(old []secret.Tag, keys []string) []secret.Tag {
	return slices.DeleteFunc(slices.Clone(old), func(t secret.Tag) bool { return slices.Contains(keys, t.Key) })
}

// tagList are tags as answers have them.
func tagList(tags []secret.Tag) []types.Tag {
	list := make([]types.Tag, len(tags))
	for i, t := range tags {
		list[i] = types.Tag{Key: &t.Key, Value: &t.Value}
	}
	return list
}

// tagged is a resource that has tags; with is a record of it with others.
type tagged struct {
	tags []secret.Tag
	with func(tags []secret.Tag) record.Record
}

// findTagged finds a parameter or a managed instance. There are no resources of the other types.
func findTagged(t *state.Tables, s arn.Scope, kind types.ResourceTypeForTagging, id string) (tagged, error) {
	switch kind {
	case types.ResourceTypeForTaggingParameter:
		if p, err := findPlain(t, s, id); err == nil {
			return tagged{p.Tags, func(tags []secret.Tag) record.Record { c := *p; c.Tags = tags; return &c }}, nil
		}
	case types.ResourceTypeForTaggingManagedInstance:
		if m := t.ManagedInstances.Get(secret.RegionKey(s.Account, s.Region, id)); m != nil {
			return tagged{m.Tags, func(tags []secret.Tag) record.Record { c := *m; c.Tags = tags; return &c }}, nil
		}
	}
	return tagged{}, apierr.New("InvalidResourceId", "The resource ID is not valid: ResourceId %.256s. Verify that you entered the correct ID and try again.", id)
}

// validateTagged checks what a request about tags names.
func validateTagged(c *constraint.Check, kind types.ResourceTypeForTagging, id *string) error {
	c.Present("resourceType", kind != "")
	constraint.Enum(c, "resourceType", kind, kind.Values())
	c.Needed("resourceId", id, 1, mostName)
	return c.Err()
}
