package policy

import (
	"slices"
	"testing"
)

// AWS's sentences, as its page on access denied errors has them.
func TestVerdictText(t *testing.T) {
	const u, r = "arn:aws:iam::123456789012:user/John", "arn:aws:codedeploy:us-east-1:123456789012:deploymentgroup:x"
	const head = "User: " + u + " is not authorized to perform: codedeploy:ListDeployments"
	for _, c := range []struct {
		v              Verdict
		resource, want string
	}{
		{Verdict{}, r, head + " on resource: " + r + " because no identity-based policy allows the codedeploy:ListDeployments action"},
		{Verdict{}, "*", head + " on resource: * because no identity-based policy allows the codedeploy:ListDeployments action"},
		{Verdict{}, "", head + " because no identity-based policy allows the codedeploy:ListDeployments action"},
		{Verdict{By: Boundary}, r, head + " on resource: " + r + " because no permissions boundary allows the codedeploy:ListDeployments action"},
		{Verdict{By: Session}, r, head + " on resource: " + r + " because no session policy allows the codedeploy:ListDeployments action"},
		{Verdict{By: Resource}, r, head + " on resource: " + r + " because no resource-based policy allows the codedeploy:ListDeployments action"},
		{Verdict{By: Trust}, "", head + " because no role trust policy allows the codedeploy:ListDeployments action"},
		{Verdict{Decision: ExplicitDeny}, r, head + " on resource: " + r + " with an explicit deny in an identity-based policy"},
		{Verdict{Decision: ExplicitDeny, By: Boundary}, "", head + " with an explicit deny in a permissions boundary"},
		{Verdict{Decision: ExplicitDeny, By: Session}, "", head + " with an explicit deny in a session policy"},
		{Verdict{Decision: ExplicitDeny, By: Resource}, "", head + " with an explicit deny in a resource-based policy"},
		{Verdict{Decision: ExplicitDeny, By: Trust}, "", head + " with an explicit deny in the role trust policy"},
		{Verdict{Decision: Allowed}, r, ""},
	} {
		if got := c.v.Text(u, "codedeploy:ListDeployments", c.resource); got != c.want {
			t.Errorf("%+v:\n got %s\nwant %s", c.v, got, c.want)
		}
	}
}

// A verdict names the statement that decided.
func TestVerdictNamesItsStatement(t *testing.T) {
	p := &Principal{ARN: "arn:aws:iam::123456789012:user/ada", Account: "123456789012", Grants: &Grants{
		Identity: Compile(
			Source{"inline", &Document{Statements: []Statement{{Sid: "Read", Effect: Allow, Actions: []string{"ecs:List*"}, Resources: []string{"*"}}}}},
			Source{"arn:aws:iam::123456789012:policy/p", &Document{Version: Version2012, Statements: []Statement{
				{Effect: Allow, Actions: []string{"s3:*"}, Resources: []string{"*"}},
				{Sid: "Run", Effect: Allow, Actions: []string{"ecs:RunTask"}, Resources: []string{"*"}, Conditions: []Condition{{"StringEquals", "aws:RequestTag/Team", []string{"${aws:PrincipalTag/team}"}}}},
				{Effect: Deny, Actions: []string{"ecs:DeleteCluster"}, Resources: []string{"*"}},
			}}},
			Source{"gone", nil},
		),
		Boundary: Compile(Source{"arn:aws:iam::aws:policy/PowerUserAccess", &Document{Statements: []Statement{{Effect: Allow, NotActions: []string{"iam:*"}, Resources: []string{"*"}}}}}),
	}, Tags: map[string]string{"team": "web"}}
	for _, c := range []struct {
		action string
		want   Verdict
	}{
		{"ecs:ListTasks", Verdict{Allowed, Identity, "inline", "Read", 1}},
		{"ecs:RunTask", Verdict{Allowed, Identity, "arn:aws:iam::123456789012:policy/p", "Run", 2}},
		{"ecs:DeleteCluster", Verdict{ExplicitDeny, Identity, "arn:aws:iam::123456789012:policy/p", "", 3}},
		{"ecs:StopTask", Verdict{Decision: ImplicitDeny, By: Identity}},
	} {
		r := Request{Principal: p, Action: c.action, Resource: "*", Context: Keys{{"aws:requesttag/team", []string{"web"}}}}
		if got := Decide(r); got != c.want {
			t.Errorf("%s: %+v, want %+v", c.action, got, c.want)
		}
	}
}

func TestSimulate(t *testing.T) {
	sources := []Source{
		{"a", &Document{Version: Version2012, Statements: []Statement{
			{Sid: "All", Effect: Allow, Actions: []string{"ecs:*"}, Resources: []string{"*"}},
			{Effect: Allow, Actions: []string{"ecs:Run*", "ecs:RunTask"}, Resources: []string{"arn:aws:ecs:*:*:task-definition/${aws:PrincipalTag/Team}:*", "arn:aws:ecs:*:*:cluster/${ecs:none, 'x'}"}},
			{Effect: Allow, Actions: []string{"s3:*"}, Resources: []string{"*"}, Conditions: []Condition{{"StringEquals", "s3:Prefix", []string{"${aws:username}/${saml:x}"}}}},
		}}},
		{"b", &Document{Version: Version2012, Statements: []Statement{
			{Effect: Deny, Actions: []string{"ecs:RunTask"}, Resources: []string{"*"}, Conditions: []Condition{{"Null", "aws:RequestTag/Cost", []string{"true"}}, {"Bool", "AWS:securetransport", []string{"true"}}}},
			{Effect: Allow, NotActions: []string{"iam:*"}, Resources: []string{"*"}, Conditions: []Condition{{"Bool", "aws:SecureTransport", []string{"true"}}}},
		}}},
	}
	p := user(here, Grants{Identity: Compile(sources...), Boundary: Compile(sources[0])})
	p.Tags = map[string]string{"team": "web"}
	r := Request{Principal: p, Action: "ecs:RunTask", Resource: "arn:aws:ecs:us-east-1:" + here + ":task-definition/web:1", Context: Keys{{"aws:securetransport", []string{"true"}}}}
	got := Simulate(r)
	if got.Verdict != (Verdict{ExplicitDeny, Identity, "b", "", 1}) {
		t.Errorf("%+v", got.Verdict)
	}
	want := []Match{
		{Identity, "a", "All", 1, Allow}, {Identity, "a", "", 2, Allow}, {Identity, "b", "", 1, Deny}, {Identity, "b", "", 2, Allow},
		{Boundary, "a", "All", 1, Allow}, {Boundary, "a", "", 2, Allow},
	}
	if !slices.Equal(got.Matched, want) {
		t.Errorf("matched %+v", got.Matched)
	}
	if missing := []string{"aws:RequestTag/Cost", "s3:Prefix", "saml:x"}; !slices.Equal(got.Missing, missing) {
		t.Errorf("missing %q, want %q", got.Missing, missing)
	}
	keys := ContextKeys(Compile(sources...), nil)
	if want := []string{"aws:PrincipalTag/Team", "aws:RequestTag/Cost", "AWS:securetransport", "aws:username", "s3:Prefix", "saml:x"}; !slices.Equal(keys, want) {
		t.Errorf("keys %q, want %q", keys, want)
	}
	if s := Simulate(Request{Action: "a:b", Resource: "*"}); s.Decision != ImplicitDeny || s.Matched != nil || s.Missing != nil {
		t.Errorf("of nobody %+v", s)
	}
}
