package policy

import (
	"strings"
	"testing"
)

// holds asks one condition, with variables, of a request that has values for the key k, in lower case, and others.
func holds(operator string, wants, has []string, more ...Key) bool {
	c := compileCondition(Condition{Operator: operator, Key: "K", Values: wants}, true)
	return c.holds(&evaluation{request: Request{Principal: ada(), Context: Keys(append(more, Key{"k", has}))}}, false)
}

// values splits a list at its bars; "-" is none.
func values(s string) []string {
	if s == "-" {
		return nil
	}
	return strings.Split(s, "|")
}

func TestConditions(t *testing.T) {
	for _, c := range []struct {
		operator, wants string
		yes, no         []string // values of the key for which it holds and does not; "-" for a request without the key
	}{
		{"StringEquals", "a|b", []string{"a", "b", "c|b"}, []string{"-", "c", "A", "", "ab"}},
		{"StringEquals", "a*|?", []string{"a*", "?"}, []string{"ab", "x"}},
		{"StringEquals", "", []string{""}, []string{"-", "a"}},
		{"StringNotEquals", "a|b", []string{"-", "c", "A", "c|d"}, []string{"a", "b", "c|b"}},
		{"StringEqualsIgnoreCase", "Ab", []string{"ab", "AB"}, []string{"-", "a"}},
		{"StringNotEqualsIgnoreCase", "Ab", []string{"-", "a"}, []string{"ab", "AB"}},
		{"StringLike", "a*|?b", []string{"a", "abc", "xb"}, []string{"-", "b", "xxb", "Abc"}},
		{"StringNotLike", "a*|?b", []string{"-", "b", "xxb"}, []string{"a", "abc", "xb"}},
		{"StringEqualsIfExists", "a", []string{"-", "a"}, []string{"b"}},
		{"StringNotEqualsIfExists", "a", []string{"-", "b"}, []string{"a"}},
		{"StringLikeIfExists", "a*", []string{"-", "ab"}, []string{"b"}},
		{"StringEquals", "-", nil, []string{"-", "a"}},

		{"NumericEquals", "10", []string{"10", "10.0", "1e1", "3|10"}, []string{"-", "11", "x", ""}},
		{"NumericNotEquals", "10", []string{"-", "11"}, []string{"10", "10.0"}},
		{"NumericLessThan", "10", []string{"9", "-1", "9.99"}, []string{"-", "10", "x"}},
		{"NumericLessThanEquals", "10|20", []string{"10", "15"}, []string{"-", "21"}},
		{"NumericGreaterThan", "10", []string{"11", "10.5"}, []string{"-", "10", "NaN", "Inf", "0x10"}},
		{"NumericGreaterThanEquals", "10", []string{"10", "11"}, []string{"-", "9"}},
		{"NumericEquals", "9007199254740993", []string{"9007199254740993"}, []string{"9007199254740992"}},
		{"NumericLessThanIfExists", "10", []string{"-", "9"}, []string{"10"}},

		{"DateEquals", "2026-11-29T12:00:00Z", []string{"2026-11-29T12:00:00Z", "2026-11-29T13:00:00+01:00", "1795953600", "2026-11-29T12:00Z", "2026-11-29t12:00:00z"}, []string{"-", "2026-11-29T12:00:01Z", "x"}},
		{"DateNotEquals", "2026-11-29", []string{"-", "2026-11-30"}, []string{"2026-11-29T00:00:00Z"}},
		{"DateLessThan", "2026-11-29T12:00:00Z", []string{"2026", "2026-11", "2026-11-29T11:59:59.999Z"}, []string{"-", "2026-11-29T12:00:00Z", "2027"}},
		{"DateLessThanEquals", "1795953600", []string{"2026-11-29T12:00:00Z"}, []string{"2026-11-29T12:00:00.001Z"}},
		{"DateGreaterThan", "2026-11-29T12:00:00Z", []string{"2026-11-29T12:00:00.5Z", "1795953601"}, []string{"-", "1795953600"}},
		{"DateGreaterThanEquals", "2026-11-29T12:00:00-05:00", []string{"2026-11-29T17:00:00Z"}, []string{"2026-11-29T16:59:59Z"}},

		{"Bool", "true", []string{"true", "True", "TRUE"}, []string{"-", "false", "yes", "1"}},
		{"Bool", "false", []string{"false"}, []string{"-", "true"}},
		{"BoolIfExists", "false", []string{"-", "false"}, []string{"true"}},

		{"BinaryEquals", "QmluYXJ5", []string{"QmluYXJ5"}, []string{"-", "Binary", "qmluYXJ5"}},

		{"IpAddress", "203.0.113.0/24|2001:DB8:1234:5678::/64", []string{"203.0.113.9", "2001:db8:1234:5678::1", "::ffff:203.0.113.9"}, []string{"-", "203.0.114.1", "2001:db8::1", "x", "203.0.113.0/24"}},
		{"IpAddress", "203.0.113.9", []string{"203.0.113.9"}, []string{"203.0.113.8"}},
		{"NotIpAddress", "10.0.0.0/8", []string{"-", "11.0.0.1", "::1"}, []string{"10.1.2.3"}},
		{"IpAddress", "203.0.113.77/24", []string{"203.0.113.9"}, []string{"203.0.114.9"}},

		{"ArnEquals", "arn:aws:ecs:*:123456789012:cluster/d?mo*", []string{"arn:aws:ecs:eu-west-1:123456789012:cluster/demo", "arn:aws:ecs:x:123456789012:cluster/demo/a:b"}, []string{"-", "arn:aws:ecs:a:b:123456789012:cluster/demo", "arn:aws:ecs:x:123456789013:cluster/demo", "x"}},
		{"ArnLike", "arn:aws:sns:*:*:*", []string{"arn:aws:sns:a:b:c:d"}, []string{"-", "arn:aws:sqs:a:b:c"}},
		{"ArnLike", "*", []string{"arn:aws:sqs:a:b:c"}, []string{"-"}},
		{"ArnNotEquals", "arn:aws:sns:*:*:x", []string{"-", "arn:aws:sns:a:b:y"}, []string{"arn:aws:sns:a:b:x"}},
		{"ArnNotLike", "arn:aws:sns:*:*:x", []string{"-", "arn:aws:sns:a:b:y"}, []string{"arn:aws:sns:a:b:x"}},
		{"ArnEqualsIfExists", "arn:aws:sns:*:*:x", []string{"-", "arn:aws:sns:a:b:x"}, []string{"arn:aws:sns:a:b:y"}},

		{"Null", "true", []string{"-"}, []string{"a", ""}},
		{"Null", "false", []string{"a", ""}, []string{"-"}},
		{"Null", "true|false", []string{"-", "a"}, nil},

		{"ForAllValues:StringEquals", "a|b", []string{"-", "a", "a|b", "b|b"}, []string{"a|c", "c"}},
		{"ForAllValues:StringLike", "a*|b", []string{"-", "ax|b"}, []string{"ax|c"}},
		{"ForAllValues:StringNotEquals", "a|b", []string{"-", "c|d"}, []string{"a|c", "b"}},
		{"ForAnyValue:StringEquals", "a|b", []string{"a", "c|b"}, []string{"-", "c"}},
		{"ForAnyValue:StringNotEquals", "a|b", []string{"c", "a|c"}, []string{"-", "a", "a|b"}},
		{"ForAnyValue:StringEqualsIfExists", "a", []string{"-", "a|b"}, []string{"b"}},
		{"ForAllValues:NumericLessThan", "10", []string{"-", "1|2"}, []string{"1|10"}},
		{"ForAnyValue:IpAddress", "10.0.0.0/8", []string{"1.1.1.1|10.0.0.1"}, []string{"-", "1.1.1.1"}},
		{"ForAllValues:ArnLike", "arn:aws:iam::*:role/*", []string{"arn:aws:iam::1:role/a|arn:aws:iam::1:role/b"}, []string{"arn:aws:iam::1:role/a|arn:aws:iam::1:user/b"}},
		{"ForAnyValue:Null", "true", []string{"-"}, []string{"a"}},

		// What cannot be read is like nothing.
		{"NumericEquals", "ten", nil, []string{"-", "ten", "10"}},
		{"IpAddress", "10.0.0.0/99", nil, []string{"-", "10.0.0.1"}},
		{"Bool", "maybe", nil, []string{"-", "maybe"}},
		{"StringSquared", "a", nil, []string{"-", "a"}},
	} {
		for i, list := range [][]string{c.yes, c.no} {
			for _, has := range list {
				if got := holds(c.operator, values(c.wants), values(has)); got != (i == 0) {
					t.Errorf("%s %s of %q is %v", c.operator, c.wants, has, got)
				}
			}
		}
	}
}

// The operators of IAM's documentation, all that there are.
func TestOperators(t *testing.T) {
	names := strings.Fields(`StringEquals StringNotEquals StringEqualsIgnoreCase StringNotEqualsIgnoreCase StringLike StringNotLike NumericEquals
		NumericNotEquals NumericLessThan NumericLessThanEquals NumericGreaterThan NumericGreaterThanEquals DateEquals DateNotEquals DateLessThan
		DateLessThanEquals DateGreaterThan DateGreaterThanEquals Bool BinaryEquals IpAddress NotIpAddress ArnEquals ArnLike ArnNotEquals ArnNotLike`)
	for _, name := range names {
		for _, set := range []string{"", "ForAllValues:", "ForAnyValue:"} {
			for _, exists := range []string{"", "IfExists"} {
				o := parseOperator(set + name + exists)
				if o.kind == unknown || (o.set == oneValue) != (set == "") || o.ifExists != (exists != "") || o.negated != strings.Contains(name, "Not") {
					t.Errorf("%s%s%s is %+v", set, name, exists, o)
				}
			}
		}
	}
	for _, name := range strings.Fields("String StringNot Numeric NumericNotLessThan DateLike ArnEqualsIgnoreCase BoolNot NotBool NullIfExists Ip stringEquals ForAllValues: ForEachValue:StringEquals StringEqualsIfExistsIfExists") {
		if o := parseOperator(name); o.kind != unknown {
			t.Errorf("%s is %+v", name, o)
		}
	}
}

func TestVariables(t *testing.T) {
	context := []Key{
		{"aws:username", []string{"ada"}}, {"aws:tagkeys", []string{"a", "b"}}, {"empty", []string{""}}, {"star", []string{"*"}}, {"s3:prefix", []string{"home/ada"}}, {"bytes", []string{"\xff"}},
	}
	for _, c := range []struct {
		operator, want, has string
		is                  bool
	}{
		{"StringEquals", "${aws:username}", "ada", true},
		{"StringEquals", "${aws:username}", "${aws:username}", false},
		{"StringEquals", "${AWS:UserName}", "ada", true},
		{"StringEquals", "x-${aws:username}-${aws:username}", "x-ada-ada", true},
		{"StringEqualsIgnoreCase", "X-${aws:username}", "x-ADA", true},
		{"StringLike", "${aws:username}/*", "ada/x", true},
		{"StringLike", "*/${aws:username}/?", "a/ada/x", true},
		{"StringEquals", "${absent}", "", false},
		{"StringNotEquals", "${absent}", "x", true},
		{"StringEquals", "${absent, 'none'}", "none", true},
		{"StringEquals", "${ absent ,'a, b'}!", "a, b!", true},
		{"StringEquals", "${absent, ''}", "", true},
		{"StringEquals", "${aws:username, 'none'}", "ada", true},
		{"StringEquals", "${absent, none}", "${absent, none}", true},
		{"StringEquals", "${empty}x", "x", true},
		{"StringEquals", "${aws:tagkeys}", "a", false}, // which of them?
		{"StringEquals", "${aws:tagkeys, 'c'}", "c", true},
		{"StringLike", "a${*}", "a*", true},
		{"StringLike", "a${*}", "ab", false},
		{"StringLike", "a${*}*${?}", "a*bc?", true},
		{"StringLike", "a${?}", "ab", false},
		{"StringEquals", "${$}{aws:username}", "${aws:username}", true},
		{"StringLike", "${star}", "*", true},
		{"StringLike", "${star}", "x", false}, // a value's star is a star
		{"StringLike", "${bytes}", "x", false},
		{"StringLike", "${bytes}*", "\uFFFDx", true},
		{"StringEquals", "${aws:username", "${aws:username", true},
		{"StringEquals", "${}", "${}", true},
		{"ArnLike", "arn:aws:iam::*:user/${aws:username}", "arn:aws:iam::1:user/ada", true},
		{"ArnLike", "arn:aws:iam::*:user/${aws:username}", "arn:aws:iam::1:user/bob", false},
		{"ArnEquals", "arn:aws:s3:::b/${s3:prefix}/*", "arn:aws:s3:::b/home/ada/x", true},
		{"NumericEquals", "${aws:username}", "ada", false}, // no variables in numbers
	} {
		if got := holds(c.operator, []string{c.want}, []string{c.has}, context...); got != c.is {
			t.Errorf("%s %s of %s is %v", c.operator, c.want, c.has, got)
		}
	}
	c := compileCondition(Condition{Operator: "StringEquals", Key: "k", Values: []string{"${aws:username}"}}, false)
	e := &evaluation{request: Request{Principal: ada(), Context: Keys{{"k", []string{"${aws:username}"}}}}}
	if !c.holds(e, false) {
		t.Error("the version of 2008 has variables")
	}
}

// The keys that a principal has by itself.
func TestPrincipalKeys(t *testing.T) {
	user := ada()
	user.Tags = map[string]string{"Team": "web", "zone": ""}
	session := &Principal{
		ARN: "arn:aws:sts::123456789012:assumed-role/app/one", Role: "arn:aws:iam::123456789012:role/path/app", Account: "123456789012", UserID: "AROAAPP:one", Kind: RoleSession,
	}
	service := &Principal{ARN: "ecs-tasks.amazonaws.com", Kind: Service}
	root := &Principal{ARN: "arn:aws:iam::123456789012:root", Account: "123456789012", UserID: "123456789012", Kind: Root}
	provider := &Principal{ARN: "arn:aws:iam::123456789012:oidc-provider/example.com", Account: "123456789012", Kind: Federated}
	for _, c := range []struct {
		p          *Principal
		key, value string
	}{
		{user, "aws:principalarn", user.ARN}, {user, "aws:username", "ada"}, {user, "aws:userid", "AIDAADA"}, {user, "aws:principaltype", "User"},
		{user, "aws:principalaccount", "123456789012"}, {user, "aws:principaltag/team", "web"}, {user, "aws:principaltag/zone", ""}, {user, "aws:principaltag/none", "-"},
		{user, "aws:principalisawsservice", "false"}, {user, "aws:principalservicename", "-"},
		{session, "aws:principalarn", session.Role}, {session, "aws:username", "-"}, {session, "aws:userid", "AROAAPP:one"}, {session, "aws:principaltype", "AssumedRole"},
		{service, "aws:principalisawsservice", "true"}, {service, "aws:principalservicename", "ecs-tasks.amazonaws.com"}, {service, "aws:principalarn", "-"},
		{root, "aws:principaltype", "Account"}, {root, "aws:userid", "123456789012"}, {provider, "aws:principaltype", "-"}, {provider, "aws:principalarn", "-"},
	} {
		e := &evaluation{request: Request{Principal: c.p}}
		got := e.values(c.key)
		if c.value == "-" && len(got) > 0 || c.value != "-" && (len(got) != 1 || got[0] != c.value) {
			t.Errorf("%s of %s is %q", c.key, c.p.ARN, got)
		}
	}
	e := &evaluation{request: Request{Principal: user, Context: Chain{nil, Keys{{"aws:username", []string{"bob"}}}}}}
	if got := e.values("aws:username"); len(got) != 1 || got[0] != "bob" {
		t.Errorf("the request says bob, got %q", got)
	}
}

func TestContexts(t *testing.T) {
	calls := 0
	c := Chain{
		nil, Keys{{"a", []string{"1"}}, {"empty", []string{}}}, Tags{"aws:resourcetag/", map[string]string{"Team": "web", "TEAM": "ops", "cost": "x"}},
		Func(func(key string) []string {
			calls++
			if key == "a" || key == "computed" {
				return []string{"2"}
			}
			return nil
		}),
	}
	for key, want := range map[string]string{
		"a": "1", "aws:resourcetag/cost": "x", "aws:resourcetag/team": "ops", "computed": "2", "aws:requesttag/cost": "-", "aws:resourcetag/none": "-", "b": "-",
	} {
		got := c.Values(key)
		if want == "-" && got != nil || want != "-" && (len(got) != 1 || got[0] != want) {
			t.Errorf("%s is %q", key, got)
		}
	}
	if calls != 4 {
		t.Errorf("computed %d times", calls)
	}
	if got := c.Values("empty"); got == nil || len(got) != 0 {
		t.Errorf("empty is %q", got)
	}
}
