package policy

import (
	"testing"

	"pgregory.net/rapid"
)

var anyPattern = rapid.StringMatching(`[ab:*?]{0,6}`)
var anyText = rapid.StringMatching(`[abAB:]{0,6}`)

func documents(effect ...Effect) *rapid.Generator[Document] {
	return rapid.Custom(func(t *rapid.T) Document {
		var d Document
		for range rapid.IntRange(0, 3).Draw(t, "statements") {
			d.Statements = append(d.Statements, Statement{
				Effect:    rapid.SampledFrom(effect).Draw(t, "effect"),
				Actions:   rapid.SliceOfN(anyPattern, 0, 3).Draw(t, "actions"),
				Resources: rapid.SliceOfN(anyPattern, 0, 3).Draw(t, "resources"),
			})
		}
		return d
	})
}

// The laws of a decision: it does not depend on order, a Deny that applies decides, an Allow never undoes a Deny, and without any Allow
// nothing is allowed.
func TestDecisionLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		docs := rapid.SliceOfN(documents(Allow, Deny), 0, 4).Draw(t, "docs")
		action, resource := anyText.Draw(t, "action"), anyText.Draw(t, "resource")
		decide := func(docs ...Document) Decision {
			return Decide(Request{Principal: ada(docs...), Action: action, Resource: resource, Owner: "123456789012"}).Decision
		}
		before := decide(docs...)
		if got := decide(rapid.Permutation(docs).Draw(t, "order")...); got != before {
			t.Fatalf("order changed %v to %v", before, got)
		}
		if got := decide(append(docs[:len(docs):len(docs)], all(Deny, "*"))...); got != ExplicitDeny {
			t.Fatalf("a Deny of everything gave %v", got)
		}
		more := decide(append(docs[:len(docs):len(docs)], documents(Allow).Draw(t, "more"))...)
		if before == ExplicitDeny && more != ExplicitDeny || before == Allowed && more != Allowed {
			t.Fatalf("an Allow turned %v into %v", before, more)
		}
		if decide(documents(Deny).Draw(t, "denials")) == Allowed {
			t.Fatal("allowed without an Allow")
		}
	})
}
