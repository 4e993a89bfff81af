package ecs

import (
	"testing"

	"berth/internal/arn"
	"berth/internal/frontdoor"
)

// A member of the pool reads the tags of tasks of any account; whether of this one, its policy says. Everybody else names what is in their own account.
func TestTagsOfOtherAccounts(t *testing.T) {
	const task = "arn:aws:ecs:us-east-1:123456789012:task/demo/1"
	for account, ok := range map[string]bool{"123456789012": true, arn.PoolAccount: true, "210987654321": false} {
		r := &frontdoor.Request{Scope: arn.Scope{Partition: "aws", Region: "us-east-1", Account: account}}
		if kind, err := taggableKind(r, task); (err == nil) != ok || ok && kind != "task" {
			t.Errorf("account %s: %q, %v", account, kind, err)
		}
	}
}
