package awswire

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/aws-sdk-go-v2/service/sts/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

type querySample struct {
	Name    *string
	Count   int32
	Big     *int64
	On      *bool
	Ratio   *float64
	At      *time.Time
	Blob    []byte
	Words   []string
	Tags    []types.Tag
	Context map[string]string
	Nested  *querySample
	Deep    map[string][]string
}

func queryPlan() *Plan { return NewCompiler(GoNames).Plan(reflect.TypeFor[querySample]()) }

func values(t *testing.T, query string) url.Values {
	t.Helper()
	v, err := url.ParseQuery(query)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestDecodeQuery(t *testing.T) {
	at := time.Date(2021, 5, 2, 10, 41, 46, 500e6, time.UTC)
	for _, c := range []struct {
		name, in string
		want     querySample
	}{
		{"nothing", "Action=X&Version=1", querySample{}},
		{"scalars", "Name=a+b&Count=-3&Big=3000000000&On=true&Ratio=1.5&Blob=aGk%3D",
			querySample{Name: aws.String("a b"), Count: -3, Big: aws.Int64(3e9), On: aws.Bool(true), Ratio: aws.Float64(1.5), Blob: []byte("hi")}},
		{"a small first letter", "name=a", querySample{Name: aws.String("a")}},
		{"empty text", "Name=", querySample{Name: aws.String("")}},
		{"unknown members", "Later=1&Later.member.1=2&nAME=x", querySample{}},
		{"time", "At=2021-05-02T10:41:46.500Z", querySample{At: &at}},
		{"time with an offset", "At=2021-05-02T12:41:46.5%2B02:00", querySample{At: &at}},
		{"time in seconds", "At=1619952106.5", querySample{At: &at}},
		{"list", "Words.member.2=b&Words.member.1=a&Words.member.3=c", querySample{Words: []string{"a", "b", "c"}}},
		{"list with a gap", "Words.member.3=c&Words.member.1=a&Count=0", querySample{Words: []string{"a", "c"}}},
		{"flattened list", "Words.1=a&Words.2=b", querySample{Words: []string{"a", "b"}}},
		{"empty list", "Words=", querySample{Words: []string{}}},
		{"structures", "Tags.member.1.Key=k&Tags.member.1.Value=v&Tags.member.2.Key=l",
			querySample{Tags: []types.Tag{{Key: aws.String("k"), Value: aws.String("v")}, {Key: aws.String("l")}}}},
		{"map", "Context.entry.1.key=a.b&Context.entry.1.value=1&Context.entry.2.key=c&Context.entry.2.value=", querySample{Context: map[string]string{"a.b": "1", "c": ""}}},
		{"map of lists", "Deep.entry.1.key=a&Deep.entry.1.value.member.1=x", querySample{Deep: map[string][]string{"a": {"x"}}}},
		{"nested", "Nested.Nested.Words.member.1=a", querySample{Nested: &querySample{Nested: &querySample{Words: []string{"a"}}}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got querySample
			if _, err := queryPlan().DecodeQuery(values(t, c.in), &got); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got, cmpopts.IgnoreUnexported(types.Tag{})); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestDecodeQueryRefuses(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"Count=x", "STRING_VALUE can not be converted to an Integer (at 'Count')"},
		{"Count=3000000000", "STRING_VALUE can not be converted to an Integer (at 'Count')"},
		{"Big=1.5", "STRING_VALUE can not be converted to a Long (at 'Big')"},
		{"On=yes", "STRING_VALUE can not be converted to a Boolean (at 'On')"},
		{"Ratio=NaN", "STRING_VALUE can not be converted to a Double (at 'Ratio')"},
		{"At=yesterday", "STRING_VALUE can not be converted to a Timestamp (at 'At')"},
		{"At=1e300", "STRING_VALUE can not be converted to a Timestamp (at 'At')"},
		{"Blob=%25", "Invalid base64 data (at 'Blob')"},
		{"Name.member.1=x", "Start of structure or map found where not expected. (at 'Name')"},
		{"Words=x", "STRING_VALUE can not be converted to a list or map (at 'Words')"},
		{"Words.member.1000000=x", "'1000000' is not an index (at 'Words.member')"},
		{"Words.member.99999999999999999999=x", "'99999999999999999999' is not an index (at 'Words.member')"},
		{"Words.member.0=x", "'0' is not an index (at 'Words.member')"},
		{"Words.member.-1=x", "'-1' is not an index (at 'Words.member')"},
		{"Words.member.01=x", "'01' is not an index (at 'Words.member')"},
		{"Words.member.x=x", "'x' is not an index (at 'Words.member')"},
		{"Words.member.1=x&Words.2=y", "A list has one form (at 'Words')"},
		{"Tags.member.1.Key.x=1", "Start of structure or map found where not expected. (at 'Tags.member.1.Key')"},
		{"Nested.Tags.member.2.Key=1", "'2' is not an index (at 'Nested.Tags.member')"},
		{"Context.entry.1.value=x", "A map entry has a key and a value (at 'Context.entry.1')"},
		{"Context.entry.1.key=x", "A map entry has a key and a value (at 'Context.entry.1')"},
		{"Name=a&Name=b", "Duplicate parameter 'Name'"},
		{"Nested" + strings.Repeat(".Nested", maxQueryDepth) + "=x", "A parameter's name has too many levels"},
	} {
		var got querySample
		_, err := queryPlan().DecodeQuery(values(t, c.in), &got)
		if err == nil || err.Error() != c.want {
			t.Errorf("%s: got %v, want %s", c.in, err, c.want)
		}
	}
}

func TestQuerySent(t *testing.T) {
	var s querySample
	sent, err := queryPlan().DecodeQuery(values(t, "Action=X&Count=0&Words.member.1=a&Other=1"), &s)
	if diff := cmp.Diff(Sent{"Count": true, "Words": true}, sent); err != nil || diff != "" {
		t.Error(err, diff)
	}
}

func TestEncodeQuery(t *testing.T) {
	at := time.Date(2021, 5, 2, 12, 41, 46, 5e8, time.FixedZone("", 7200))
	in := querySample{
		Name: aws.String("<a&b>\x01\"\r"), Ratio: aws.Float64(100), At: &at, Words: []string{"x", "y"}, Context: map[string]string{"k": "v", "a": ""},
		Nested: &querySample{Words: []string{}, On: aws.Bool(false), Blob: []byte("hi")},
	}
	want := `<DoXResponse xmlns="urn:x"><DoXResult><Name>&lt;a&amp;b&gt;` + "\uFFFD" + `&quot;&#xD;</Name><Count>0</Count><Ratio>100.0</Ratio>` +
		`<At>2021-05-02T10:41:46.500Z</At><Words><member>x</member><member>y</member></Words>` +
		`<Context><entry><key>a</key><value></value></entry><entry><key>k</key><value>v</value></entry></Context>` +
		`<Nested><Count>0</Count><On>false</On><Blob>aGk=</Blob><Words></Words></Nested></DoXResult>` +
		`<ResponseMetadata><RequestId>r-1</RequestId></ResponseMetadata></DoXResponse>`
	if diff := cmp.Diff(want, string(queryPlan().EncodeQuery("DoX", "urn:x", "r-1", &in))); diff != "" {
		t.Error(diff)
	}
}

// wire is an HTTP client that keeps the request and answers with what the test wants.
type wire struct {
	status int
	answer []byte
	sent   url.Values
}

func (w *wire) Do(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	if w.sent, err = url.ParseQuery(string(body)); err != nil {
		return nil, err
	}
	return &http.Response{StatusCode: w.status, Header: http.Header{}, Body: io.NopCloser(bytes.NewReader(w.answer)), Request: r}, nil
}

func (w *wire) client() *sts.Client {
	return sts.New(sts.Options{Region: "us-east-1", HTTPClient: w, RetryMaxAttempts: 1,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "AKID", SecretAccessKey: "s"}, nil
		})})
}

// What the SDK's own serializer writes, decodes to the same input; what EncodeQuery writes, the SDK reads as the same output.
func TestQueryAgreesWithTheSDK(t *testing.T) {
	c := NewCompiler(GoNames)
	at := time.Date(2026, 11, 24, 10, 0, 0, 0, time.UTC)
	out := &sts.AssumeRoleOutput{
		AssumedRoleUser: &types.AssumedRoleUser{Arn: aws.String("arn:x"), AssumedRoleId: aws.String("A:b<&>")},
		Credentials:     &types.Credentials{AccessKeyId: aws.String("k"), SecretAccessKey: aws.String("s"), SessionToken: aws.String("t"), Expiration: &at},
	}
	w := &wire{status: 200, answer: c.Plan(reflect.TypeFor[sts.AssumeRoleOutput]()).EncodeQuery("AssumeRole", "https://sts.amazonaws.com/doc/2011-06-15/", "r", out)}
	in := &sts.AssumeRoleInput{
		RoleArn: aws.String("arn:aws:iam::1:role/r"), RoleSessionName: aws.String("s&=é"), DurationSeconds: aws.Int32(900),
		PolicyArns: []types.PolicyDescriptorType{{Arn: aws.String("a")}, {Arn: aws.String("b")}},
		Tags:       []types.Tag{{Key: aws.String("k"), Value: aws.String("")}}, TransitiveTagKeys: []string{"k", "l"}, ProvidedContexts: []types.ProvidedContext{},
	}
	got, err := w.client().AssumeRole(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	ignore := cmp.Options{cmpopts.IgnoreUnexported(sts.AssumeRoleInput{}, sts.AssumeRoleOutput{}, types.Tag{}, types.PolicyDescriptorType{},
		types.ProvidedContext{}, types.Credentials{}, types.AssumedRoleUser{}), cmpopts.IgnoreFields(sts.AssumeRoleOutput{}, "ResultMetadata")}
	if diff := cmp.Diff(out, got, ignore); diff != "" {
		t.Errorf("answer: %s", diff)
	}
	var decoded sts.AssumeRoleInput
	if _, err := c.Plan(reflect.TypeFor[sts.AssumeRoleInput]()).DecodeQuery(w.sent, &decoded); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(in, &decoded, ignore); diff != "" {
		t.Errorf("request: %s", diff)
	}
}

func TestQueryErrorReadsInTheSDK(t *testing.T) {
	w := &wire{status: 403, answer: QueryError("urn:x", "r-9", "Sender", "ExpiredTokenException", "too <old>")}
	_, err := w.client().AssumeRole(t.Context(), &sts.AssumeRoleInput{RoleArn: aws.String("arn:aws:iam::1:role/r"), RoleSessionName: aws.String("s")})
	var expired *types.ExpiredTokenException
	if !errors.As(err, &expired) || expired.ErrorMessage() != "too <old>" {
		t.Errorf("got %v", err)
	}
}

func FuzzDecodeQuery(f *testing.F) {
	f.Add("Action=X&Name=a&Words.member.1=b&Tags.member.1.Key=k&Context.entry.1.key=k&Context.entry.1.value=v")
	f.Add("Words=&Nested.Nested.At=2021-05-02T10:41:46Z&Deep.entry.1.key=a&Deep.entry.1.value.1=x&On=false&Blob=aGk=")
	f.Add("Words.member.99999999=x&Count=1&Ratio=1e9&Big=-1")
	plan := queryPlan()
	f.Fuzz(func(t *testing.T, in string) {
		v, err := url.ParseQuery(in)
		if err != nil {
			return
		}
		var s querySample
		if _, err := plan.DecodeQuery(v, &s); err != nil {
			return
		}
		if len(s.Words) > len(v) || len(s.Tags) > len(v) {
			t.Fatalf("%d parameters made a list of %d", len(v), len(s.Words)+len(s.Tags))
		}
		out := plan.EncodeQuery("X", "urn:x", "r", &s)
		if err := xml.Unmarshal(out, new(struct{})); err != nil {
			t.Fatalf("%s: %v", out, err)
		}
	})
}
