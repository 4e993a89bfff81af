package ec2

import (
	"slices"
	"strings"
	"unicode/utf8"

	"berth/internal/apierr"
	"berth/internal/vpc"
)

// Tag is a tag in requests and answers.
type Tag struct{ Key, Value *string }

// TagSpecification are tags for a resource that a request makes.
type TagSpecification struct {
	ResourceType *string
	Tags         []Tag `json:"Tag"`
}

// EC2's limits on tags.
const (
	mostTags     = 50
	mostTagKey   = 128
	mostTagValue = 256
)

// tagsFor are the tags that a request gives to a new resource of a kind ("vpc", "security-group-rule").
func tagsFor(kind string, specifications []TagSpecification) ([]vpc.Tag, error) {
	var tags []Tag
	for _, s := range specifications {
		switch {
		case text(s.ResourceType) == "":
			return nil, missing("ResourceType")
		case *s.ResourceType != kind:
			return nil, invalid("'%.64s' is not a valid taggable resource type for this operation.", *s.ResourceType)
		}
		tags = append(tags, s.Tags...)
	}
	return merged(nil, tags)
}

// merged are a resource's tags with new ones, which replace those of the same key.
func merged(old []vpc.Tag, tags []Tag) ([]vpc.Tag, error) {
	tooMany := apierr.New("TagLimitExceeded", "The maximum number of Tags for a resource has been reached.")
	if len(tags) > mostTags {
		return nil, tooMany
	}
	out := slices.Clone(old)
	for i, t := range tags {
		key, value := text(t.Key), text(t.Value)
		switch {
		case key == "" || utf8.RuneCountInString(key) > mostTagKey:
			return nil, invalid("Tag key must be between 1 and %d characters: '%.140s'", mostTagKey, key)
		case strings.HasPrefix(strings.ToLower(key), "aws:"):
			return nil, invalid("Tag keys starting with 'aws:' are reserved for internal use")
		case utf8.RuneCountInString(value) > mostTagValue:
			return nil, invalid("Tag value exceeds the maximum length of %d characters", mostTagValue)
		case slices.ContainsFunc(tags[:i], func(o Tag) bool { return text(o.Key) == key }):
			return nil, invalid("Duplicate tag key '%s' specified.", key)
		}
		out = slices.DeleteFunc(out, func(o vpc.Tag) bool { return o.Key == key })
		out = append(out, vpc.Tag{Key: key, Value: value})
	}
	if len(out) > mostTags {
		return nil, tooMany
	}
	slices.SortFunc(out, func(x, y vpc.Tag) int { return strings.Compare(x.Key, y.Key) })
	return out, nil
}

// shown are a resource's tags in an answer.
func shown(tags []vpc.Tag) []Tag {
	out := []Tag{}
	for _, t := range tags {
		out = append(out, Tag{&t.Key, &t.Value})
	}
	return out
}
