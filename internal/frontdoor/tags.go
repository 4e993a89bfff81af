package frontdoor

import (
	"maps"
	"reflect"
	"slices"
	"strings"

	"berth/internal/policy"
)

// tagReader finds the tags that an input asks for, values by keys.
type tagReader func(in any) map[string]string

// readsTags finds the tags in the inputs of an operation: a list of structs with Key and Value, a map, or EC2's lists by type of resource. An input that
// only names keys (UntagResource) has tags without values. nil for inputs that have none.
func readsTags(input reflect.Type) tagReader {
	if f, ok := input.FieldByName("Tags"); ok {
		switch {
		case isTags(f.Type):
			return func(in any) map[string]string {
				return tagsIn(reflect.ValueOf(in).Elem().FieldByIndex(f.Index), nil)
			}
		case f.Type == reflect.TypeFor[map[string]string]():
			return func(in any) map[string]string {
				return reflect.ValueOf(in).Elem().FieldByIndex(f.Index).Interface().(map[string]string)
			}
		}
	}
	if f, ok := input.FieldByName("TagSpecifications"); ok && f.Type.Kind() == reflect.Slice && f.Type.Elem().Kind() == reflect.Struct {
		if tags, ok := f.Type.Elem().FieldByName("Tags"); ok && isTags(tags.Type) {
			return func(in any) (all map[string]string) {
				list := reflect.ValueOf(in).Elem().FieldByIndex(f.Index)
				for i := range list.Len() {
					all = tagsIn(list.Index(i).FieldByIndex(tags.Index), all)
				}
				return all
			}
		}
	}
	for _, name := range []string{"TagKeys", "Tags"} { // UntagLogGroup calls its keys Tags
		if f, ok := input.FieldByName(name); ok && f.Type == reflect.TypeFor[[]string]() {
			return func(in any) map[string]string {
				all := map[string]string{}
				for _, key := range reflect.ValueOf(in).Elem().FieldByIndex(f.Index).Interface().([]string) {
					all[key] = ""
				}
				return all
			}
		}
	}
	return nil
}

// isTags reports whether t is a list of structs with the members Key and Value.
func isTags(t reflect.Type) bool {
	if t.Kind() != reflect.Slice || t.Elem().Kind() != reflect.Struct {
		return false
	}
	for _, name := range []string{"Key", "Value"} {
		if f, ok := t.Elem().FieldByName(name); !ok || text(f.Type) == nil {
			return false
		}
	}
	return true
}

// text reads a string or a pointer to one.
func text(t reflect.Type) func(reflect.Value) string {
	switch {
	case t.Kind() == reflect.String:
		return reflect.Value.String
	case t.Kind() == reflect.Pointer && t.Elem().Kind() == reflect.String:
		return func(v reflect.Value) string {
			if v.IsNil() {
				return ""
			}
			return v.Elem().String()
		}
	}
	return nil
}

func tagsIn(list reflect.Value, all map[string]string) map[string]string {
	for i := range list.Len() {
		if all == nil {
			all = map[string]string{}
		}
		key, value := list.Index(i).FieldByName("Key"), list.Index(i).FieldByName("Value")
		all[text(key.Type())(key)] = text(value.Type())(value)
	}
	return all
}

// requestTags are the condition keys aws:RequestTag/* and aws:TagKeys of an input.
type requestTags struct {
	in   any
	read tagReader
}

// Values implements policy.Context.
func (t requestTags) Values(key string) []string {
	const prefix = "aws:requesttag/"
	switch {
	case key == "aws:tagkeys":
		return slices.Collect(maps.Keys(t.read(t.in)))
	case strings.HasPrefix(key, prefix):
		return policy.Tags{Prefix: prefix, Tags: t.read(t.in)}.Values(key)
	}
	return nil
}

// resourceTags are the condition keys aws:ResourceTag/* and SERVICE:ResourceTag/* of a resource.
type resourceTags struct {
	service, resource string
	read              func(resource string) map[string]string
}

// Values implements policy.Context.
func (t resourceTags) Values(key string) []string {
	prefix, _, ok := strings.Cut(key, ":resourcetag/")
	if !ok || prefix != "aws" && prefix != t.service {
		return nil
	}
	return policy.Tags{Prefix: prefix + ":resourcetag/", Tags: t.read(t.resource)}.Values(key)
}
