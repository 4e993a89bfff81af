package logs

import (
	"cmp"
	"maps"
	"regexp"
	"slices"
	"strings"

	"berth/internal/apierr"
	"berth/internal/constraint"
	"berth/internal/frontdoor"
	"berth/internal/logs"
	"berth/internal/record"
	"berth/internal/state"
)

const (
	mostTags     = 50
	mostTagKey   = 128
	mostTagValue = 256
)

var (
	tagKeyPattern   = regexp.MustCompile(`^([\p{L}\p{Z}\p{N}_.:/=+\-@]+)$`)
	tagValuePattern = regexp.MustCompile(`^([\p{L}\p{Z}\p{N}_.:/=+\-@]*)$`)
	arnPattern      = regexp.MustCompile(`^[\w+=/:,.@#-]*$`) // the model's, and # which names of groups may have
)

// checkTags checks tags that a request wants on a group.
func checkTags(c *constraint.Check, tags map[string]string) {
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		v := tags[key]
		c.Text("tags", &key, 1, mostTagKey)
		c.Pattern("tags", &key, tagKeyPattern)
		c.Text("tags", &v, 0, mostTagValue)
		c.Pattern("tags", &v, tagValuePattern)
	}
}

func validateTags(tags map[string]string) error {
	for key := range tags {
		if strings.HasPrefix(strings.ToLower(key), "aws:") {
			return invalid("tags: the key %s is not allowed: aws: prefixed tag key names are not allowed for external use.", key)
		}
	}
	if len(tags) > mostTags {
		return tooManyTags("")
	}
	return nil
}

// checkTagKeys checks the keys of tags that a request takes away.
func checkTagKeys(c *constraint.Check, member string, keys []string, there bool) {
	c.Present(member, there)
	c.Count(member, keys, 0, mostTags)
	for _, key := range keys {
		c.Text(member, &key, 1, mostTagKey)
		c.Pattern(member, &key, tagKeyPattern)
	}
}

// tooManyTags says that a resource would have too many tags.
func tooManyTags(resource string) error {
	return apierr.New("TooManyTagsException", "A resource can have no more than %d tags: %s", mostTags, resource)
}

// withTags are tags with others added, which replace those of the same key, by their keys.
func withTags(old []logs.Tag, more map[string]string) []logs.Tag {
	all := record.TagMap(old)
	maps.Copy(all, more)
	var list []logs.Tag
	for k, v := range all {
		list = append(list, logs.Tag{Key: k, Value: v})
	}
	slices.SortFunc(list, func(a, b logs.Tag) int { return cmp.Compare(a.Key, b.Key) })
	return list
}

func withoutTags(old []logs.Tag, keys []string) []logs.Tag {
	return slices.DeleteFunc(slices.Clone(old), func(t logs.Tag) bool { return slices.Contains(keys, t.Key) })
}

// addTags adds tags to a group, if there is room for them.
func addTags(g *logs.Group, tags map[string]string) error {
	all := withTags(g.Tags, tags)
	if len(all) > mostTags {
		return tooManyTags(g.Arn)
	}
	g.Tags = all
	return nil
}

// checkResource wants the ARN of what has tags.
func checkResource(c *constraint.Check, resource *string) {
	c.Needed("resourceArn", resource, 1, mostResource)
	c.Pattern("resourceArn", resource, arnPattern)
}

// tagged finds the group whose ARN a request on tags names.
func tagged(r *frontdoor.Request, resource string) func(*state.Tables) (*logs.Group, error) {
	return func(t *state.Tables) (*logs.Group, error) {
		s, name, stream, ok := logs.SplitARN(resource)
		if !ok || stream != "" {
			return nil, invalid("resourceArn is not the ARN of a log group: %s", resource)
		}
		if s.Region != r.Scope.Region || s.Account != r.Scope.Account {
			return nil, noGroup()
		}
		return group(t, r.Scope, name)
	}
}
