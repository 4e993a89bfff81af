package ecr

import (
	"maps"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	awsecr "github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/google/go-cmp/cmp"
)

var coverageRow = regexp.MustCompile("(?m)^\\| ([A-Za-z]+) \\| `internal/api/ecr/([a-z_]+\\.go)` \\| [^|]* \\|$")

// docs/coverage.md has a row for each operation that is served, with its file.
func TestCoverage(t *testing.T) {
	page, err := os.ReadFile("../../../docs/coverage.md")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, m := range coverageRow.FindAllStringSubmatch(string(page), -1) {
		if _, err := os.Stat(m[2]); err != nil {
			t.Errorf("%s: %v", m[1], err)
		}
		got = append(got, m[1])
	}
	if diff := cmp.Diff(slices.Sorted(maps.Keys(newAccount(t).ops)), got); diff != "" {
		t.Errorf("operations (-code +page):\n%s", diff)
	}
}

// The list of operations is the SDK's.
func TestOperationList(t *testing.T) {
	var want []string
	for m := range reflect.TypeFor[*awsecr.Client]().Methods() {
		if f := m.Type; f.NumIn() == 4 && f.In(2).Kind() == reflect.Pointer && f.In(2).Elem().Name() == m.Name+"Input" {
			want = append(want, m.Name)
		}
	}
	slices.Sort(want)
	if diff := cmp.Diff(want, slices.Sorted(slices.Values(strings.Fields(operationList)))); diff != "" {
		t.Error(diff)
	}
}
