package ssm

import (
	"maps"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	awsssm "github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/google/go-cmp/cmp"

	"berth/internal/apierr"
	"berth/internal/frontdoor"
)

var (
	coverageRow = regexp.MustCompile("(?m)^\\| ([A-Za-z]+) \\| `internal/api/ssm/([a-z_]+\\.go)` \\| ([^|]*) \\| [^|]* \\|$")
	memberInRow = regexp.MustCompile("`([A-Za-z0-9]+)`")
	refusal     = regexp.MustCompile(`^Berth does not act on ([A-Za-z0-9]+)`)
)

// plain are right requests of operations that refuse members by name only when the rest is right.
var plain = map[string]string{
	"PutParameter": `{"Name":"new","Value":"v","Type":"String"}`, "CreateActivation": `{"IamRole":"Hybrid"}`,
}

// docs/coverage.md has a row for each operation that is served, with the members that are refused by name: those and no others.
func TestCoverage(t *testing.T) {
	page, err := os.ReadFile("../../../docs/coverage.md")
	if err != nil {
		t.Fatal(err)
	}
	want := map[string][]string{}
	for _, m := range coverageRow.FindAllStringSubmatch(string(page), -1) {
		if _, err := os.Stat(m[2]); err != nil {
			t.Errorf("%s: %v", m[1], err)
		}
		want[m[1]] = []string{}
		for _, member := range memberInRow.FindAllStringSubmatch(m[3], -1) {
			want[m[1]] = append(want[m[1]], member[1])
		}
		slices.Sort(want[m[1]])
	}
	got := map[string][]string{}
	a := shelf(t)
	for _, operation := range slices.Sorted(maps.Keys(a.ops)) {
		got[operation] = a.refusedMembers(t, operation)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("members refused by name (-page +code):\n%s", diff)
	}
}

// refusedMembers asks an operation with each of its members besides a right request.
func (a *account) refusedMembers(t *testing.T, operation string) []string {
	t.Helper()
	o := a.ops[operation]
	refused := []string{}
	for i := range o.Input.NumField() {
		in := reflect.New(o.Input)
		if _, err := a.plans[o.Input].DecodeJSON([]byte(plain[operation]), in.Interface()); err != nil {
			t.Fatal(err)
		}
		f := o.Input.Field(i)
		if !f.IsExported() {
			continue
		}
		some(in.Elem().Field(i))
		_, err := o.Call(t.Context(), &frontdoor.Request{Scope: testScope, Caller: a.caller}, in.Interface())
		if err == nil {
			continue
		}
		if m := refusal.FindStringSubmatch(apierr.As(err).Message); m != nil && m[1] == f.Name {
			refused = append(refused, f.Name)
		}
	}
	slices.Sort(refused)
	return refused
}

// some gives a member a value that is not its zero value.
func some(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		some(v.Elem())
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		some(v.Index(0))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int32, reflect.Int64:
		v.SetInt(7)
	case reflect.String:
		v.SetString("x")
	}
}

// The list of operations is the SDK's.
func TestOperationList(t *testing.T) {
	var want []string
	for m := range reflect.TypeFor[*awsssm.Client]().Methods() {
		if f := m.Type; f.NumIn() == 4 && f.In(2).Kind() == reflect.Pointer && f.In(2).Elem().Name() == m.Name+"Input" {
			want = append(want, m.Name)
		}
	}
	slices.Sort(want)
	if diff := cmp.Diff(want, slices.Sorted(slices.Values(strings.Fields(operationList)))); diff != "" {
		t.Error(diff)
	}
}
