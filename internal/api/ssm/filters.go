package ssm

import (
	"cmp"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"berth/internal/apierr"
	"berth/internal/constraint"
	"berth/internal/secret"
)

const (
	mostFilterValues = 50
	mostFilterValue  = 1024
	mostFilterKey    = 132
	mostOption       = 10
)

// options are the comparisons that each key knows; the first one is what it is without one.
func options(key string) []string {
	switch {
	case key == "Path":
		return []string{"OneLevel", "Recursive"}
	case key == "Name":
		return []string{"Equals", "BeginsWith", "Contains"}
	case strings.HasPrefix(key, "tag:"):
		return []string{"Equals"}
	}
	return []string{"Equals", "BeginsWith"}
}

// filter is one of a request's, checked.
type filter struct {
	key, option string
	values      []string
}

// readFilters checks a request's filters. keys are those that the operation knows; "tag:" stands for all of tags.
func readFilters(in []types.ParameterStringFilter, keys ...string) (filters []filter, err error) {
	if err := filterForm(in); err != nil {
		return nil, err
	}
	for _, f := range in {
		one := filter{*f.Key, cmp.Or(aws.ToString(f.Option), options(*f.Key)[0]), f.Values}
		if err := one.validate(keys); err != nil {
			return nil, err
		}
		if slices.ContainsFunc(filters, func(x filter) bool { return x.key == one.key }) {
			return nil, apierr.New("InvalidFilterKey",
				"The following filter is duplicated in the request: %s. A request can contain only one occurrence of a specific filter.", one.key)
		}
		filters = append(filters, one)
	}
	return filters, nil
}

func filterForm(in []types.ParameterStringFilter) error {
	var c constraint.Check
	for _, f := range in {
		c.Needed("parameterFilters.member.key", f.Key, 1, mostFilterKey)
		c.Text("parameterFilters.member.option", f.Option, 1, mostOption)
		if f.Values != nil {
			c.Count("parameterFilters.member.values", f.Values, 1, mostFilterValues)
		}
		for _, v := range f.Values {
			c.Text("parameterFilters.member.values.member", &v, 1, mostFilterValue)
		}
	}
	return c.Err()
}

func (f filter) validate(keys []string) error {
	tag := strings.HasPrefix(f.key, "tag:") && f.key != "tag:"
	switch {
	case !slices.Contains(keys, f.key) && !(tag && slices.Contains(keys, "tag:")) || f.key == "tag:":
		return apierr.New("InvalidFilterKey", "The following filter key is not valid: %s. Valid filter keys include: [%s].", f.key, strings.Join(keys, ", "))
	case !slices.Contains(options(f.key), f.option):
		return apierr.New("InvalidFilterOption", "The following filter option is not valid: %s. Valid options include: [%s].", f.option,
			strings.Join(options(f.key), ", "))
	case len(f.values) == 0 && !tag:
		return apierr.New("InvalidFilterValue", "The following filter values are missing: null for the filter key %s.", f.key)
	case f.key == "Type":
		return f.oneOf(types.ParameterType("").Values())
	case f.key == "Path":
		for _, path := range f.values {
			if err := validatePath(path); err != nil {
				return err
			}
		}
	}
	return nil
}

func (f filter) oneOf(all []types.ParameterType) error {
	for _, v := range f.values {
		if f.option == "Equals" && !slices.Contains(all, types.ParameterType(v)) {
			return apierr.New("InvalidFilterValue", "The following filter value is not valid: %s. Valid values include: [String, StringList, SecureString].", v)
		}
	}
	return nil
}

// matches says whether a version of a parameter passes all filters; of each one value is enough.
func matches(p *secret.Parameter, v secret.ParameterValue, filters []filter) bool {
	for _, f := range filters {
		if !f.matches(p, v) {
			return false
		}
	}
	return true
}

func (f filter) matches(p *secret.Parameter, v secret.ParameterValue) bool {
	if key, is := strings.CutPrefix(f.key, "tag:"); is {
		return slices.ContainsFunc(p.Tags, func(t secret.Tag) bool {
			return t.Key == key && (len(f.values) == 0 || slices.Contains(f.values, t.Value))
		})
	}
	return slices.ContainsFunc(f.of(p, v), func(have string) bool {
		return slices.ContainsFunc(f.values, func(wanted string) bool { return f.compare(have, wanted) })
	})
}

// of are the texts of a parameter that a filter is about.
func (f filter) of(p *secret.Parameter, v secret.ParameterValue) []string {
	switch f.key {
	case "Type":
		return []string{v.Type}
	case "KeyId":
		return []string{v.KeyID}
	case "Tier":
		return []string{v.Tier}
	case "DataType":
		return []string{v.DataType}
	case "Label":
		return v.Labels
	}
	return []string{p.Name} // Name, Path
}

func (f filter) compare(have, wanted string) bool {
	switch f.option {
	case "BeginsWith":
		return strings.HasPrefix(have, wanted)
	case "Contains":
		return strings.Contains(have, wanted)
	case "OneLevel", "Recursive":
		return below(have, wanted, f.option == "Recursive")
	}
	return have == wanted || f.key == "Name" && strings.TrimPrefix(have, "/") == strings.TrimPrefix(wanted, "/")
}

// filterTexts say which list filters make, for its tokens.
func filterTexts(filters []filter) (texts []string) {
	for _, f := range filters {
		texts = append(append(texts, f.key, f.option), f.values...)
	}
	return texts
}
