package policy

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// Few words, so that what is drawn meets.
var (
	drawAction    = rapid.SampledFrom([]string{"ecs:RunTask", "ecs:StopTask", "ECS:runtask", "s3:Get", "s3:Put"})
	drawActions   = rapid.SliceOfN(rapid.SampledFrom([]string{"*", "ecs:*", "ecs:RunTask", "ecs:Run*", "ecs:St?pTask", "s3:*", "s3:get", "*:Put"}), 1, 3)
	drawResource  = rapid.SampledFrom([]string{"*", "arn:aws:ecs:r:1:task/a", "arn:aws:ecs:r:1:task/ab", "arn:aws:ecs:r:1:x:y", "arn:aws:ecs:r:2:task/a"})
	drawResources = rapid.SliceOfN(rapid.SampledFrom([]string{
		"*", "arn:aws:ecs:*:*:task/*", "arn:aws:ecs:r:1:task/a", "arn:aws:ecs:r:1:task/a*", "arn:aws:ecs:*:*:task/${k}", "arn:aws:ecs", "arn:aws:ecs:r:1:*:y",
		"arn:aws:ecs:*:task/a", "arn:aws:ecs:r:?:t*/a${*}",
	}), 1, 2)
	drawOperator = rapid.Custom(func(t *rapid.T) string {
		op := rapid.SampledFrom([]string{"StringEquals", "StringNotEquals", "StringEqualsIgnoreCase", "StringLike", "StringNotLike", "NumericEquals", "NumericNotEquals", "NumericLessThan", "Null"}).Draw(t, "op")
		if op == "Null" {
			return op
		}
		return rapid.SampledFrom([]string{"", "", "ForAllValues:", "ForAnyValue:"}).Draw(t, "set") + op + rapid.SampledFrom([]string{"", "", "IfExists"}).Draw(t, "exists")
	})
	drawCondition = rapid.Custom(func(t *rapid.T) Condition {
		return Condition{
			Operator: drawOperator.Draw(t, "operator"), Key: rapid.SampledFrom([]string{"k", "K", "l", "m"}).Draw(t, "key"),
			Values: rapid.SliceOfN(rapid.SampledFrom([]string{"a", "A", "b", "1", "2", "a*", "?", "${l}", "${k}*", "${*}", "true", "false"}), 1, 2).Draw(t, "values"),
		}
	})
	drawKeys = rapid.MapOfN(rapid.SampledFrom([]string{"k", "l"}), rapid.SliceOfN(rapid.SampledFrom([]string{"a", "A", "b", "1", "2", "*", "a*"}), 1, 2), 0, 2)
)

var drawPrincipal = rapid.SampledFrom([]*Principal{
	{ARN: "arn:aws:iam::1:user/u", Account: "1", UserID: "AIDAU"},
	{ARN: "arn:aws:iam::2:user/u", Account: "2", UserID: "AIDAV"},
	{ARN: "arn:aws:sts::1:assumed-role/r/s", Role: "arn:aws:iam::1:role/r", Account: "1", UserID: "AROAR:s", Kind: RoleSession},
})

// drawDocument draws a policy whose statements have these effects, and principals if it is of a resource.
func drawDocument(resource bool, effects ...Effect) *rapid.Generator[Document] {
	return rapid.Custom(func(t *rapid.T) Document {
		d := Document{Version: Version2012}
		for range rapid.IntRange(0, 3).Draw(t, "statements") {
			s := Statement{Effect: rapid.SampledFrom(effects).Draw(t, "effect"), Conditions: rapid.SliceOfN(drawCondition, 0, 2).Draw(t, "conditions")}
			if rapid.IntRange(0, 4).Draw(t, "not action") > 0 {
				s.Actions = drawActions.Draw(t, "actions")
			} else {
				s.NotActions = drawActions.Draw(t, "actions")
			}
			if rapid.IntRange(0, 4).Draw(t, "not resource") > 0 {
				s.Resources = drawResources.Draw(t, "resources")
			} else {
				s.NotResources = drawResources.Draw(t, "resources")
			}
			if resource {
				s.Principals = &Principals{AWS: rapid.SliceOfN(rapid.SampledFrom([]string{
					"*", "1", "2", "arn:aws:iam::1:user/u", "arn:aws:iam::1:role/r", "arn:aws:sts::1:assumed-role/r/s", "arn:aws:iam::2:user/u",
				}), 1, 2).Draw(t, "principals")}
			}
			d.Statements = append(d.Statements, s)
		}
		return d
	})
}

func drawDocuments(resource bool, effects ...Effect) *rapid.Generator[[]Document] {
	return rapid.SliceOfN(drawDocument(resource, effects...), 0, 3)
}

// drawPlain draws a request with all policies that it meets.
var drawPlain = rapid.Custom(func(t *rapid.T) plain {
	r := plain{
		principal: drawPrincipal.Draw(t, "principal"), action: drawAction.Draw(t, "action"), resource: drawResource.Draw(t, "resource"),
		keys: drawKeys.Draw(t, "keys"), trust: rapid.Bool().Draw(t, "trust"), identity: drawDocuments(false, Allow, Allow, Deny).Draw(t, "identity"),
	}
	if r.resource == "*" {
		r.resource = "arn:aws:ecs:r:" + r.principal.Account + ":"
	}
	if rapid.Bool().Draw(t, "resource policy") {
		r.resources = drawDocuments(true, Allow, Allow, Deny).Draw(t, "resource's")
	}
	if rapid.Bool().Draw(t, "boundary") {
		r.boundary = append([]Document{}, drawDocuments(false, Allow, Allow, Deny).Draw(t, "boundary's")...)
	}
	for range rapid.IntRange(0, 2).Draw(t, "sessions") {
		r.sessions = append(r.sessions, drawDocuments(false, Allow, Allow, Deny).Draw(t, "session's"))
	}
	return r
})

// request compiles what was drawn.
func (r plain) request() Request {
	p := *r.principal
	p.Grants = &Grants{Identity: set(r.identity...)}
	if r.boundary != nil {
		p.Grants.Boundary = set(r.boundary...)
	}
	for _, s := range r.sessions {
		p.Grants.Session = append(p.Grants.Session, set(s...))
	}
	keys := Func(func(key string) []string { return r.keys[key] })
	return Request{Principal: &p, Action: r.action, Resource: r.resource, Context: keys, ResourcePolicy: set(r.resources...), Trust: r.trust}
}

// compiled is Decide's answer.
func (r plain) compiled() Decision { return Decide(r.request()).Decision }

func TestCompiledAgreesWithPlain(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := drawPlain.Draw(t, "request")
		if got, want := r.compiled(), r.decide(); got != want {
			t.Fatalf("compiled %v, plain %v", got, want)
		}
		q := r.request()
		s := Simulate(q)
		if s.Verdict != Decide(q) {
			t.Fatalf("simulated %+v, decided %+v", s.Verdict, Decide(q))
		}
		if s.Statement > 0 && !slices.ContainsFunc(s.Matched, func(m Match) bool {
			return m.Statement == s.Statement && m.Use == s.By && (m.Effect == Allow) == (s.Decision == Allowed)
		}) {
			t.Fatalf("%+v is not among %+v", s.Verdict, s.Matched)
		}
	})
}

// A Deny that applies decides, wherever it stands.
func TestDenyWins(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := drawPlain.Draw(t, "request")
		deny := Document{Statements: []Statement{{Effect: Deny, Actions: []string{r.action}, Resources: []string{r.resource}}}}
		at := func(docs []Document) []Document { return append(slices.Clip(docs), deny) }
		switch rapid.IntRange(0, 3).Draw(t, "where") {
		case 0:
			r.identity = at(r.identity)
		case 1:
			r.boundary = at(r.boundary)
		case 2:
			r.sessions = append(slices.Clip(r.sessions), at(nil))
		case 3:
			deny.Statements[0].Principals = &Principals{AWS: []string{"*"}}
			r.resources = at(r.resources)
		}
		if got := r.compiled(); got != ExplicitDeny {
			t.Fatalf("%v", got)
		}
	})
}

func TestNoAllowNoAccess(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := drawPlain.Draw(t, "request")
		r.identity, r.resources = drawDocuments(false, Deny).Draw(t, "denials"), drawDocuments(true, Deny).Draw(t, "resource's denials")
		if r.compiled() == Allowed {
			t.Fatal("allowed without an Allow")
		}
	})
}

func TestAllowTakesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := drawPlain.Draw(t, "request")
		before := r.compiled()
		switch rapid.IntRange(0, 2).Draw(t, "where") {
		case 0:
			r.identity = append(slices.Clip(r.identity), drawDocument(false, Allow).Draw(t, "more"))
		case 1:
			r.resources = append(slices.Clip(r.resources), drawDocument(true, Allow).Draw(t, "more"))
		case 2:
			if r.boundary != nil {
				r.boundary = append(slices.Clip(r.boundary), drawDocument(false, Allow).Draw(t, "more"))
			}
		}
		if after := r.compiled(); before == ExplicitDeny && after != ExplicitDeny || before == Allowed && after != Allowed {
			t.Fatalf("an Allow turned %v into %v", before, after)
		}
	})
}

func TestBoundsAddNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := drawPlain.Draw(t, "request")
		bound := append([]Document{}, drawDocuments(false, Allow, Deny).Draw(t, "bound")...)
		with := r
		if r.boundary == nil && rapid.Bool().Draw(t, "boundary") {
			with.boundary = bound
		} else {
			with.sessions = append(slices.Clip(r.sessions), bound)
		}
		if with.compiled() == Allowed && r.compiled() != Allowed {
			t.Fatal("a bound allows")
		}
	})
}

func TestOrderDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := drawPlain.Draw(t, "request")
		before := r.compiled()
		mix := func(docs []Document) []Document {
			docs = slices.Clone(rapid.Permutation(docs).Draw(t, "documents"))
			for i, d := range docs {
				docs[i].Statements = rapid.Permutation(d.Statements).Draw(t, "statements")
			}
			return docs
		}
		r.identity, r.resources = mix(r.identity), mix(r.resources)
		if r.boundary != nil {
			r.boundary = append([]Document{}, mix(r.boundary)...)
		}
		r.sessions = rapid.Permutation(r.sessions).Draw(t, "sessions")
		if after := r.compiled(); after != before {
			t.Fatalf("%v became %v", before, after)
		}
	})
}

// What is printed decides as what was written did.
func TestPrintedDecidesTheSame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := drawPlain.Draw(t, "request")
		d := drawDocument(false, Allow, Deny).Filter(func(d Document) bool { return len(d.Statements) > 0 }).Draw(t, "document")
		for i := range d.Statements {
			d.Statements[i].Conditions = acceptable(d.Statements[i].Conditions)
		}
		r.identity = []Document{d}
		before := r.compiled()
		parsed, err := Parse(d.String(), Managed)
		if err != nil {
			t.Fatalf("%s: %v", d.String(), err)
		}
		r.identity = []Document{*parsed}
		if after := r.compiled(); after != before {
			t.Fatalf("%v became %v", before, after)
		}
	})
}

// acceptable leaves out conditions that IAM does not take, and those of an operator and key that were there before, which JSON cannot have.
func acceptable(all []Condition) (left []Condition) {
	for _, c := range all {
		if readable([]Condition{c}) && !slices.ContainsFunc(left, func(b Condition) bool { return b.Operator == c.Operator && b.Key == c.Key }) {
			left = append(left, c)
		}
	}
	return left
}
