package awswire_test

import (
	"bytes"
	"context"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/smithy-go"
	smithydocument "github.com/aws/smithy-go/document"
	"github.com/aws/smithy-go/middleware"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"berth/internal/awswire"
)

// leftOut are the members that plans do not carry: documents, unions and lists of unions, which are interfaces in Go. A plan has no member
// for the single ones, and no way to write a list of them.
var leftOut = []string{
	"Container.GpuSharingStrategy",
	"CreateGatewayInput.Configuration",
	"DeploymentLifecycleHook.HookDetails",
	"Gateway.Configuration",
	"GatewayConnection.Resources",
	"GatewayResources.Resources",
	"GatewayRoute.Resources",
	"ResourceRequirement.SharingStrategy",
	"ServiceConnectConfiguration.ContainerConfigurations",
	"UpdateGatewayInput.Configuration",
}

// operation is one method of the SDK's client.
type operation struct {
	name          string
	input, output reflect.Type // structures
}

func operations(t *testing.T) (list []operation) {
	t.Helper()
	for m := range reflect.TypeFor[*awsecs.Client]().Methods() {
		f := m.Type
		if f.NumIn() == 4 && f.NumOut() == 2 && f.IsVariadic() && f.In(2).Kind() == reflect.Pointer && f.In(2).Elem().Name() == m.Name+"Input" {
			list = append(list, operation{m.Name, f.In(2).Elem(), f.Out(0).Elem()})
		}
	}
	if len(list) < 88 {
		t.Fatalf("found %d operations of ECS, which has had 88", len(list))
	}
	return list
}

// filler fills values of any of the SDK's types.
type filler struct {
	*rand.Rand
	sparse bool // leaves some members out and some lists empty
}

func (f filler) fill(v reflect.Value, depth int) {
	if v.Type() == reflect.TypeFor[time.Time]() {
		v.Set(reflect.ValueOf(time.UnixMilli(f.Int64N(4e12)).UTC()))
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			if field := v.Type().Field(i); field.IsExported() && field.Name != "ResultMetadata" {
				f.fill(v.Field(i), depth)
			}
		}
	case reflect.Pointer:
		if f.some(depth) {
			v.Set(reflect.New(v.Type().Elem()))
			f.fill(v.Elem(), depth+1)
		}
	case reflect.Slice:
		f.list(v, depth)
	case reflect.Map:
		f.table(v, depth)
	case reflect.String:
		v.SetString(f.text())
	case reflect.Bool:
		v.SetBool(f.IntN(2) == 0)
	case reflect.Int32:
		v.SetInt(int64(int32(f.Uint32())))
	case reflect.Int64:
		v.SetInt(int64(f.Uint64()))
	case reflect.Float64, reflect.Float32:
		v.SetFloat(float64(f.IntN(1e6)) / 64)
	case reflect.Interface: // a document or union: left out
	default:
		panic("no value for " + v.Type().String())
	}
}

// some says whether an optional member is there. Shapes may contain themselves.
func (f filler) some(depth int) bool { return depth < 12 && (!f.sparse || f.IntN(4) > 0) }

func (f filler) list(v reflect.Value, depth int) {
	if v.Type().Elem().Kind() == reflect.Interface || !f.some(depth) {
		return
	}
	n := 1 + f.IntN(2)
	if f.sparse {
		n = f.IntN(3)
	}
	v.Set(reflect.MakeSlice(v.Type(), n, n))
	for i := range n {
		if e := v.Index(i); e.Kind() == reflect.Uint8 {
			e.SetUint(uint64(f.IntN(256)))
		} else {
			f.fill(e, depth+1)
		}
	}
}

func (f filler) table(v reflect.Value, depth int) {
	if !f.some(depth) {
		return
	}
	v.Set(reflect.MakeMap(v.Type()))
	for range 1 + f.IntN(2) {
		key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		f.fill(key, depth+1)
		f.fill(value, depth+1)
		v.SetMapIndex(key, value)
	}
}

// text is never empty: an empty enumeration is an absent one.
func (f filler) text() string {
	letters := []rune("abcXYZ059 -_/:.\"\\\n\t\x01<&é世🙂")
	out := make([]rune, 1+f.IntN(8))
	for i := range out {
		out[i] = letters[f.IntN(len(letters))]
	}
	return string(out)
}

// same are the options to compare what went through the wire with what was sent.
func same() cmp.Options {
	return cmp.Options{
		cmp.Exporter(func(reflect.Type) bool { return true }), cmpopts.IgnoreTypes(middleware.Metadata{}, smithydocument.NoSerde{}),
	}
}

// Every input and output of every operation comes back as it was, whatever is left out of it.
func TestWalkRoundTrip(t *testing.T) {
	plans := awswire.NewCompiler(awswire.LowerCamel)
	for _, o := range operations(t) {
		for _, shape := range []reflect.Type{o.input, o.output} {
			t.Run(shape.Name(), func(t *testing.T) {
				plan := plans.Plan(shape)
				for seed := range uint64(20) {
					f := filler{rand.New(rand.NewPCG(seed, 1)), seed > 0}
					sent, got := reflect.New(shape), reflect.New(shape)
					f.fill(sent.Elem(), 0)
					body := plan.EncodeJSON(sent.Interface())
					if _, err := plan.DecodeJSON(body, got.Interface()); err != nil {
						t.Fatalf("seed %d: %v\n%s", seed, err, body)
					}
					if diff := cmp.Diff(sent.Interface(), got.Interface(), same()); diff != "" {
						t.Fatalf("seed %d (-sent +got):\n%s", seed, diff)
					}
				}
			})
		}
	}
}

// wire is an HTTP client's transport that keeps the request's body and gives an answer.
type wire struct{ request, answer []byte }

func (w *wire) Do(r *http.Request) (*http.Response, error) {
	var err error
	if w.request, err = io.ReadAll(r.Body); err != nil {
		return nil, err
	}
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/x-amz-json-1.1"}},
		Body: io.NopCloser(bytes.NewReader(w.answer)), Request: r}, nil
}

// What the SDK's own client sends is read as it was meant, and what is written for it is read by it as it was meant.
func TestWalkSDKClient(t *testing.T) {
	plans := awswire.NewCompiler(awswire.LowerCamel)
	for _, o := range operations(t) {
		if o.name == "CreateGateway" {
			continue // its client does not send a request without a union that plans leave out
		}
		t.Run(o.name, func(t *testing.T) {
			f := filler{rand.New(rand.NewPCG(7, 7)), false}
			in, out := reflect.New(o.input), reflect.New(o.output)
			f.fill(in.Elem(), 0)
			f.fill(out.Elem(), 0)
			w := &wire{answer: plans.Plan(o.output).EncodeJSON(out.Interface())}
			client := awsecs.New(awsecs.Options{Region: "us-east-1", HTTPClient: w, Retryer: aws.NopRetryer{},
				Credentials: aws.CredentialsProviderFunc(credentials)})
			results := reflect.ValueOf(client).MethodByName(o.name).Call([]reflect.Value{reflect.ValueOf(t.Context()), in})
			if err, ok := results[1].Interface().(error); ok {
				t.Fatal(err)
			}
			got := reflect.New(o.input)
			if _, err := plans.Plan(o.input).DecodeJSON(w.request, got.Interface()); err != nil {
				t.Fatalf("%v\n%s", err, w.request)
			}
			if diff := cmp.Diff(in.Interface(), got.Interface(), same()); diff != "" {
				t.Errorf("the client's input (-sent +got):\n%s", diff)
			}
			if diff := cmp.Diff(out.Interface(), results[0].Interface(), same()); diff != "" {
				t.Errorf("the client's output (-sent +got):\n%s", diff)
			}
		})
	}
}

func credentials(context.Context) (aws.Credentials, error) {
	return aws.Credentials{AccessKeyID: "AKID", SecretAccessKey: "secret"}, nil
}

// schemaOf is the SDK's own schema of an input or output: what it begins to write when asked to write itself.
func schemaOf(v any) (found *smithy.Schema) {
	defer func() {
		if s, ok := recover().(*smithy.Schema); ok {
			found = s
		}
	}()
	v.(interface{ Serialize(smithy.ShapeSerializer) }).Serialize(firstSchema{})
	return nil
}

// firstSchema panics with the first schema that is written.
type firstSchema struct{ smithy.ShapeSerializer }

func (firstSchema) WriteStruct(s *smithy.Schema) { panic(s) }

// walker holds the members of plans against those of schemas, type by type.
type walker struct {
	t       *testing.T
	plans   *awswire.Compiler
	seen    map[reflect.Type]bool
	leftOut map[string]bool
}

func (w *walker) walk(shape reflect.Type, schema *smithy.Schema) {
	switch shape.Kind() {
	case reflect.Pointer:
		w.walk(shape.Elem(), schema)
	case reflect.Slice:
		if m := schema.ListMember(); m != nil {
			w.walk(shape.Elem(), m)
		}
	case reflect.Map:
		w.walk(shape.Elem(), schema.MapValue())
	case reflect.Struct:
		if shape != reflect.TypeFor[time.Time]() && !w.seen[shape] {
			w.seen[shape] = true
			w.structure(shape, schema)
		}
	}
}

func (w *walker) structure(shape reflect.Type, schema *smithy.Schema) {
	names := w.plans.Plan(shape).Members() // in the order of the fields that have one
	wanted := slices.Sorted(maps.Keys(schema.Members()))
	for i := range shape.NumField() {
		f := shape.Field(i)
		switch {
		case !f.IsExported() || f.Name == "ResultMetadata":
			continue
		case f.Type.Kind() == reflect.Interface, f.Type.Kind() == reflect.Slice && f.Type.Elem().Kind() == reflect.Interface:
			w.leftOut[shape.Name()+"."+f.Name] = true // and has no place in the plan
			wanted = slices.DeleteFunc(wanted, func(n string) bool { return strings.EqualFold(n, f.Name) })
			continue
		}
		if m := schema.Member(names[0]); m != nil {
			w.walk(f.Type, m)
		}
		names = names[1:]
	}
	got := slices.Sorted(slices.Values(w.plans.Plan(shape).Members()))
	if diff := cmp.Diff(wanted, got); diff != "" {
		w.t.Errorf("%s (-schema +plan):\n%s", shape.Name(), diff)
	}
}

// Every member of every shape is spelled as the SDK's schema spells it.
func TestWalkNames(t *testing.T) {
	w := &walker{t: t, plans: awswire.NewCompiler(awswire.LowerCamel), seen: map[reflect.Type]bool{}, leftOut: map[string]bool{}}
	for _, o := range operations(t) {
		for _, shape := range []reflect.Type{o.input, o.output} {
			schema := schemaOf(reflect.New(shape).Interface())
			if schema == nil {
				t.Errorf("%s has no schema", shape.Name())
				continue
			}
			w.walk(shape, schema)
		}
	}
	if diff := cmp.Diff(leftOut, slices.Sorted(maps.Keys(w.leftOut))); diff != "" {
		t.Errorf("members that plans leave out (-listed +found):\n%s", diff)
	}
	if len(w.seen) < 300 {
		t.Errorf("walked only %d structures", len(w.seen))
	}
}
