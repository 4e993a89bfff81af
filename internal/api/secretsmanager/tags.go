package secretsmanager

import (
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"

	"berth/internal/constraint"
	"berth/internal/secret"
)

const (
	mostTags     = 50
	mostTagKey   = 128
	mostTagValue = 256
)

// validateTags checks tags that a request wants on a secret.
func validateTags(tags []types.Tag) error {
	var c constraint.Check
	seen := map[string]bool{}
	for _, t := range tags {
		c.Needed("tags.member.key", t.Key, 1, mostTagKey)
		c.Text("tags.member.value", t.Value, 0, mostTagValue)
	}
	if err := c.Err(); err != nil {
		return err
	}
	for _, t := range tags {
		switch {
		case reserved(*t.Key):
			return invalidParameter("Tags: the key %s is not allowed: tag keys can't start with aws:.", *t.Key)
		case seen[*t.Key]:
			return invalidParameter("Tags: the key %s is given more than once.", *t.Key)
		}
		seen[*t.Key] = true
	}
	if len(seen) > mostTags {
		return tooManyTags()
	}
	return nil
}

func tooManyTags() error {
	return invalidParameter("Tags: a secret can have at most %d tags.", mostTags)
}

func reserved(key string) bool { return strings.HasPrefix(strings.ToLower(key), "aws:") }

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

// tagList are tags as answers have them.
func tagList(tags []secret.Tag) []types.Tag {
	list := make([]types.Tag, len(tags))
	for i, t := range tags {
		list[i] = types.Tag{Key: &t.Key, Value: &t.Value}
	}
	return list
}
