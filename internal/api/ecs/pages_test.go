package ecs

import (
	"encoding/json"
	"fmt"
	"testing"
)

// list makes one list request, whose members are body, and returns the list and the token of the next page.
func (p *launchPad) list(t *testing.T, operation, body, list string) (items []string, token string) {
	t.Helper()
	out, failed := p.ask(t, "ADMIN", operation, "{"+body+"}")
	if failed != nil {
		t.Fatal(failed)
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(out, &members); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(members[list], &items); err != nil {
		t.Fatal(err)
	}
	if members["nextToken"] != nil {
		if err := json.Unmarshal(members["nextToken"], &token); err != nil {
			t.Fatal(err)
		}
	}
	return items, token
}

// pages lists page by page.
func (p *launchPad) pages(t *testing.T, operation, body, list string, size int) (all []string) {
	t.Helper()
	body += fmt.Sprintf(`,"maxResults":%d`, size)
	next := ""
	for range 100 {
		items, token := p.list(t, operation, body+next, list)
		if len(items) > size || len(items) == 0 {
			t.Fatalf("a page of %d has %d items", size, len(items))
		}
		all = append(all, items...)
		if token == "" {
			return all
		}
		next = fmt.Sprintf(`,"nextToken":%q`, token)
	}
	t.Fatal("the pages do not end")
	return nil
}
