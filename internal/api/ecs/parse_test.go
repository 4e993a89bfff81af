package ecs

import (
	"testing"

	"berth/internal/frontdoor"
)

// Any token is one of this list's or refused, and what is read of one is what it was made of.
func FuzzToken(f *testing.F) {
	first, err := newListing("ListThings", pageSize{1, 1}, nil, nil, "a", "b")
	if err != nil {
		f.Fatal(err)
	}
	_, token := page(first, func(yield func(string) bool) { _ = yield("last") && yield("next") }, func(s string) string { return s })
	f.Add(*token)
	f.Add("")
	f.Add("%")
	f.Fuzz(func(t *testing.T, token string) {
		l, err := newListing("ListThings", pageSize{10, 100}, nil, &token, "a", "b")
		if err != nil || l.after == "" {
			return
		}
		key := func(s string) string { return s }
		_, again := page(listing{check: l.check, limit: 1}, func(yield func(string) bool) { _ = yield(l.after) && yield("next") }, key)
		read, err := newListing("ListThings", pageSize{10, 100}, nil, again, "a", "b")
		if err != nil || read.after != l.after {
			t.Errorf("%q reads as %q, which comes back as %q: %v", token, l.after, read.after, err)
		}
	})
}

// A name that is taken reads the same once it is written as an ARN.
func FuzzDefinitionName(f *testing.F) {
	for _, name := range []string{"web", "web:1", "web:0", "web:99999999999", "a b", "arn:aws:ecs:us-east-1:1:task-definition/web:3", "arn:::::", ":", ""} {
		f.Add(name)
	}
	r := &frontdoor.Request{Scope: padScope}
	f.Fuzz(func(t *testing.T, name string) {
		d, err := parseDefinition(r, name)
		if err != nil || d.revision == 0 {
			return
		}
		again, err := parseDefinition(r, string(d.scope.TaskDefinition(d.family, d.revision)))
		if err != nil || again != d {
			t.Errorf("%q is %+v, and written again %+v: %v", name, d, again, err)
		}
	})
}
