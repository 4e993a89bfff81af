package secretsmanager

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"berth/internal/frontdoor"
	"berth/internal/policy"
)

// question is what an operation has policies asked.
func (a *account) question(t *testing.T, operation, body string) (resources []string, r *frontdoor.Request) {
	t.Helper()
	o := a.ops[operation]
	in := reflect.New(o.Input)
	if _, err := a.plans[o.Input].DecodeJSON([]byte(long(body)), in.Interface()); err != nil {
		t.Fatal(err)
	}
	r = &frontdoor.Request{Scope: testScope, Caller: a.caller}
	return asked(o, r, in.Interface()), r
}

func TestResources(t *testing.T) {
	a := shelf(t)
	const prefix = "arn:aws:secretsmanager:us-east-1:123456789012:secret:"
	for _, test := range []struct{ operation, body, want string }{
		{"CreateSecret", `{"Name":"app/new"}`, prefix + "app/new-??????"},
		{"GetSecretValue", `{"SecretId":"s"}`, a.arn("s")},
		{"GetSecretValue", `{"SecretId":"` + prefix + `s"}`, a.arn("s")},
		{"GetSecretValue", `{"SecretId":"` + a.arn("s") + `"}`, a.arn("s")},
		{"DeleteSecret", `{"SecretId":"none"}`, prefix + "none-??????"},
		{"TagResource", `{"SecretId":"` + prefix + `none"}`, prefix + "none"},
	} {
		if got, _ := a.question(t, test.operation, test.body); len(got) != 1 || got[0] != test.want {
			t.Errorf("%s %s: %v, not %s", test.operation, test.body, got, test.want)
		}
	}
	for name, o := range a.ops {
		if _, names := o.Input.FieldByName("SecretId"); names && (o.Resources == nil || o.Keys == nil || o.ResourcePolicy == nil) {
			t.Errorf("%s does not say what policies are asked about", name)
		}
	}
}

func TestConditionKeys(t *testing.T) {
	a := shelf(t)
	for _, test := range []struct {
		operation, body string
		want            map[string]string // "" for a key that the request does not have
	}{
		{"GetSecretValue", `{"SecretId":"s","VersionStage":"AWSPREVIOUS"}`,
			map[string]string{"secretsmanager:secretid": "s", "secretsmanager:versionstage": "AWSPREVIOUS", "secretsmanager:versionid": "", "aws:secretid": ""}},
		{"DeleteSecret", `{"SecretId":"s","RecoveryWindowInDays":7,"ForceDeleteWithoutRecovery":false}`,
			map[string]string{"secretsmanager:recoverywindowindays": "7", "secretsmanager:forcedeletewithoutrecovery": "false", "secretsmanager:name": ""}},
		{"CreateSecret", `{"Name":"n","Description":"d","KmsKeyId":"k","SecretString":"hidden"}`,
			map[string]string{"secretsmanager:name": "n", "secretsmanager:description": "d", "secretsmanager:kmskeyid": "k", "secretsmanager:secretstring": ""}},
		{"PutResourcePolicy", `{"SecretId":"s","BlockPublicPolicy":true}`, map[string]string{"secretsmanager:blockpublicpolicy": "true"}},
	} {
		_, r := a.question(t, test.operation, test.body)
		for key, want := range test.want {
			if got := r.Keys.Values(key); strings.Join(got, ",") != want {
				t.Errorf("%s: %s is %v, not %q", test.operation, key, got, want)
			}
		}
	}
}

func TestTagsAndPolicyOfASecret(t *testing.T) {
	a := shelf(t)
	a.must(t, "TagResource", `{"SecretId":"s","Tags":[{"Key":"team","Value":"web"}]}`)
	if diff := cmp.Diff(map[string]string{"team": "web"}, a.api.resourceTags(a.arn("s"))); diff != "" || a.api.resourceTags("none") != nil {
		t.Error(diff)
	}
	if a.api.resourcePolicy(nil, a.arn("s")) != nil {
		t.Error("a secret without a policy has one")
	}
	a.must(t, "PutResourcePolicy", `{"SecretId":"s","ResourcePolicy":`+quote(somePolicy)+`}`)
	broken := *a.store.View().Secrets.Get(a.arn("s"))
	broken.Policy = "{"
	for name, set := range map[string]*policy.Set{"a policy that denies": a.api.resourcePolicy(nil, a.arn("s")), "one that cannot be read": compiled(&broken)} {
		v := policy.Decide(policy.Request{Principal: &a.caller, Action: "secretsmanager:GetSecretValue", Resource: a.arn("s"), ResourcePolicy: set})
		if v.Decision != policy.ExplicitDeny {
			t.Errorf("%s: %v", name, v)
		}
	}
}

// Of several secrets, only those are answered whose values the caller may get.
func TestBatchAsksForEach(t *testing.T) {
	a := shelf(t)
	a.must(t, "CreateSecret", long(`{"Name":"other","SecretString":"x","ClientRequestToken":"#3"}`))
	a.must(t, "PutResourcePolicy", `{"SecretId":"s","ResourcePolicy":`+quote(somePolicy)+`}`)
	answer := a.must(t, "BatchGetSecretValue", `{"SecretIdList":["s","other"]}`)
	values, failed := answer["SecretValues"].([]any), answer["Errors"].([]any)
	if len(values) != 1 || len(failed) != 1 || failed[0].(map[string]any)["ErrorCode"] != "AccessDeniedException" {
		t.Errorf("%v", answer)
	}
}

// Operations that only read are served by every replica, and all others by the leader.
func TestReadOnly(t *testing.T) {
	var got []string
	for _, o := range New(Config{}).Service().Operations {
		if o.ReadOnly {
			got = append(got, o.Name)
		}
	}
	slices.Sort(got)
	want := strings.Fields("BatchGetSecretValue DescribeSecret GetRandomPassword GetResourcePolicy GetSecretValue ListSecretVersionIds ListSecrets ValidateResourcePolicy")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
