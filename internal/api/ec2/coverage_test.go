package ec2

import (
	"maps"
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
	coverageRow = regexp.MustCompile("(?m)^\\| ([A-Za-z]+) \\| `internal/api/ec2/([a-z_]+\\.go)` \\| ([^|]*) \\| [^|]* \\|$")
	memberInRow = regexp.MustCompile("`([A-Za-z0-9]+)`")
	refusal     = regexp.MustCompile(`^Berth does not act on ([A-Za-z0-9]+)`)
)

// docs/coverage.md has a row for each operation that is served, with the members that are refused by name: those and no others.
func TestCoverage(t *testing.T) {
	page, err := os.ReadFile("../../../docs/coverage.md")
	if err != nil {
		t.Fatal(err)
	}
	want := map[string][]string{}
	for _, m := range coverageRow.FindAllStringSubmatch(string(page), -1) {
		operation, file := m[1], m[2]
		if _, err := os.Stat(file); err != nil {
			t.Errorf("%s: %v", operation, err)
		}
		if _, twice := want[operation]; twice {
			t.Errorf("%s has two rows", operation)
		}
		want[operation] = []string{}
		for _, member := range memberInRow.FindAllStringSubmatch(m[3], -1) {
			want[operation] = append(want[operation], member[1])
		}
		slices.Sort(want[operation])
	}
	a := newAccount(t)
	got := map[string][]string{}
	for _, operation := range slices.Sorted(maps.Keys(a.ops)) {
		got[operation] = a.refusedMembers(t, operation)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("members refused by name (-page +code):\n%s", diff)
	}
}

// refusedMembers asks an operation with each of its members alone.
func (a *account) refusedMembers(t *testing.T, operation string) []string {
	t.Helper()
	out := []string{}
	for i := range a.ops[operation].Input.NumField() {
		f := a.ops[operation].Input.Field(i)
		if f.Name == "DryRun" {
			continue
		}
		parameters := url.Values{}
		some(parameters, wireName(f), f.Type)
		_, err := a.ask(t, operation, parameters)
		if err == nil || err.Code != "UnsupportedOperation" {
			continue
		}
		m := refusal.FindStringSubmatch(err.Message)
		if m == nil || !strings.HasPrefix(m[1], wireName(f)) {
			t.Errorf("%s refuses %s with: %s", operation, wireName(f), err.Message)
		}
		out = append(out, wireName(f))
	}
	slices.Sort(out)
	return out
}

func wireName(f reflect.StructField) string {
	if tag := f.Tag.Get("json"); tag != "" {
		return tag
	}
	return f.Name
}

// some gives a member a value that is not its zero value.
func some(parameters url.Values, name string, t reflect.Type) {
	switch t.Kind() {
	case reflect.Pointer:
		some(parameters, name, t.Elem())
	case reflect.Slice:
		some(parameters, name+".1", t.Elem())
	case reflect.Struct:
		for i := range t.NumField() {
			some(parameters, name+"."+wireName(t.Field(i)), t.Field(i).Type)
		}
	case reflect.Bool:
		parameters.Set(name, "true")
	case reflect.Int32, reflect.Int64, reflect.Int:
		parameters.Set(name, "7")
	default:
		parameters.Set(name, "x")
	}
}
