package iam

import (
	"slices"
	"strings"

	"berth/internal/iam"

	"github.com/aws/aws-sdk-go-v2/service/iam/types"
)

// mostTags is how many tags a resource may have.
const mostTags = 50

// merged are a resource's tags with new ones, which replace those of the same key. Keys are the same without regard to case, as IAM has it.
func merged(old []iam.Tag, more []types.Tag) ([]iam.Tag, error) {
	out := slices.Clone(old)
	for i, t := range more {
		switch {
		case strings.HasPrefix(strings.ToLower(*t.Key), "aws:"):
			return nil, invalid("Tag keys that start with 'aws:' are reserved for use by AWS: %s", *t.Key)
		case slices.ContainsFunc(more[:i], func(o types.Tag) bool { return strings.EqualFold(*o.Key, *t.Key) }):
			return nil, invalid("Duplicate tag keys found. Please note that Tag keys are case insensitive.")
		}
		out = append(without(out, []string{*t.Key}), iam.Tag{Key: *t.Key, Value: *t.Value})
	}
	if len(out) > mostTags {
		return nil, quota("TagsPerResource", mostTags)
	}
	slices.SortFunc(out, func(x, y iam.Tag) int { return strings.Compare(x.Key, y.Key) })
	return out, nil
}

// without are tags less those with these keys.
func without(old []iam.Tag, keys []string) []iam.Tag {
	return slices.DeleteFunc(slices.Clone(old), func(t iam.Tag) bool {
		return slices.ContainsFunc(keys, func(k string) bool { return strings.EqualFold(k, t.Key) })
	})
}
