package policy

import (
	"testing"

	"pgregory.net/rapid"
)

const (
	taskOne = "arn:aws:ecs:us-east-1:123456789012:task/demo/1"
	mine    = "arn:aws:ecs:us-east-1:123456789012:container-instance/demo/47ed"
	other   = "arn:aws:ecs:us-east-1:123456789012:container-instance/demo/99ff"
)

func one(effect Effect, actions, resources []string) Document {
	return Document{Statements: []Statement{{Effect: effect, Actions: actions, Resources: resources}}}
}

func all(effect Effect, action string) Document { return one(effect, []string{action}, []string{"*"}) }

func TestDecide(t *testing.T) {
	instance := Document{Statements: []Statement{
		{Effect: Allow, Actions: []string{"ecs:Poll", "ecs:Submit*"}, Resources: []string{mine}},
		{Effect: Allow, Actions: []string{"ecs:DiscoverPollEndpoint"}, Resources: []string{"*"}},
	}}
	for _, c := range []struct {
		name             string
		docs             []Document
		action, resource string
		want             Decision
	}{
		{"no policy", nil, "ecs:RunTask", "*", ImplicitDeny},
		{"empty document", []Document{{}}, "ecs:RunTask", "*", ImplicitDeny},
		{"administrator", []Document{all(Allow, "*")}, "ecs:RunTask", taskOne, Allowed},
		{"service wildcard", []Document{all(Allow, "ecs:*")}, "ecs:RunTask", "*", Allowed},
		{"other service", []Document{all(Allow, "ecs:*")}, "iam:CreateUser", "*", ImplicitDeny},
		{"action without case", []Document{all(Allow, "ECS:runtask")}, "ecs:RunTask", "*", Allowed},
		{"resource with case", []Document{one(Allow, []string{"ecs:*"}, []string{"arn:aws:ecs:*:task/DEMO/*"})}, "ecs:StopTask", taskOne, ImplicitDeny},
		{"instance polls its own", []Document{instance}, "ecs:Poll", mine, Allowed},
		{"instance polls another", []Document{instance}, "ecs:Poll", other, ImplicitDeny},
		{"instance submits for its own", []Document{instance}, "ecs:SubmitTaskStateChange", mine, Allowed},
		{"instance runs a task", []Document{instance}, "ecs:RunTask", "*", ImplicitDeny},
		{"a resource is not everything", []Document{one(Allow, []string{"*"}, []string{mine})}, "ecs:ListClusters", "*", ImplicitDeny},
		{"deny after allow", []Document{all(Allow, "*"), all(Deny, "ecs:DeleteCluster")}, "ecs:DeleteCluster", "*", ExplicitDeny},
		{"deny before allow", []Document{all(Deny, "ecs:Delete*"), all(Allow, "*")}, "ecs:DeleteCluster", "*", ExplicitDeny},
		{"deny elsewhere", []Document{all(Allow, "*"), all(Deny, "ecs:Delete*")}, "ecs:ListTasks", "*", Allowed},
		{"deny of one resource", []Document{all(Allow, "*"), one(Deny, []string{"*"}, []string{other})}, "ecs:Poll", mine, Allowed},
		{"misspelt deny", []Document{all(Allow, "*"), all("deny", "ecs:Delete*")}, "ecs:DeleteCluster", "*", ExplicitDeny},
		{"no actions", []Document{one(Allow, nil, []string{"*"})}, "ecs:RunTask", "*", ImplicitDeny},
		{"no resources", []Document{one(Allow, []string{"*"}, nil)}, "ecs:RunTask", "*", ImplicitDeny},
		{"empty pattern", []Document{one(Allow, []string{""}, []string{""})}, "ecs:RunTask", "*", ImplicitDeny},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := Decide(c.docs, c.action, c.resource); got != c.want {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}

var pattern = rapid.StringMatching(`[ab:*?]{0,6}`)
var text = rapid.StringMatching(`[abAB:]{0,6}`)

func statements(effect ...Effect) *rapid.Generator[Document] {
	return rapid.Custom(func(t *rapid.T) Document {
		var d Document
		for range rapid.IntRange(0, 3).Draw(t, "statements") {
			d.Statements = append(d.Statements, Statement{
				Effect:    rapid.SampledFrom(effect).Draw(t, "effect"),
				Actions:   rapid.SliceOfN(pattern, 0, 3).Draw(t, "actions"),
				Resources: rapid.SliceOfN(pattern, 0, 3).Draw(t, "resources"),
			})
		}
		return d
	})
}

// The laws of a decision: it does not depend on order, a Deny that applies decides, an Allow never undoes a Deny, and without any Allow
// nothing is allowed.
func TestDecisionLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		docs := rapid.SliceOfN(statements(Allow, Deny), 0, 4).Draw(t, "docs")
		action, resource := text.Draw(t, "action"), text.Draw(t, "resource")
		before := Decide(docs, action, resource)
		if got := Decide(rapid.Permutation(docs).Draw(t, "order"), action, resource); got != before {
			t.Fatalf("order changed %v to %v", before, got)
		}
		if got := Decide(append(docs[:len(docs):len(docs)], all(Deny, "*")), action, resource); got != ExplicitDeny {
			t.Fatalf("a Deny of everything gave %v", got)
		}
		more := Decide(append(docs[:len(docs):len(docs)], statements(Allow).Draw(t, "more")), action, resource)
		if before == ExplicitDeny && more != ExplicitDeny || before == Allowed && more != Allowed {
			t.Fatalf("an Allow turned %v into %v", before, more)
		}
		if got := Decide([]Document{statements(Deny).Draw(t, "denials")}, action, resource); got == Allowed {
			t.Fatal("allowed without an Allow")
		}
	})
}
