package policy

import "strings"

// Context has the condition keys of a request. Who the principal is need not be in it: Decide knows the aws:Principal* keys, aws:userid and
// aws:username by itself. It is asked with keys in lower case, answers with nil for a key that the request does not have, and must be safe
// to be read by all.
type Context interface {
	Values(key string) []string
}

// Key is a condition key and its values. Name is in lower case.
type Key struct {
	Name   string
	Values []string
}

// Keys are a context of few keys.
type Keys []Key

// Values implements Context.
func (k Keys) Values(key string) []string {
	for i := range k {
		if k[i].Name == key {
			return k[i].Values
		}
	}
	return nil
}

// Func is a context that finds a value when it is asked.
type Func func(key string) []string

// Values implements Context.
func (f Func) Values(key string) []string { return f(key) }

// Tags are the tags of a request or resource under a prefix in lower case: "aws:resourcetag/". Tag keys are found without case.
type Tags struct {
	Prefix string
	Tags   map[string]string
}

// Values implements Context.
func (t Tags) Values(key string) []string {
	name, ok := strings.CutPrefix(key, t.Prefix)
	if !ok {
		return nil
	}
	value, ok := foldedTag(t.Tags, name)
	if !ok {
		return nil
	}
	return []string{value}
}

// foldedTag finds the tag whose key is name without case; of several, the first in the order of their keys.
func foldedTag(tags map[string]string, name string) (value string, ok bool) {
	if value, ok = tags[name]; ok {
		return value, true
	}
	first := ""
	for key, v := range tags {
		if strings.EqualFold(key, name) && (!ok || key < first) {
			first, value, ok = key, v, true
		}
	}
	return value, ok
}

// Chain asks contexts one after another; the first that has a key wins. nil contexts are passed over.
type Chain []Context

// Values implements Context.
func (c Chain) Values(key string) []string {
	for _, next := range c {
		if next == nil {
			continue
		}
		if values := next.Values(key); values != nil {
			return values
		}
	}
	return nil
}
