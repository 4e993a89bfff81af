package iam

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/iam/types"
)

func TestPlace(t *testing.T) {
	for _, test := range []struct {
		text, want string
		n          int
	}{
		{`{"Statement":{"Sid":"a"}}`, "1:14 1:25", 1},
		{`{"Statement":[{"Sid":"a"},{"Sid":"b"}]}`, "1:27 1:38", 2},
		{"{\n \"Id\": \"Statement\",\n \"Statement\" : [\n  {\"Sid\": \"Statement\"},\n\n  {\n   \"Sid\": \"]\"\n  }\n ]\n}", "6:3 8:4", 2},
		{`{"Version":{"Statement":[1]},"Statement":[{}]}`, "1:43 1:45", 1},
		{`{"Statement":[{}]}`, "", 2},
		{`{"Version":"2012-10-17"}`, "", 1},
		{`{`, "", 1},
	} {
		start, end := place(test.text, test.n)
		if got := shownPlace(start, end); got != test.want {
			t.Errorf("statement %d of %s is at %q, want %q", test.n, test.text, got, test.want)
		}
	}
}

func shownPlace(start, end *types.Position) string {
	if start == nil || end == nil {
		return ""
	}
	return fmt.Sprintf("%d:%d %d:%d", start.Line, start.Column, end.Line, end.Column)
}

// Each statement of AWS's own policies is found, and the last one is the last.
func TestPlacesOfManagedPolicies(t *testing.T) {
	for _, p := range openAccount(t).api.managed.All() {
		var d struct{ Statement []json.RawMessage }
		if err := json.Unmarshal([]byte(p.Document()), &d); err != nil {
			t.Fatal(err)
		}
		for n := range d.Statement {
			start, end := place(p.Document(), n+1)
			if start == nil || start.Line >= end.Line || start.Column != 9 && start.Column != 5 {
				t.Errorf("%s: statement %d is at %q", p.Name, n+1, shownPlace(start, end))
			}
		}
		if start, _ := place(p.Document(), len(d.Statement)+1); start != nil {
			t.Errorf("%s has one statement more than it has", p.Name)
		}
	}
}
