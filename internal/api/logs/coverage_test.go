package logs

import (
	"context"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	cwl "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/google/go-cmp/cmp"
)

var (
	coverageRow = regexp.MustCompile("(?m)^\\| ([A-Za-z]+) \\| `internal/api/logs/([a-z_]+\\.go)` \\| ([^|]*) \\| ([^|]*) \\|$")
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
		want[m[1]] = []string{}
		for _, member := range memberInRow.FindAllStringSubmatch(m[3], -1) {
			want[m[1]] = append(want[m[1]], member[1])
		}
	}
	a := busy(t)
	for name := range a.ops {
		got[name] = a.refusedMembers(t, name)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("members refused by name (-page +code):\n%s", diff)
	}
}

// refusedMembers asks an operation with each of its members alone, besides what it needs.
func (a *account) refusedMembers(t *testing.T, operation string) []string {
	t.Helper()
	out := []string{}
	in := a.ops[operation].Input
	for i := range in.NumField() {
		f := in.Field(i)
		if !f.IsExported() {
			continue
		}
		member := strings.ToLower(f.Name[:1]) + f.Name[1:]
		for _, value := range []string{`["x"]`, `"k"`, `"DELIVERY"`, `[{"key":"a","name":"b"}]`, `false`} {
			need := ""
			if _, has := in.FieldByName("LogGroupName"); has && f.Name != "LogGroupName" {
				need = `"logGroupName":"new",`
			}
			body := "{" + need + `"` + member + `":` + value + "}"
			v := reflect.New(in)
			if _, err := a.plans[in].DecodeJSON([]byte(body), v.Interface()); err != nil {
				continue // of another type
			}
			if _, err := a.ask(t, operation, body); err != nil && strings.HasPrefix(err.Message, "Berth does not act on "+member) && !slices.Contains(out, member) {
				out = append(out, member)
			}
		}
	}
	slices.Sort(out)
	return out
}

// The list of operations is the SDK's.
func TestOperations(t *testing.T) {
	var want []string
	for m := range reflect.TypeFor[*cwl.Client]().Methods() {
		if m.Type.NumIn() == 4 && m.Type.In(1) == reflect.TypeFor[context.Context]() && m.Type.In(2).Kind() == reflect.Pointer && m.Type.In(2).Elem().Name() == m.Name+"Input" {
			want = append(want, m.Name)
		}
	}
	slices.Sort(want)
	if diff := cmp.Diff(want, strings.Fields(operationList)); diff != "" {
		t.Errorf("operations (-SDK +list):\n%s", diff)
	}
}
