package sts

import (
	"reflect"
	"slices"
	"testing"

	awssts "github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/google/go-cmp/cmp"
)

// Every operation that the SDK has is known, so that what is not served is refused by name.
func TestKnownIsWhatTheSDKHas(t *testing.T) {
	var want []string
	client := reflect.TypeFor[*awssts.Client]()
	for i := range client.NumMethod() {
		m := client.Method(i)
		if m.Type.NumIn() == 4 && m.Type.NumOut() == 2 { // client, ctx, input, options -> output, error
			want = append(want, m.Name)
		}
	}
	if len(want) < 10 {
		t.Fatalf("found only %d operations", len(want))
	}
	got := New(nil).Service().Known
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
