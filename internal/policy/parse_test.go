package policy

import (
	"errors"
	"reflect"
	"strings"
	"testing"
)

// statementOf is a document of the version of 2012 with one statement.
func statementOf(members string) string {
	return `{"Version":"2012-10-17","Statement":{` + members + `}}`
}

// listing is a statement that allows s3:ListBucket, with more members.
func listing(more string) string {
	return statementOf(`"Effect":"Allow","Action":"s3:ListBucket"` + more)
}

const bucket = `"Resource":"arn:aws:s3:::example_bucket"`

// What IAM says of documents of managed policies, as it was recorded from AWS.
func TestMalformedManagedPolicies(t *testing.T) {
	const allow, list = `"Effect":"Allow"`, `"Effect":"Allow","Action":"s3:ListBucket",`
	on := func(resource string) string { return statementOf(list + `"Resource":"` + resource + `"`) }
	when := func(condition string) string { return statementOf(list + bucket + `,"Condition":` + condition) }
	for _, c := range []struct{ text, want string }{
		{"This is not a json document", syntaxErrors},
		{``, syntaxErrors},
		{`[]`, syntaxErrors},
		{`null`, syntaxErrors},
		{listing(","+bucket) + `{}`, syntaxErrors},
		{`{"Statement":{` + list + bucket + `}}`, wantsVersion},
		{`{"Version":"2008-10-17","Statement":{` + list + bucket + `}}`, wantsVersion},
		{`{"Version":"2013-10-17","Statement":{` + list + bucket + `}}`, syntaxErrors},
		{`{"Version":2012,"Statement":{` + list + bucket + `}}`, syntaxErrors},
		{`{"Version":"2012-10-17"}`, syntaxErrors},
		{`{"Version":"2012-10-17","Statement":[]}`, syntaxErrors},
		{`{"Version":"2012-10-17","Statement":["afd"]}`, syntaxErrors},
		{`{"Version":"2012-10-17","Statement":"afd"}`, syntaxErrors},
		{`{"Version":"2012-10-17","Statement":{` + list + bucket + `},"Extra field":"value"}`, syntaxErrors},
		{`{"Version":"2012-10-17","Id":["x"],"Statement":{` + list + bucket + `}}`, syntaxErrors},
		{`{"Version":"2012-10-17","Id":{},"Statement":{` + list + bucket + `}}`, syntaxErrors},
		{statementOf(list + bucket + `,"Extra field":"value"`), syntaxErrors},
		{statementOf(list + bucket + `,"Effect":"Allow"`), syntaxErrors},
		{`{"Version":"2012-10-17","Version":"2012-10-17","Statement":{` + list + bucket + `}}`, syntaxErrors},
		{statementOf(`"Effect":"invalid","Action":"s3:ListBucket",` + bucket), syntaxErrors},
		{statementOf(`"Effect":["Allow"],"Action":"s3:ListBucket",` + bucket), syntaxErrors},
		{statementOf(`"Action":"s3:ListBucket",` + bucket), syntaxErrors},
		{statementOf(`"Sid":{},` + list + bucket), syntaxErrors},
		{statementOf(`"Sid":[],` + list + bucket), syntaxErrors},
		{statementOf(allow + `,"NotAction":"s3:ListBucket","Action":"iam:dsf",` + bucket), syntaxErrors},
		{statementOf(allow + `,"NotAction":"s3:ListBucket","Action":[],` + bucket), syntaxErrors},
		{statementOf(list + bucket + `,"NotResource":"*"`), syntaxErrors},
		{statementOf(list + bucket + `,"NotResource":[]`), syntaxErrors},
		{statementOf(allow + `,"Action":[[]],` + bucket), syntaxErrors},
		{statementOf(allow + `,"Action":{},` + bucket), syntaxErrors},
		{statementOf(allow + `,"Action":null,` + bucket), syntaxErrors},
		{statementOf(list + `"Resource":{"a":"arn:aws:s3:::example_bucket"}`), syntaxErrors},
		{statementOf(list + `"Resource":["adfdf",{}]`), syntaxErrors},
		{when(`[]`), syntaxErrors},
		{when(`"a"`), syntaxErrors},
		{when(`{"a":"b"}`), syntaxErrors},
		{when(`{"DateGreaterThan":"b"}`), syntaxErrors},
		{when(`{"DateGreaterThan":[]}`), syntaxErrors},
		{when(`{"DateGreaterThan":{"a":{}}}`), syntaxErrors},
		{when(`{"DateGreaterThan":{"a":null}}`), syntaxErrors},
		{when(`{"x":{"a":"1"}}`), syntaxErrors},
		{when(`{"stringequals":{"a":"1"}}`), syntaxErrors},
		{when(`{"NullIfExists":{"a":"true"}}`), syntaxErrors},
		{when(`{"ForAnyValue::StringEqualsIfExists":{"a":"asf"}}`), syntaxErrors},
		{when(`[{"ForAllValues:StringEquals":{"aws:TagKeys":"Department"}}]`), syntaxErrors},
		{when(`{"StringEquals":{"a":"1","a":"2"}}`), syntaxErrors},
		{statementOf(`"Effect":"denY","Action":"s3:ListBucket",` + bucket), legacyParsing},
		{`{"Statement":{"Effect":"denY","Action":"s3:ListBucket",` + bucket + `}}`, wantsVersion},
		{when(`{"DateGreaterThan":{"a":"sdfdsf"}}`), legacyParsing},
		{when(`{"DateLessThanEquals":{"a":"234-13"}}`), legacyParsing},
		{when(`{"DateLessThanEquals":{"a":"2016-12-13t2:00:00.593194+1"}}`), legacyParsing},
		{when(`{"DateLessThanEquals":{"a":"2016-12-13t2:00:00.1999999999+10:59"}}`), legacyParsing},
		{when(`{"DateLessThan":{"a":"9223372036854775808"}}`), legacyParsing},
		{when(`{"DateLessThan":{"a":["2016","x"]}}`), legacyParsing},
		{when(`{"DateLessThan":{"aws:CurrentTime":"${aws:TokenIssueTime}"}}`), legacyParsing},
		{when(`{"NumericLessThan":{"s3:max-keys":"ten"}}`), legacyParsing},
		{when(`{"IpAddress":{"aws:SourceIp":"localhost"}}`), legacyParsing},
		{when(`{"NotIpAddress":{"aws:SourceIp":["10.0.0.0/8","10.0.0.256"]}}`), legacyParsing},
		{when(`{"ArnLike":{"aws:SourceArn":"arn:aws:ecs"}}`), legacyParsing},
		{when(`{"ArnNotEqualsIfExists":{"aws:SourceArn":"x"}}`), legacyParsing},
		{when(`{"BinaryEquals":{"a":"not base64"}}`), syntaxErrors},
		{when(`{"ForAnyValue:DateLessThanIfExists":{"a":"x"}}`), legacyParsing},
		{statementOf(allow + `,"Condition":{"DateGreaterThan":{"a":"sdfdsf"}}`), legacyParsing},
		{statementOf(list + `"Resource":"arn:error:s3:::example_bucket","Condition":{"DateGreaterThan":{"a":"sdfdsf"}}`), legacyParsing},
		{on("arn:aws:s3::example_bucket"), legacyParsing},
		{on("arn:aws::fdsasf"), legacyParsing},
		{on("arn:aws::::example_bucket"), legacyParsing},
		{on("arn:aws:ecs:us-east-1:${aws:PrincipalAccount}:cluster/demo"), legacyParsing},
		{on("arn:aws:ecs:us-east-1:<ACCOUNT_ID>:cluster/demo"), legacyParsing},
		{statementOf(list + `"NotResource":"arn:aws:s3::example_bucket"`), legacyParsing},
		{statementOf(allow + `,"Resource":"arn:aws:s3::example_bucket"`), legacyParsing},
		{statementOf(`"Effect":"allow","Resource":"arn:aws:s3:us-east-1::example_bucket"`), legacyParsing},
		{`{"Version":"2012-10-17","Statement":[{"Sid":"sdf",` + list + bucket + `},{"Sid":"sdf","Effect":"Allow"}]}`, uniqueSids},
		{statementOf(`"Sid":"a-b",` + list + bucket), plainSids},
		{statementOf(list + bucket + `,"Principal":"*"`), noPrincipal},
		{statementOf(list + bucket + `,"NotPrincipal":{"AWS":"123456789012"}`), noPrincipal},
		{statementOf(allow), wantsActions},
		{statementOf(allow + "," + bucket), wantsActions},
		{statementOf(allow + `,"Action":[],` + bucket), wantsActions},
		{`{"Version":"2012-10-17","Statement":[{"Effect":"Deny"},{` + list + bucket + `}]}`, wantsActions},
		{on("invalid resource"), `Resource invalid resource must be in ARN format or "*".`},
		{on(""), `Resource  must be in ARN format or "*".`},
		{statementOf(list + `"Resource":["adf"]`), `Resource adf must be in ARN format or "*".`},
		{statementOf(allow + `,"Action":"s:3:ListBucket","Resource":"sdfsadf"`), `Resource sdfsadf must be in ARN format or "*".`},
		{on("a:bsdfdsafsad"), `Partition "bsdfdsafsad" is not valid for resource "arn:bsdfdsafsad:*:*:*:*".`},
		{on("a:b:cadfsdf"), `Partition "b" is not valid for resource "arn:b:cadfsdf:*:*:*".`},
		{on("a:b:c:d:e:f:g:h"), `Partition "b" is not valid for resource "arn:b:c:d:e:f:g:h".`},
		{on("aws:s3:::example_bucket"), `Partition "s3" is not valid for resource "arn:s3:::example_bucket:*".`},
		{
			statementOf(list + `"Resource":["arn:error:s3:::example_bucket","arn:error:s3::example_bucket"]`),
			`Partition "error" is not valid for resource "arn:error:s3:::example_bucket".`,
		},
		{on("arn:aws"), plainVendor},
		{on("arn:aws:*:us-east-1:123456789012:x"), plainVendor},
		{on("arn:aws:iam:::example_bucket"), pathOfIAM},
		{on("arn:aws:iam:us-east-1::example_bucket"), "IAM resource arn:aws:iam:us-east-1::example_bucket cannot contain region information."},
		{on("arn:aws:s3:us-east-1::example_bucket"), "Resource arn:aws:s3:us-east-1::example_bucket can not contain region information."},
		{statementOf(allow + `,"Action":"invalid",` + bucket), wantsVendor},
		{statementOf(allow + `,"NotAction":"",` + bucket), wantsVendor},
		{statementOf(allow + `,"Action":"a a:ListBucket",` + bucket), "Vendor a a is not valid"},
		{statementOf(allow + `,"Action":":ListBucket",` + bucket), "Vendor  is not valid"},
		{statementOf(allow + `,"Action":"s3:List:Bucket",` + bucket), oneColon},
		{`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3s:ListBucket",` + bucket + `},{"Effect":"Allow","Action":"s:3s:ListBucket",` + bucket + `}]}`, oneColon},
		{listing(""), wantsResource},
		{listing(`,"Resource":[]`), wantsResource},
		{strings.Repeat("[", 100_000), syntaxErrors},
		{statementOf(allow + `,"Action":` + strings.Repeat("[", 1000) + strings.Repeat("]", 1000)), syntaxErrors},
	} {
		wantMalformed(t, c.text, Managed, c.want)
	}
}

func wantMalformed(t *testing.T, text string, use Use, want string) {
	t.Helper()
	d, err := Parse(text, use)
	if wrong := new(MalformedError); d != nil || !errors.As(err, &wrong) || wrong.Message != want {
		t.Errorf("%.200s\n got %v\nwant %s", text, err, want)
	}
}

// Documents that IAM takes, although some look odd.
func TestManagedPolicies(t *testing.T) {
	on := func(resource string) string { return listing(`,"Resource":"` + resource + `"`) }
	when := func(condition string) string { return listing("," + bucket + `,"Condition":` + condition) }
	for _, text := range []string{
		listing(`,"Resource":["arn:aws:s3:::example_bucket","*"]`),
		statementOf(`"Effect":"Allow","Action":"iam: asdf safdsf af ",` + bucket),
		statementOf(`"Effect":"Allow","Action":"*",` + bucket),
		statementOf(`"Effect":"Allow","Action":"*:*",` + bucket),
		statementOf(`"Effect":"Allow","Action":"s3.s:ListBucket",` + bucket),
		statementOf(`"Effect":"Allow","Action":"service-prefix:action-name",` + bucket),
		statementOf(`"Effect":"Deny","NotAction":"s3:*","NotResource":["arn:aws:s3:::HRBucket/Payroll","arn:aws:s3:::HRBucket/Payroll/*"]`),
		`{"Version":"2012-10-17","Id":"sdfsdfsdf","Statement":[{"Effect":"Allow","Action":"s3:x","Resource":"*"},{"Sid":"","Effect":"Deny","Action":"s3:y","Resource":"*"}]}`,
		on("arn:aws:iam:::user/example_bucket"), on("arn:aws:iam::123456789012:*"), on("arn:aws:iam::123456789012:root"),
		on("arn:aws:s33:::example_bucket"), on("arn:aws:fdsasf"), on("arn:aws:ec2:us-east-1::example_bucket"), on("arn:aws:invalid-service:us-east-1::x"),
		on("arn:aws:ec2:region:account-id:instance/*"), on("arn:*:s3:::x"), on("arn:aws-cn:ecs:*:*:cluster/${aws:PrincipalTag/team, 'x'}"),
		on("arn:aws:s3:us-east-1:123456789012:accesspoint/x"), on("arn:aws:iam::*:user/${aws:username}"),
		when(`{}`), when(`{"DateGreaterThan":{}}`), when(`{"DateGreaterThan":{"a":[]}}`), when(`{"x":{},"y":{}}`),
		when(`{"StringEqualsIfExists":{"a":"asf"}}`), when(`{"ForAnyValue:StringEqualsIfExists":{"a":"asf"}}`),
		when(`{"Bool":{"aws:SecureTransport":true},"NumericLessThan":{"s3:max-keys":[10,"20"]},"Null":{"aws:TokenIssueTime":"true"}}`),
		when(`{"ArnLike":{"aws:SourceArn":["*","arn:aws:iam::*:user/${aws:username}"]},"BinaryEquals":{"a":"QmluYXJ5"},"NotIpAddress":{"b":["::1","10.0.0.0/8"]}}`),
		when(`{"DateGreaterThan":{"a":"01T"}}`), when(`{"DateLessThanEquals":{"a":"2019-07-01T13:20:15Z"}}`), when(`{"DateLessThan":{"a":"-292275054"}}`),
		when(`{"DateLessThanEquals":{"a":"2016-12-13T21:20:37.593194+00:00"}}`), when(`{"DateLessThanEquals":{"a":"2016-12-13t2:00:00.593194+23"}}`),
		when(`{"DateLessThanEquals":{"a":"2016-12-13T21:20:37-05:00"}}`),
	} {
		if _, err := Parse(text, Managed); err != nil {
			t.Errorf("%s\n%v", text, err)
		}
	}
	for _, version := range []string{"", `"Version":"2008-10-17",`} {
		if _, err := Parse(`{`+version+`"Statement":{"Effect":"Allow","Action":"s3:x","Resource":"*"}}`, Identity); err != nil {
			t.Errorf("inline, %q: %v", version, err)
		}
	}
}

// What IAM says of trust policies.
func TestMalformedTrustPolicies(t *testing.T) {
	const aws, assume = `"Principal":{"AWS":"123456789012"}`, `"Action":"sts:AssumeRole"`
	of := func(principal string) string {
		return statementOf(`"Effect":"Allow","Principal":` + principal + "," + assume)
	}
	for _, c := range []struct{ text, want string }{
		{`{`, invalidJSON},
		{`{"Version":"2012-10-17","Statement":"x"}`, invalidJSON},
		{`{"Version":"2013-10-17","Statement":[]}`, validVersion},
		{`{"Version":"2012-10-17","Statement":[]}`, emptyStatement},
		{`{}`, emptyStatement},
		{`{"probe":"malformed"}`, "Unknown field probe"},
		{statementOf(`"_comment":"x","Effect":"Allow",` + aws + "," + assume), "Unknown field _comment"},
		{statementOf(aws + "," + assume), "Missing required field Effect"},
		{statementOf(`"Effect":"allow",` + aws + "," + assume), "Invalid effect: allow"},
		{statementOf(`"Effect":"Perhaps",` + aws + "," + assume), "Invalid effect: Perhaps"},
		{statementOf(`"Effect":"Allow",` + assume), "Missing required field Principal"},
		{of(`{}`), emptyPrincipal},
		{of(`{"AWS":[]}`), emptyPrincipal},
		{of(`"*"`), trustEverybody},
		{of(`"123456789012"`), principalObject},
		{of(`["*"]`), principalObject},
		{of(`{"Federated":"cognito-identity.amazonaws.com"}`), wantsCondition},
		{of(`{"Robot":"x"}`), `Invalid principal in policy: "Robot"`},
		{of(`{"AWS":"12345"}`), `Invalid principal in policy: "AWS":"12345"`},
		{of(`{"AWS":"arn:aws:iam::123456789012:group/x"}`), `Invalid principal in policy: "AWS":"arn:aws:iam::123456789012:group/x"`},
		{of(`{"AWS":"arn:aws:sts::123456789012:assumed-role/x/*"}`), `Invalid principal in policy: "AWS":"arn:aws:sts::123456789012:assumed-role/x/*"`},
		{of(`{"Service":"ecs-tasks.example.com"}`), `Invalid principal in policy: "SERVICE":"ecs-tasks.example.com"`},
		{of(`{"Federated":"arn:aws:iam::123456789012:user/x"}`), `Invalid principal in policy: "FEDERATED":"arn:aws:iam::123456789012:user/x"`},
		{of(`{"CanonicalUser":"79a59df900b949e5"}`), `Invalid principal in policy: "CANONICAL_USER":"79a59df900b949e5"`},
		{statementOf(`"Effect":"Allow","NotPrincipal":{"AWS":"123456789012"},` + assume), allowNotPrincipal},
		{statementOf(`"Effect":"Deny","NotPrincipal":{"AWS":"123456789012"},` + assume), trustNotPrincipal},
		{statementOf(`"Effect":"Allow",` + aws), "Missing required field Action"},
		{statementOf(`"Effect":"Allow",` + aws + `,"Action":[]`), "Missing required field Action"},
		{statementOf(`"Effect":"Allow",` + aws + `,"Action":"*"`), onlySTS},
		{statementOf(`"Effect":"Allow",` + aws + `,"Action":"sts:*"`), onlySTS},
		{statementOf(`"Effect":"Allow",` + aws + `,"Action":"s3:GetObject"`), onlySTS},
		{statementOf(`"Effect":"Allow",` + aws + "," + assume + `,"Resource":"*"`), trustResource},
		{statementOf(`"Effect":"Allow",` + aws + "," + assume + `,"NotResource":"*"`), trustNotResource},
		{statementOf(`"Effect":"Allow",` + aws + "," + assume + `,"Condition":{"Nope":{"a":"b"}}`), syntaxError},
		{statementOf(`"Effect":"Allow",` + aws + "," + assume + `,"NotAction":"sts:TagSession"`), syntaxError},
		{
			`{"Version":"2012-10-17","Statement":[{"Sid":"a","Effect":"Allow",` + aws + "," + assume + `},{"Sid":"a","Effect":"Allow",` + aws + "," + assume + `}]}`,
			uniqueStatements,
		},
	} {
		wantMalformed(t, c.text, Trust, c.want)
	}
	for _, principal := range []string{
		`{"AWS":"123456789012"}`, `{"AWS":["arn:aws:iam::123456789012:root","arn:aws:iam::123456789012:role/x/y","AROAAAAAAAAAAAAAAAAAA","*"]}`,
		`{"Service":["ecs-tasks.amazonaws.com","ecs.amazonaws.com"],"Federated":"arn:aws:iam::123456789012:oidc-provider/example.com/id"}`,
		`{"Federated":"accounts.google.com"}`, `{"AWS":"1234-5678-9012"}`, `{"AWS":"arn:aws:sts::123456789012:assumed-role/x/y"}`,
	} {
		if _, err := Parse(of(principal), Trust); err != nil {
			t.Errorf("%s: %v", principal, err)
		}
	}
	if _, err := Parse(`{"Version":"2008-10-17","Statement":[{"Sid":"a b-c","Effect":"Allow",`+aws+`,"Action":["sts:AssumeRole","sts:TagSession"]}]}`, Trust); err != nil {
		t.Error(err)
	}
}

// What services say of policies of their resources.
func TestResourcePolicies(t *testing.T) {
	const aws, get = `"Effect":"Allow","Principal":{"AWS":"123456789012"}`, `"Action":"secretsmanager:GetSecretValue"`
	for _, c := range []struct{ text, want string }{
		{`x`, invalidJSON},
		{statementOf(`"Effect":"Allow",` + get), "Missing required field Principal"},
		{statementOf(`"Effect":"Allow","NotPrincipal":{"AWS":"123456789012"},` + get), allowNotPrincipal},
		{statementOf(aws), "Missing required field Action"},
		{statementOf(aws + `,"Action":"GetSecretValue"`), wantsVendor},
		{statementOf(aws + "," + get + `,"Resource":"x"`), `Resource x must be in ARN format or "*".`},
		{statementOf(aws + "," + get + `,"Resource":[]`), "Missing required field Resource"},
		{statementOf(aws + "," + get + `,"Condition":{"DateLessThan":{"a":"x"}}`), syntaxError},
	} {
		wantMalformed(t, c.text, Resource, c.want)
	}
	for _, text := range []string{
		statementOf(aws + "," + get), statementOf(aws + "," + get + `,"Resource":"*"`), statementOf(`"Effect":"Allow","Principal":"*",` + get),
		statementOf(`"Effect":"Deny","NotPrincipal":{"AWS":"123456789012"},` + get),
	} {
		if _, err := Parse(text, Resource); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// All that a document has is read, and printed in a form that is read again.
func TestParseReadsAll(t *testing.T) {
	const text = `{"Version":"2012-10-17","Id":"id","Statement":[{"Sid":"one","Effect":"Deny","Principal":{"AWS":["123456789012"],"Service":["a.amazonaws.com"],` +
		`"Federated":["cognito-identity.amazonaws.com"]},"NotAction":["s3:*"],"NotResource":["*"],` +
		`"Condition":{"StringLike":{"z":["b","a"],"a":["1","true"]},"Bool":{"aws:SecureTransport":["false"]}}},` +
		`{"Effect":"Allow","Principal":"*","Action":["s3:a"],"Resource":["*"]}]}`
	d, err := Parse(strings.NewReplacer(`["1","true"]`, `[1,true]`, `["123456789012"]`, `"123456789012"`).Replace(text), Resource)
	if err != nil {
		t.Fatal(err)
	}
	want := &Document{Version: Version2012, ID: "id", Statements: []Statement{
		{
			Sid: "one", Effect: Deny, NotActions: []string{"s3:*"}, NotResources: []string{"*"},
			Principals: &Principals{AWS: []string{"123456789012"}, Service: []string{"a.amazonaws.com"}, Federated: []string{"cognito-identity.amazonaws.com"}},
			Conditions: []Condition{{"StringLike", "z", []string{"b", "a"}}, {"StringLike", "a", []string{"1", "true"}}, {"Bool", "aws:SecureTransport", []string{"false"}}},
		},
		{Effect: Allow, Principals: &Principals{All: true}, Actions: []string{"s3:a"}, Resources: []string{"*"}},
	}}
	if !reflect.DeepEqual(d, want) {
		t.Errorf("got %+v", d)
	}
	if d.String() != text {
		t.Errorf("printed\n%s\nwant\n%s", d, text)
	}
}

// FuzzParse: nothing makes it panic, and what it takes, it prints and takes again.
func FuzzParse(f *testing.F) {
	f.Add(listing(","+bucket), 0)
	f.Add(listing(`,"Resource":["*"],"Condition":{"ForAllValues:StringLikeIfExists":{"aws:TagKeys":["a${aws:username}b*"]},"IpAddress":{"a":"10.0.0.0/8"}}`), 0)
	f.Add(statementOf(`"Effect":"Allow","Principal":{"AWS":"*","Service":["ecs.amazonaws.com"]},"Action":"sts:AssumeRole"`), 1)
	f.Add(statementOf(`"Effect":"Deny","NotPrincipal":{"Federated":"x"},"NotAction":"s3:\u0000"`), 2)
	f.Add(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","NotAction":["a:\ud800"],"NotResource":"arn:aws:s3:::\ufffd${a, 'b'}${*}${"}]}`, 3)
	f.Fuzz(func(t *testing.T, text string, n int) {
		use := []Use{Managed, Trust, Resource, Identity}[n&3]
		d, err := Parse(text, use)
		if err != nil {
			if wrong := new(MalformedError); !errors.As(err, &wrong) || wrong.Message == "" {
				t.Fatalf("not in AWS's words: %v", err)
			}
			return
		}
		again, err := Parse(d.String(), use)
		if err != nil || !reflect.DeepEqual(d, again) {
			t.Fatalf("%s\nprinted %s\nread %+v, %v\nwas %+v", text, d, again, err, d)
		}
		s := Compile(Source{Name: "x", Document: d})
		Simulate(Request{Principal: &Principal{ARN: "arn:aws:iam::123456789012:user/u", Account: "123456789012", Grants: &Grants{Identity: s}},
			Action: "s3:ListBucket", Resource: "arn:aws:s3:::example_bucket", ResourcePolicy: s, Context: Keys{{"a", []string{text}}}})
	})
}
