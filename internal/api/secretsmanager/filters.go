package secretsmanager

import (
	"cmp"
	"regexp"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"

	"berth/internal/constraint"
	"berth/internal/secret"
)

const (
	mostFilters      = 10
	mostFilterValues = 10
)

var filterValue = regexp.MustCompile(`^!?[a-zA-Z0-9 :_@/+=.!-]{0,512}$`)

// validateFilters adds what is wrong with the form of filters to c.
func validateFilters(c *constraint.Check, filters []types.Filter) {
	keys := make([]string, len(filters))
	for i, f := range filters {
		keys[i] = string(f.Key)
		constraint.Enum(c, "filters.member.key", f.Key, f.Key.Values())
		for _, v := range f.Values {
			c.Pattern("filters.member.values.member", &v, filterValue)
		}
		if f.Values != nil {
			c.Count("filters.member.values", f.Values, 1, mostFilterValues)
		}
	}
	c.Count("filters", keys, 0, mostFilters)
}

// completeFilters refuses filters that lack a part.
func completeFilters(filters []types.Filter) error {
	for _, f := range filters {
		switch {
		case f.Key == "":
			return invalidParameter("Invalid filter key: Filters.Key can't be empty.")
		case len(f.Values) == 0:
			return invalidParameter("Invalid filter values for key: %s", f.Key)
		}
	}
	return nil
}

// matches says whether a secret passes all filters. Of each one value is enough; one that begins with ! is a value that the secret must not have.
func matches(s *secret.Secret, filters []types.Filter) bool {
	for _, f := range filters {
		if !slices.ContainsFunc(f.Values, func(v string) bool { return matchesValue(s, f.Key, v) }) {
			return false
		}
	}
	return true
}

func matchesValue(s *secret.Secret, key types.FilterNameStringType, value string) bool {
	wanted, not := strings.CutPrefix(value, "!")
	return has(s, key, wanted) != not
}

// has says whether a secret has what a filter names. Names and tags are compared by their beginning, with case; descriptions without.
func has(s *secret.Secret, key types.FilterNameStringType, wanted string) bool {
	tag := func(part func(secret.Tag) string) bool {
		return slices.ContainsFunc(s.Tags, func(t secret.Tag) bool { return strings.HasPrefix(part(t), wanted) })
	}
	switch key {
	case types.FilterNameStringTypeName:
		return strings.HasPrefix(s.Name, wanted)
	case types.FilterNameStringTypeDescription:
		return strings.HasPrefix(strings.ToLower(s.Description), strings.ToLower(wanted))
	case types.FilterNameStringTypeTagKey:
		return tag(func(t secret.Tag) string { return t.Key })
	case types.FilterNameStringTypeTagValue:
		return tag(func(t secret.Tag) string { return t.Value })
	case types.FilterNameStringTypeAll:
		return hasWords(s, wanted)
	}
	return false // primary-region and owning-service: no secret is a replica, or managed by a service
}

// hasWords says whether each word begins one of the words of a secret, without case.
func hasWords(s *secret.Secret, wanted string) bool {
	have := words(s.Name + " " + s.Description)
	for _, t := range s.Tags {
		have = append(have, words(t.Key+" "+t.Value)...)
	}
	for _, word := range words(wanted) {
		if !slices.ContainsFunc(have, func(w string) bool { return strings.HasPrefix(w, word) }) {
			return false
		}
	}
	return true
}

func words(text string) []string {
	return strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return strings.ContainsRune(" /_+=.@!-:", r) })
}

// filterTexts say which list filters make, for its tokens.
func filterTexts(filters []types.Filter) []string {
	var texts []string
	for _, f := range filters {
		texts = append(append(texts, cmp.Or(string(f.Key), "-")), f.Values...)
	}
	return texts
}
