package ecs

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/apierr"
	"berth/internal/ecs"
)

// AWS's limits on the tags of a resource.
const (
	mostTags     = ecs.TagsPerResource
	mostTagKey   = 128
	mostTagValue = 256
)

// validateTags checks tags that a request wants on a resource: at most 50, each key once, keys and values of allowed characters and
// length, and none of AWS's own. An error is an InvalidParameterException.
func validateTags(tags []types.Tag) error {
	if len(tags) > mostTags {
		return apierr.InvalidParameter("Too many tags: a resource can have at most %d tags, and %d were given.", mostTags, len(tags))
	}
	seen := map[string]bool{}
	for _, t := range tags {
		if err := validateTagKey(text(t.Key)); err != nil {
			return err
		}
		if seen[*t.Key] {
			return apierr.InvalidParameter("Duplicate tag keys found: the tag key '%s' is given more than once.", *t.Key)
		}
		seen[*t.Key] = true
		if err := validateTagValue(*t.Key, t.Value); err != nil {
			return err
		}
	}
	return nil
}

func validateTagKey(key string) error {
	switch {
	case key == "":
		return apierr.InvalidParameter("Tag key should not be null or empty.")
	case utf8.RuneCountInString(key) > mostTagKey:
		return apierr.InvalidParameter("The tag key '%s' is longer than %d characters.", key, mostTagKey)
	case strings.HasPrefix(strings.ToLower(key), "aws:"):
		return apierr.InvalidParameter("The tag key '%s' is not allowed: aws: prefixed tag key names are not allowed for external use.", key)
	case !tagText(key):
		return apierr.InvalidParameter("The tag key '%s' contains invalid characters.", key)
	}
	return nil
}

func validateTagValue(key string, value *string) error {
	switch {
	case value == nil:
		return nil
	case utf8.RuneCountInString(*value) > mostTagValue:
		return apierr.InvalidParameter("The value of the tag '%s' is longer than %d characters.", key, mostTagValue)
	case strings.HasPrefix(strings.ToLower(*value), "aws:"):
		return apierr.InvalidParameter("The value of the tag '%s' is not allowed: the prefix aws: is reserved.", key)
	case !tagText(*value):
		return apierr.InvalidParameter("The value of the tag '%s' contains invalid characters.", key)
	}
	return nil
}

// tagText reports whether s has only letters, digits, spaces and + - = . _ : / @, in any script.
func tagText(s string) bool {
	for _, r := range s {
		if !unicode.IsLetter(r) && !unicode.IsMark(r) && !unicode.IsNumber(r) && !unicode.Is(unicode.Zs, r) && !strings.ContainsRune("+-=._:/@", r) {
			return false
		}
	}
	return utf8.ValidString(s)
}
