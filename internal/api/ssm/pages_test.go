package ssm

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Pages have all parameters, versions, activations and managed instances, each once.
func TestPages(t *testing.T) {
	a := newAccount(t, roles()...)
	made := a.must(t, "CreateActivation", `{"IamRole":"Hybrid","RegistrationLimit":20}`)
	for n := range 11 {
		a.must(t, "PutParameter", fmt.Sprintf(`{"Name":"/p/%c","Value":"x","Type":"String"}`, 'a'+n))
		a.must(t, "PutParameter", `{"Name":"/p/a","Value":"x","Overwrite":true}`)
		a.must(t, "CreateActivation", `{"IamRole":"Hybrid"}`)
		if _, err := a.api.Redeem(t.Context(), made["ActivationId"].(string), made["ActivationCode"].(string), Machine{}); err != nil {
			t.Fatal(err)
		}
	}
	for _, test := range []struct{ operation, members, list, name string }{
		{"DescribeParameters", ``, "Parameters", "Name"}, {"GetParametersByPath", `,"Path":"/p"`, "Parameters", "Name"},
		{"GetParameterHistory", `,"Name":"/p/a"`, "Parameters", "Version"}, {"DescribeActivations", ``, "ActivationList", "ActivationId"},
		{"DescribeInstanceInformation", ``, "InstanceInformationList", "InstanceId"},
	} {
		whole, token := []any{}, ""
		for n := 0; ; n++ {
			answer := a.must(t, test.operation, `{"MaxResults":5`+test.members+token+`}`)
			items := answer[test.list].([]any)
			for _, item := range items {
				whole = append(whole, item.(map[string]any)[test.name])
			}
			next, more := answer["NextToken"].(string)
			if !more {
				break
			}
			if len(items) != 5 || n > 3 {
				t.Fatalf("%s: page %d has %d", test.operation, n, len(items))
			}
			token = `,"NextToken":"` + next + `"`
		}
		if want := map[bool]int{true: 12, false: 11}[test.name == "Version" || test.name == "ActivationId"]; len(whole) != want {
			t.Errorf("%s: %d items, not %d", test.operation, len(whole), want)
		}
		seen := map[any]bool{}
		for _, item := range whole {
			seen[item] = true
		}
		if diff := cmp.Diff(len(whole), len(seen)); diff != "" {
			t.Errorf("%s: some are there twice: %v", test.operation, whole)
		}
	}
}
