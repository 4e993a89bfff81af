package ec2

import (
	"path"
	"slices"
	"strconv"
	"strings"

	"berth/internal/apierr"
	"berth/internal/vpc"
)

// Filter is a condition of a Describe operation: any of the values. Values may have the wildcards * and ?, which a backslash takes away.
type Filter struct {
	Name   *string
	Values []string `json:"Value"`
}

// facts are what filters may ask of a resource: a filter's name, and the resource's values of it.
type facts map[string][]string

// add adds a value to a filter's. What is empty is no value.
func (f facts) add(name, value string) {
	if value != "" {
		f[name] = append(f[name], value)
	}
}

// tagged adds what filters ask of a resource's tags: tag:KEY, tag-key and tag-value.
func (f facts) tagged(tags []vpc.Tag) facts {
	f["tag-key"], f["tag-value"] = []string{}, []string{}
	for _, t := range tags {
		f["tag:"+t.Key] = []string{t.Value}
		f["tag-key"], f["tag-value"] = append(f["tag-key"], t.Key), append(f["tag-value"], t.Value)
	}
	return f
}

// selection is what a Describe operation was asked for.
type selection struct {
	filters []Filter
	ids     []string // any where empty
}

// mostFilters is EC2's limit on a filter's values.
const mostFilters = 200

// newSelection checks filters: each has a name of those in known (any tag:KEY is), and not too many values.
func newSelection(filters []Filter, ids []string, known ...string) (selection, error) {
	for n, f := range filters {
		name := text(f.Name)
		switch {
		case name == "":
			return selection{}, missing("Filter." + strconv.Itoa(n+1) + ".Name")
		case strings.HasPrefix(name, "tag:") || name == "tag-key" || name == "tag-value" || slices.Contains(known, name):
		default:
			return selection{}, invalid("The filter '%.128s' is invalid", name)
		}
		if len(f.Values) > mostFilters {
			return selection{}, apierr.New("FilterLimitExceeded", "The maximum number of filter values specified on a single call is %d", mostFilters)
		}
	}
	return selection{filters, ids}, nil
}

// takes reports whether a resource is asked for. A resource that has no such fact is not.
func (s selection) takes(id string, f facts) bool {
	if len(s.ids) > 0 && !slices.Contains(s.ids, id) {
		return false
	}
	return !slices.ContainsFunc(s.filters, func(x Filter) bool {
		return !slices.ContainsFunc(f[*x.Name], func(value string) bool {
			return slices.ContainsFunc(x.Values, func(pattern string) bool { return like(pattern, value) })
		})
	})
}

// like matches a filter's value: * stands for any text, ? for one character.
func like(pattern, value string) bool {
	if !strings.ContainsAny(pattern, `*?\`) {
		return pattern == value
	}
	// path.Match stops a star at a slash, and has classes in brackets. What a backslash precedes stays as it is.
	hide := strings.NewReplacer(`\\`, `\\`, `\[`, `\[`, "/", "\x00", "[", `\[`)
	ok, err := path.Match(hide.Replace(pattern), strings.ReplaceAll(value, "/", "\x00"))
	return ok && err == nil
}

func flag(b bool) []string { return []string{strconv.FormatBool(b)} }
