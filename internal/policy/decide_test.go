package policy

import "testing"

const (
	taskOne = "arn:aws:ecs:us-east-1:123456789012:task/demo/1"
	mine    = "arn:aws:ecs:us-east-1:123456789012:container-instance/demo/47ed"
	other   = "arn:aws:ecs:us-east-1:123456789012:container-instance/demo/99ff"
)

func one(effect Effect, actions, resources []string) Document {
	return Document{Statements: []Statement{{Effect: effect, Actions: actions, Resources: resources}}}
}

func all(effect Effect, action string) Document { return one(effect, []string{action}, []string{"*"}) }

// set compiles documents without names.
func set(docs ...Document) *Set {
	sources := make([]Source, len(docs))
	for i := range docs {
		sources[i].Document = &docs[i]
	}
	return Compile(sources...)
}

// ada is a user with identity-based policies.
func ada(docs ...Document) *Principal {
	return &Principal{
		ARN: "arn:aws:iam::123456789012:user/team/ada", Account: "123456789012", UserID: "AIDAADA", Grants: &Grants{Identity: set(docs...)},
	}
}

func TestDecideByIdentity(t *testing.T) {
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
		{"wildcard in the service", []Document{all(Allow, "e?s:*")}, "ecs:RunTask", "*", Allowed},
		{"other service", []Document{all(Allow, "ecs:*")}, "iam:CreateUser", "*", ImplicitDeny},
		{"action without case", []Document{all(Allow, "ECS:runtask")}, "ecs:RunTask", "*", Allowed},
		{"wildcard without case", []Document{all(Allow, "ECS:RUN*")}, "ecs:RunTask", "*", Allowed},
		{"resource with case", []Document{one(Allow, []string{"ecs:*"}, []string{"arn:aws:ecs:*:*:task/DEMO/*"})}, "ecs:StopTask", taskOne, ImplicitDeny},
		{"resource with wildcards", []Document{one(Allow, []string{"ecs:*"}, []string{"arn:aws:ecs:*:*:task/demo/?"})}, "ecs:StopTask", taskOne, Allowed},
		{"a wildcard ends at a colon", []Document{one(Allow, []string{"ecs:*"}, []string{"arn:aws:ecs:*:task/demo/1"})}, "ecs:StopTask", taskOne, ImplicitDeny},
		{"parts left out", []Document{one(Allow, []string{"ecs:*"}, []string{"arn:aws:ecs:us-east-1"})}, "ecs:StopTask", taskOne, Allowed},
		{"instance polls its own", []Document{instance}, "ecs:Poll", mine, Allowed},
		{"instance polls another", []Document{instance}, "ecs:Poll", other, ImplicitDeny},
		{"instance submits for its own", []Document{instance}, "ecs:SubmitTaskStateChange", mine, Allowed},
		{"instance runs a task", []Document{instance}, "ecs:RunTask", "*", ImplicitDeny},
		{"a resource is not everything", []Document{one(Allow, []string{"*"}, []string{mine})}, "ecs:ListClusters", "*", ImplicitDeny},
		{"nor is one character", []Document{one(Allow, []string{"*"}, []string{"?"})}, "ecs:ListClusters", "*", ImplicitDeny},
		{"nor are all of a kind", []Document{one(Allow, []string{"*"}, []string{"arn:aws:ecs:*:*:*"})}, "ecs:ListClusters", "*", ImplicitDeny},
		{"deny after allow", []Document{all(Allow, "*"), all(Deny, "ecs:DeleteCluster")}, "ecs:DeleteCluster", "*", ExplicitDeny},
		{"deny before allow", []Document{all(Deny, "ecs:Delete*"), all(Allow, "*")}, "ecs:DeleteCluster", "*", ExplicitDeny},
		{"deny elsewhere", []Document{all(Allow, "*"), all(Deny, "ecs:Delete*")}, "ecs:ListTasks", "*", Allowed},
		{"deny of one resource", []Document{all(Allow, "*"), one(Deny, []string{"*"}, []string{other})}, "ecs:Poll", mine, Allowed},
		{"misspelt deny", []Document{all(Allow, "*"), all("deny", "ecs:Delete*")}, "ecs:DeleteCluster", "*", ExplicitDeny},
		{"no actions", []Document{one(Allow, nil, []string{"*"})}, "ecs:RunTask", "*", ImplicitDeny},
		{"no resources", []Document{one(Allow, []string{"*"}, nil)}, "ecs:RunTask", "*", ImplicitDeny},
		{"all actions but of an empty list", []Document{{Statements: []Statement{{Effect: Allow, NotActions: []string{}, Resources: []string{"*"}}}}}, "ecs:RunTask", "*", ImplicitDeny},
		{"all resources but of an empty list", []Document{{Statements: []Statement{{Effect: Allow, Actions: []string{"*"}, NotResources: []string{}}}}}, "ecs:RunTask", "*", ImplicitDeny},
		{"empty pattern", []Document{one(Allow, []string{""}, []string{""})}, "ecs:RunTask", "*", ImplicitDeny},
		{"a long action", []Document{all(Allow, "x:*")}, "x:" + string(make([]byte, 100)), "*", Allowed},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := Decide(Request{Principal: ada(c.docs...), Action: c.action, Resource: c.resource})
			if got.Decision != c.want || got.By != Identity {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}
