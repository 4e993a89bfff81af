package awswire

import (
	"reflect"
	"testing"
	"time"

	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/google/go-cmp/cmp"
)

type inner struct{ Name *string }

type sample struct {
	ClusterArn   *string
	DesiredCount int32
	Big          *int64
	On           bool
	Ratio        float64
	At           *time.Time
	List         []inner
	Names        map[string]string
	Blob         []byte
	Kept         Unknown
}

func samplePlan() *Plan { return NewCompiler(LowerCamel).Plan(reflect.TypeFor[sample]()) }

func TestDecodeJSON(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"members", `{"clusterArn":"a","desiredCount":3,"on":true}`, `{"clusterArn":"a","desiredCount":3,"on":true,"ratio":0.0}`},
		{"null is absent", `{"clusterArn":null,"list":null}`, `{"desiredCount":0,"on":false,"ratio":0.0}`},
		{"empty list stays", `{"list":[]}`, `{"desiredCount":0,"on":false,"ratio":0.0,"list":[]}`},
		{"null in a list goes", `{"list":[null,{"name":"x"}]}`, `{"desiredCount":0,"on":false,"ratio":0.0,"list":[{"name":"x"}]}`},
		{"fraction", `{"desiredCount":3.7}`, `{"desiredCount":3,"on":false,"ratio":0.0}`},
		{"time", `{"at":1.619952106055E9}`, `{"desiredCount":0,"on":false,"ratio":0.0,"at":1619952106.055}`},
		{"time as text", `{"at":"2021-05-02T10:41:46.5Z"}`, `{"desiredCount":0,"on":false,"ratio":0.0,"at":1619952106.5}`},
		{"text", `{"names":{"b":"\u00e9\n","a":"<"},"blob":"aGk="}`, `{"desiredCount":0,"on":false,"ratio":0.0,"names":{"a":"<","b":"é\n"},"blob":"aGk="}`},
		{"double", `{"ratio":100}`, `{"desiredCount":0,"on":false,"ratio":100.0}`},
		{"unknown kept", `{"later":{"x":[1,2]}}`, `{"desiredCount":0,"on":false,"ratio":0.0,"later":{"x":[1,2]}}`},
		{"nothing", ``, `{"desiredCount":0,"on":false,"ratio":0.0}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			var s sample
			if _, err := samplePlan().DecodeJSON([]byte(c.in), &s); err != nil {
				t.Fatal(err)
			}
			if got := string(samplePlan().EncodeJSON(&s)); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

func TestDecodeJSONRefuses(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{`{"clusterArn":5}`, "NUMBER_VALUE can not be converted to a String (at 'clusterArn')"},
		{`{"desiredCount":"x"}`, "STRING_VALUE can not be converted to an Integer (at 'desiredCount')"},
		{`{"desiredCount":3000000000}`, "NUMBER_VALUE is out of the range of an Integer (at 'desiredCount')"},
		{`{"list":{}}`, "Start of structure or map found where not expected. (at 'list')"},
		{`{"list":[{"name":[]}]}`, "Start of list found where not expected (at 'list.1.name')"},
		{`{"on":"true"}`, "STRING_VALUE can not be converted to a Boolean (at 'on')"},
		{`[]`, "Unexpected token received from parser"},
		{`{} x`, "Unexpected token received from parser"},
	} {
		var s sample
		_, err := samplePlan().DecodeJSON([]byte(c.in), &s)
		if err == nil || err.Error() != c.want {
			t.Errorf("%s: got %v, want %s", c.in, err, c.want)
		}
	}
	var s sample
	if _, err := samplePlan().DecodeJSON([]byte(`{"clusterArn":"a`), &s); err == nil {
		t.Error("half a body decoded")
	}
}

func TestSent(t *testing.T) {
	var s sample
	sent, err := samplePlan().DecodeJSON([]byte(`{"on":false,"at":null}`), &s)
	if err != nil || !sent["on"] || sent["at"] || sent["desiredCount"] {
		t.Errorf("sent %v, %v", sent, err)
	}
}

func TestRecordIsSparse(t *testing.T) {
	in := `{"clusterArn":"a","later":1}`
	var s sample
	if err := samplePlan().DecodeRecord([]byte(in), &s); err != nil {
		t.Fatal(err)
	}
	if got := string(samplePlan().EncodeRecord(&s)); got != in {
		t.Errorf("got %s, want %s", got, in)
	}
}

func FuzzDecodeJSON(f *testing.F) {
	f.Add([]byte(`{"cluster":"c","containerInstances":["a"],"include":["TAGS"]}`))
	f.Add([]byte(`{"containerDefinitions":[{"name":"x","portMappings":[{"containerPort":80}],"environment":[{"name":"a","value":"b"}]}],"family":"f"}`))
	f.Add([]byte(`{"a":{"b":[1,2,{"c":null}]}}`))
	plan := NewCompiler(LowerCamel).Plan(reflect.TypeFor[awsecs.RegisterTaskDefinitionInput]())
	f.Fuzz(func(t *testing.T, in []byte) {
		var a, b awsecs.RegisterTaskDefinitionInput
		if _, err := plan.DecodeJSON(in, &a); err != nil {
			return
		}
		out := plan.EncodeJSON(&a)
		if _, err := plan.DecodeJSON(out, &b); err != nil {
			t.Fatalf("%s does not decode again: %v", out, err)
		}
		if diff := cmp.Diff(string(out), string(plan.EncodeJSON(&b))); diff != "" {
			t.Fatal(diff)
		}
	})
}
