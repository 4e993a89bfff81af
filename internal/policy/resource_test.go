package policy

import "testing"

const (
	here  = "123456789012"
	there = "210987654321"
	queue = "arn:aws:sqs:us-east-1:123456789012:queue"
)

// callers are principals of an account, all of whose policies are in grants.
func user(account string, g Grants) *Principal {
	return &Principal{ARN: "arn:aws:iam::" + account + ":user/ada", Account: account, UserID: "AIDAADAADAADAADA", Grants: &g}
}

func session(account string, g Grants) *Principal {
	return &Principal{
		ARN: "arn:aws:sts::" + account + ":assumed-role/app/one", Role: "arn:aws:iam::" + account + ":role/path/app", Account: account,
		UserID: "AROAAPPAPPAPPAPP:one", Kind: RoleSession, Grants: &g,
	}
}

// to is a resource-based policy that allows everything to principals of AWS.
func to(aws ...string) *Set { return naming(Allow, Principals{AWS: aws}) }

func naming(effect Effect, p Principals) *Set {
	return set(Document{Statements: []Statement{{Effect: effect, Principals: &p, Actions: []string{"*"}, Resources: []string{"*"}}}})
}

func but(effect Effect, p Principals) *Set {
	return set(Document{Statements: []Statement{{Effect: effect, NotPrincipals: &p, Actions: []string{"*"}, Resources: []string{"*"}}}})
}

// The tables of the IAM User Guide's page on the evaluation logic: what a resource-based policy that names a principal needs of the principal's
// own policies, in the same account and in another.
func TestDecideByResourcePolicy(t *testing.T) {
	yes, no, never := set(all(Allow, "*")), set(), set(all(Deny, "*"))
	bounds := func(s ...*Set) []*Set { return s }
	for _, c := range []struct {
		name   string
		p      *Principal
		policy *Set
		want   Decision
		by     Use
	}{
		{"nobody allows", user(here, Grants{Identity: no}), no, ImplicitDeny, Identity},
		{"no policy at all", user(here, Grants{}), nil, ImplicitDeny, Identity},
		{"only the user's policy", user(here, Grants{Identity: yes}), nil, Allowed, Identity},
		{"only the resource's", user(here, Grants{}), to("arn:aws:iam::" + here + ":user/ada"), Allowed, Resource},
		{"of another user", user(here, Grants{}), to("arn:aws:iam::" + here + ":user/bob"), ImplicitDeny, Identity},
		{"a user's name is not the beginning of it", user(here, Grants{}), to("arn:aws:iam::" + here + ":user/ad"), ImplicitDeny, Identity},
		{"by the user's id", user(here, Grants{}), to("AIDAADAADAADAADA"), Allowed, Resource},
		{"everybody", user(here, Grants{}), to("*"), Allowed, Resource},
		{"everybody and everything", user(here, Grants{}), naming(Allow, Principals{All: true}), Allowed, Resource},
		{"the account leaves it to the user's policy", user(here, Grants{}), to(here), ImplicitDeny, Identity},
		{"the account's ARN too", user(here, Grants{}), to("arn:aws:iam::" + here + ":root"), ImplicitDeny, Identity},
		{"the account with dashes", user(here, Grants{Identity: yes}), naming(Deny, Principals{AWS: []string{"1234-5678-9012"}}), ExplicitDeny, Resource},
		{"the account, and the user's policy", user(here, Grants{Identity: yes}), to(here), Allowed, Identity},
		{"a boundary does not hold a named user", user(here, Grants{Boundary: no}), to("arn:aws:iam::" + here + ":user/ada"), Allowed, Resource},
		{"but a session's policy does", user(here, Grants{Session: bounds(no)}), to("arn:aws:iam::" + here + ":user/ada"), ImplicitDeny, Session},
		{"boundary without the resource's policy", user(here, Grants{Identity: yes, Boundary: no}), nil, ImplicitDeny, Boundary},
		{"boundary and identity", user(here, Grants{Identity: yes, Boundary: yes}), nil, Allowed, Identity},
		{"a boundary alone", user(here, Grants{Boundary: yes}), nil, ImplicitDeny, Identity},
		{"a session policy alone", session(here, Grants{Session: bounds(yes)}), nil, ImplicitDeny, Identity},
		{"each session policy bounds", session(here, Grants{Identity: yes, Session: bounds(yes, no)}), nil, ImplicitDeny, Session},
		{"a session policy that is missing", session(here, Grants{Identity: yes, Session: bounds(nil)}), nil, ImplicitDeny, Session},
		{"a named role", session(here, Grants{}), to("arn:aws:iam::" + here + ":role/path/app"), Allowed, Resource},
		{"a role's id", session(here, Grants{}), to("AROAAPPAPPAPPAPP"), Allowed, Resource},
		{"a boundary holds a named role", session(here, Grants{Boundary: no}), to("arn:aws:iam::" + here + ":role/path/app"), ImplicitDeny, Boundary},
		{"a session policy holds a named role", session(here, Grants{Session: bounds(no)}), to("arn:aws:iam::" + here + ":role/path/app"), ImplicitDeny, Session},
		{"nothing holds a named session", session(here, Grants{Boundary: no, Session: bounds(no)}), to("arn:aws:sts::" + here + ":assumed-role/app/one"), Allowed, Resource},
		{"another session of the role", session(here, Grants{}), to("arn:aws:sts::" + here + ":assumed-role/app/two"), ImplicitDeny, Identity},
		{"everybody is a role", session(here, Grants{Session: bounds(no)}), to("*"), ImplicitDeny, Session},
		{"the closest name counts", session(here, Grants{Boundary: no}), to(here, "*", "arn:aws:sts::"+here+":assumed-role/app/one"), Allowed, Resource},
		{"an account may do all in itself", &Principal{ARN: "arn:aws:iam::" + here + ":root", Account: here, Kind: Root}, nil, Allowed, Identity},
		{"but not what is denied", &Principal{ARN: "arn:aws:iam::" + here + ":root", Account: here, Kind: Root}, naming(Deny, Principals{All: true}), ExplicitDeny, Resource},
		{"nor elsewhere", &Principal{ARN: "arn:aws:iam::" + there + ":root", Account: there, Kind: Root}, nil, ImplicitDeny, Resource},

		{"another account: neither", user(there, Grants{}), nil, ImplicitDeny, Identity},
		{"another account: only the user's", user(there, Grants{Identity: yes}), nil, ImplicitDeny, Resource},
		{"another account: only the resource's", user(there, Grants{}), to("arn:aws:iam::" + there + ":user/ada"), ImplicitDeny, Identity},
		{"another account: both", user(there, Grants{Identity: yes}), to("arn:aws:iam::" + there + ":user/ada"), Allowed, Identity},
		{"another account: it and the user's", user(there, Grants{Identity: yes}), to(there), Allowed, Identity},
		{"another account: everybody, and the user's", user(there, Grants{Identity: yes}), to("*"), Allowed, Identity},
		{"another account: a third one", user(there, Grants{Identity: yes}), to("111111111111"), ImplicitDeny, Resource},
		{"another account: a boundary holds", user(there, Grants{Identity: yes, Boundary: no}), to("arn:aws:iam::" + there + ":user/ada"), ImplicitDeny, Boundary},
		{"another account: a session policy holds", session(there, Grants{Identity: yes, Session: bounds(no)}), to("arn:aws:sts::" + there + ":assumed-role/app/one"), ImplicitDeny, Session},
		{"another account: a session by itself", session(there, Grants{}), to("arn:aws:sts::" + there + ":assumed-role/app/one"), ImplicitDeny, Identity},

		{"an identity's deny", user(here, Grants{Identity: never}), to("arn:aws:iam::" + here + ":user/ada"), ExplicitDeny, Identity},
		{"a boundary's deny", session(here, Grants{Identity: yes, Boundary: never}), to("arn:aws:sts::" + here + ":assumed-role/app/one"), ExplicitDeny, Boundary},
		{"a session's deny", session(here, Grants{Identity: yes, Session: bounds(yes, never)}), to("arn:aws:sts::" + here + ":assumed-role/app/one"), ExplicitDeny, Session},
		{"a resource's deny", user(here, Grants{Identity: yes}), naming(Deny, Principals{AWS: []string{here}}), ExplicitDeny, Resource},
		{"a deny of the role is one of its sessions", session(here, Grants{Identity: yes}), naming(Deny, Principals{AWS: []string{"arn:aws:iam::" + here + ":role/path/app"}}), ExplicitDeny, Resource},
		{"a deny of somebody else", user(here, Grants{Identity: yes}), naming(Deny, Principals{AWS: []string{there}}), Allowed, Identity},

		{"everybody but others", user(here, Grants{}), but(Allow, Principals{AWS: []string{there}}), Allowed, Resource},
		{"everybody but ada", user(here, Grants{}), but(Allow, Principals{AWS: []string{"arn:aws:iam::" + here + ":user/ada"}}), ImplicitDeny, Identity},
		{"everybody but the account", user(here, Grants{}), but(Allow, Principals{AWS: []string{here}}), ImplicitDeny, Identity},
		{"a deny to all but ada and the account", user(here, Grants{Identity: yes}), but(Deny, Principals{AWS: []string{"arn:aws:iam::" + here + ":user/ada", here}}), Allowed, Identity},
		{"a deny to all but ada", user(here, Grants{Identity: yes}), but(Deny, Principals{AWS: []string{"arn:aws:iam::" + here + ":user/ada"}}), ExplicitDeny, Resource},
		{"a deny to all but a role", session(here, Grants{Identity: yes}), but(Deny, Principals{AWS: []string{here, "arn:aws:iam::" + here + ":role/path/app"}}), ExplicitDeny, Resource},
		{"a deny to all but a role and its session", session(here, Grants{Identity: yes}),
			but(Deny, Principals{AWS: []string{here, "arn:aws:iam::" + here + ":role/path/app", "arn:aws:sts::" + here + ":assumed-role/app/one"}}), Allowed, Identity},
		{"a deny to all but a service", &Principal{ARN: "ecs.amazonaws.com", Kind: Service}, but(Deny, Principals{Service: []string{"ecs.amazonaws.com"}}), ImplicitDeny, Resource},

		{"a service", &Principal{ARN: "ecs.amazonaws.com", Kind: Service}, naming(Allow, Principals{Service: []string{"ec2.amazonaws.com", "ecs.amazonaws.com"}}), Allowed, Resource},
		{"another service", &Principal{ARN: "ecs.amazonaws.com", Kind: Service}, naming(Allow, Principals{Service: []string{"ec2.amazonaws.com"}}), ImplicitDeny, Resource},
		{"a service is none of AWS's accounts", &Principal{ARN: "ecs.amazonaws.com", Kind: Service}, to("*", "ecs.amazonaws.com"), ImplicitDeny, Resource},
		{"but a deny to all is about it", &Principal{ARN: "ecs.amazonaws.com", Kind: Service}, naming(Deny, Principals{AWS: []string{"*"}}), ExplicitDeny, Resource},
		{"a user is no service", user(here, Grants{}), naming(Allow, Principals{Service: []string{"*", "arn:aws:iam::" + here + ":user/ada"}}), ImplicitDeny, Identity},
		{"a provider", &Principal{ARN: "arn:aws:iam::" + here + ":oidc-provider/x", Kind: Federated, Account: here}, naming(Allow, Principals{Federated: []string{"arn:aws:iam::" + here + ":oidc-provider/x"}}), Allowed, Resource},
		{"a provider is not its account", &Principal{ARN: "arn:aws:iam::" + here + ":oidc-provider/x", Kind: Federated, Account: here}, to(here), ImplicitDeny, Resource},

		{"an identity-based policy names nobody", user(here, Grants{Identity: to("*")}), nil, ImplicitDeny, Identity},
		{"a resource's policy must name somebody", user(here, Grants{}), yes, ImplicitDeny, Identity},
		{"no name is nobody's", &Principal{ARN: "arn:aws:iam::" + here + ":user/x", Account: here}, to(""), ImplicitDeny, Identity},
		{"nobody known", nil, to(here), ImplicitDeny, Identity},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := Request{Principal: c.p, Action: "sqs:SendMessage", Resource: queue, ResourcePolicy: c.policy}
			got := Decide(r)
			if got.Decision != c.want || got.By != c.by {
				t.Errorf("%v by %v, want %v by %v", got.Decision, got.By, c.want, c.by)
			}
			if s := Simulate(r); s.Verdict != got {
				t.Errorf("simulated %+v, decided %+v", s.Verdict, got)
			}
		})
	}
}

// Whoever may assume a role, its trust policy says, and the caller's own policies only where it leaves it to them.
func TestDecideByTrust(t *testing.T) {
	yes := set(all(Allow, "sts:AssumeRole"))
	trust := func(p Principals, conditions ...Condition) *Set {
		return set(Document{Statements: []Statement{{Sid: "t", Effect: Allow, Principals: &p, Actions: []string{"sts:AssumeRole"}, Conditions: conditions}}})
	}
	aws := func(list ...string) *Set { return trust(Principals{AWS: list}) }
	for _, c := range []struct {
		name  string
		p     *Principal
		trust *Set
		want  Decision
		by    Use
	}{
		{"its own policy is not enough", user(here, Grants{Identity: yes}), aws(there), ImplicitDeny, Trust},
		{"no trust policy", user(here, Grants{Identity: yes}), nil, ImplicitDeny, Trust},
		{"a named user needs no policy", user(here, Grants{}), aws("arn:aws:iam::" + here + ":user/ada"), Allowed, Trust},
		{"the account leaves it to policies", user(here, Grants{}), aws(here), ImplicitDeny, Identity},
		{"the account and a policy", user(here, Grants{Identity: yes}), aws("arn:aws:iam::" + here + ":root"), Allowed, Identity},
		{"a named user of another account needs one", user(there, Grants{}), aws("arn:aws:iam::" + there + ":user/ada"), ImplicitDeny, Identity},
		{"and has it", user(there, Grants{Identity: yes}), aws("arn:aws:iam::" + there + ":user/ada"), Allowed, Identity},
		{"another account that is not trusted", user(there, Grants{Identity: yes}), aws(here), ImplicitDeny, Trust},
		{"a role", session(here, Grants{}), aws("arn:aws:iam::" + here + ":role/path/app"), Allowed, Trust},
		{"a service", &Principal{ARN: "ecs-tasks.amazonaws.com", Kind: Service}, trust(Principals{Service: []string{"ecs-tasks.amazonaws.com"}}), Allowed, Trust},
		{"another service", &Principal{ARN: "ecs.amazonaws.com", Kind: Service}, trust(Principals{Service: []string{"ecs-tasks.amazonaws.com"}}), ImplicitDeny, Trust},
		{"a service for an account", &Principal{ARN: "ecs-tasks.amazonaws.com", Kind: Service},
			trust(Principals{Service: []string{"ecs-tasks.amazonaws.com"}}, Condition{"StringEquals", "aws:SourceAccount", []string{here}}), Allowed, Trust},
		{"a service for another account", &Principal{ARN: "ecs-tasks.amazonaws.com", Kind: Service},
			trust(Principals{Service: []string{"ecs-tasks.amazonaws.com"}}, Condition{"StringEquals", "aws:SourceAccount", []string{there}}), ImplicitDeny, Trust},
		{"denied", user(here, Grants{Identity: yes}), set(Document{Statements: []Statement{
			{Effect: Allow, Principals: &Principals{AWS: []string{here}}, Actions: []string{"sts:AssumeRole"}},
			{Effect: Deny, Principals: &Principals{AWS: []string{"*"}}, Actions: []string{"sts:AssumeRole"}},
		}}), ExplicitDeny, Trust},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := Decide(Request{
				Principal: c.p, Action: "sts:AssumeRole", Resource: "arn:aws:iam::" + here + ":role/target", ResourcePolicy: c.trust, Trust: true,
				Context: Keys{{"aws:sourceaccount", []string{here}}},
			})
			if got.Decision != c.want || got.By != c.by {
				t.Errorf("%v by %v, want %v by %v", got.Decision, got.By, c.want, c.by)
			}
		})
	}
}

// Which account a resource belongs to.
func TestOwner(t *testing.T) {
	yes := set(all(Allow, "*"))
	for _, c := range []struct {
		resource, owner string
		want            Decision
	}{
		{"*", "", Allowed},
		{"arn:aws:s3:::bucket", "", Allowed},
		{"arn:aws:s3:::bucket", there, ImplicitDeny},
		{"arn:aws:iam::aws:policy/AdministratorAccess", "", Allowed},
		{"arn:aws:ecs:us-east-1:*:task/x", "", Allowed},
		{"arn:aws:ecs:us-east-1:" + here + ":task/x", "", Allowed},
		{"arn:aws:ecs:us-east-1:" + there + ":task/x", "", ImplicitDeny},
		{"arn:aws:ecs:us-east-1:" + there + ":task/x", here, Allowed},
	} {
		if got := Decide(Request{Principal: user(here, Grants{Identity: yes}), Action: "a:b", Resource: c.resource, Owner: c.owner}); got.Decision != c.want {
			t.Errorf("%s of %q: %v", c.resource, c.owner, got.Decision)
		}
	}
}
