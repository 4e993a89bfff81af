package ecr

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"

	"berth/internal/apierr"
	"berth/internal/ecr"
)

const (
	mostTags     = 50
	mostTagKey   = 128
	mostTagValue = 256
)

// validateTags checks tags that a request wants on a repository.
func validateTags(tags []types.Tag) error {
	seen := map[string]bool{}
	for _, t := range tags {
		if err := validateKey(t.Key); err != nil {
			return err
		}
		switch key := *t.Key; {
		case t.Value == nil || utf8.RuneCountInString(*t.Value) > mostTagValue:
			return badTag("The value of the tag with key '%s' must be there, with at most %d characters", key, mostTagValue)
		case seen[key]:
			return badTag("The tag key '%s' is given more than once", key)
		default:
			seen[key] = true
		}
	}
	if len(tags) > mostTags {
		return tooManyTags()
	}
	return nil
}

func validateKey(key *string) error {
	n := utf8.RuneCountInString(aws.ToString(key))
	switch {
	case n < 1 || n > mostTagKey:
		return badTag("A tag key must have 1 to %d characters", mostTagKey)
	case strings.HasPrefix(strings.ToLower(*key), "aws:"):
		return badTag("The tag key '%s' begins with aws:, which is reserved", *key)
	}
	return nil
}

func badTag(format string, args ...any) error {
	return apierr.New("InvalidTagParameterException", "Invalid parameter at 'tags' failed to satisfy constraint: "+format, args...)
}

func tooManyTags() error {
	return apierr.New("TooManyTagsException", "The list of tags on the repository is over the limit. The maximum number of tags that can be applied to a repository is %d.", mostTags)
}

// withTags are tags with others added, which replace those of the same key.
func withTags(old []ecr.Tag, more []types.Tag) []ecr.Tag {
	all := slices.Clone(old)
	for _, t := range more {
		tag := ecr.Tag{Key: *t.Key, Value: *t.Value}
		if i := slices.IndexFunc(all, func(x ecr.Tag) bool { return x.Key == tag.Key }); i >= 0 {
			all[i] = tag
		} else {
			all = append(all, tag)
		}
	}
	return all
}
