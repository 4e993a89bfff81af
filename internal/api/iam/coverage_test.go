package iam

import (
	"net/url"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var (
	coverageRow = regexp.MustCompile("(?m)^\\| ([A-Za-z]+) \\| `internal/api/iam/([a-z_]+\\.go)` \\| ([^|]*) \\| [^|]* \\|$")
	memberInRow = regexp.MustCompile("`([A-Za-z0-9]+)`")
)

// docs/coverage.md has a row for each operation that is served, with the members that are refused by name: those and no others.
func TestCoverage(t *testing.T) {
	page, err := os.ReadFile("../../../docs/coverage.md")
	if err != nil {
		t.Fatal(err)
	}
	want, got := map[string][]string{}, map[string][]string{}
	for _, m := range coverageRow.FindAllStringSubmatch(string(page), -1) {
		if _, err := os.Stat(m[2]); err != nil {
			t.Errorf("%s: %v", m[1], err)
		}
		if _, twice := want[m[1]]; twice {
			t.Errorf("%s has two rows", m[1])
		}
		want[m[1]] = []string{}
		for _, member := range memberInRow.FindAllStringSubmatch(m[3], -1) {
			want[m[1]] = append(want[m[1]], member[1])
		}
	}
	a := newAccount(t)
	a.must(t, "CreateUser UserName=alice")
	for name := range a.ops {
		got[name] = a.refusedMembers(t, name)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("members refused by name (-page +code):\n%s", diff)
	}
}

// refusedMembers asks an operation with each of its members, besides what a simulation needs.
func (a *account) refusedMembers(t *testing.T, operation string) []string {
	t.Helper()
	out := []string{}
	in := a.ops[operation].Input
	for i := range in.NumField() {
		f := in.Field(i)
		if !f.IsExported() {
			continue
		}
		parameters := url.Values{}
		if _, simulates := in.FieldByName("ActionNames"); simulates {
			parameters.Set("ActionNames.member.1", "ecs:RunTask")
			parameters.Set("PolicyInputList.member.1", documents["read"])
			parameters.Set("PolicySourceArn", "arn:aws:iam::123456789012:user/alice")
		}
		some(parameters, f.Name, f.Type)
		if _, err := a.ask(t, operation, parameters); err != nil && strings.HasPrefix(err.Message, "Berth does not act on "+f.Name+";") {
			out = append(out, f.Name)
		}
	}
	slices.Sort(out)
	return out
}

// some gives a member a value that is not its zero value.
func some(parameters url.Values, name string, t reflect.Type) {
	switch t.Kind() {
	case reflect.Pointer:
		some(parameters, name, t.Elem())
	case reflect.Slice:
		some(parameters, name+".member.1", t.Elem())
	case reflect.Struct:
		for i := range t.NumField() {
			if t.Field(i).IsExported() {
				some(parameters, name+"."+t.Field(i).Name, t.Field(i).Type)
			}
		}
	case reflect.Bool:
		parameters.Set(name, "true")
	case reflect.Int32:
		parameters.Set(name, "7")
	default:
		parameters.Set(name, "x")
	}
}
