package state

import (
	"reflect"
	"testing"
)

type versioned struct {
	Old    string
	New    string `since:"2"`
	Parts  []part
	Detail *part
}

type part struct {
	Name  string
	Since int `since:"3"`
}

func TestNewer(t *testing.T) {
	for _, c := range []struct {
		name    string
		record  versioned
		version int
		want    string
	}{
		{"nothing set", versioned{}, 1, ""},
		{"old members only", versioned{Old: "a", Parts: []part{{Name: "p"}}, Detail: &part{Name: "d"}}, 1, ""},
		{"a newer member", versioned{New: "b"}, 1, "New"},
		{"known by all", versioned{New: "b"}, 2, ""},
		{"in a list", versioned{Parts: []part{{}, {Since: 1}}}, 2, "Parts.Since"},
		{"behind a pointer", versioned{Detail: &part{Since: 1}}, 2, "Detail.Since"},
		{"behind a pointer, known by all", versioned{Detail: &part{Since: 1}}, 3, ""},
	} {
		if got := newer(reflect.ValueOf(&c.record), c.version); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}
