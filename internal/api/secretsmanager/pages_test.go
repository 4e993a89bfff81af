package secretsmanager

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// pages asks a list, a few on each page, and returns the member of its items that names them.
func (a *account) pages(t *testing.T, operation, members, list, name string) (all []string) {
	t.Helper()
	for token := ""; ; {
		answer := a.must(t, operation, `{"MaxResults":3`+members+token+`}`)
		items := answer[list].([]any)
		for _, item := range items {
			all = append(all, item.(map[string]any)[name].(string))
		}
		next, more := answer["NextToken"].(string)
		if !more {
			return all
		}
		if len(items) != 3 || len(all) > 20 {
			t.Fatalf("%s: a page of %d before the last one, %d in all", operation, len(items), len(all))
		}
		token = `,"NextToken":"` + next + `"`
	}
}

// Pages have all secrets and versions, each once, in every order.
func TestPages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAccount(t)
		var names, ids []string
		for n := range 7 {
			time.Sleep(time.Second)
			names, ids = append(names, fmt.Sprint("s", (n*3)%7)), append(ids, token(n))
			a.must(t, "CreateSecret", `{"Name":"`+names[n]+`","SecretString":"x","ClientRequestToken":"`+token(0)+`"}`)
		}
		time.Sleep(time.Second)
		for n := 1; n < 7; n++ {
			a.must(t, "PutSecretValue", `{"SecretId":"s1","SecretString":"x","ClientRequestToken":"`+token(n)+`"}`)
		}
		changed := slices.DeleteFunc(slices.Clone(names), func(name string) bool { return name == "s1" })
		for members, want := range map[string][]string{
			``: names, `,"SortBy":"name"`: slices.Sorted(slices.Values(names)), `,"SortOrder":"desc"`: reversed(names),
			`,"SortBy":"last-changed-date"`: append(changed, "s1"), `,"SortBy":"last-changed-date","SortOrder":"desc"`: reversed(append(changed, "s1")),
		} {
			if diff := cmp.Diff(want, a.pages(t, "ListSecrets", members, "SecretList", "Name")); diff != "" {
				t.Errorf("ListSecrets %s: %s", members, diff)
			}
		}
		if diff := cmp.Diff(ids, a.pages(t, "ListSecretVersionIds", `,"SecretId":"s1","IncludeDeprecated":true`, "Versions", "VersionId")); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff(slices.Sorted(slices.Values(names)), a.pages(t, "BatchGetSecretValue", `,"Filters":[{"Key":"name","Values":["s"]}]`, "SecretValues", "Name")); diff != "" {
			t.Error(diff)
		}
	})
}

func reversed(list []string) []string {
	c := slices.Clone(list)
	slices.Reverse(c)
	return c
}
