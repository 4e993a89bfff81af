package iam

import (
	"context"
	"errors"
	"net/http/httptest"
	"net/url"
	"reflect"
	"slices"
	"testing"

	"berth/internal/frontdoor"
	"berth/internal/policy"
	"berth/internal/sdkhttp"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsiam "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/google/go-cmp/cmp"
)

// Every operation that the SDK has is known, so that what is not served is refused by name.
func TestKnownIsWhatTheSDKHas(t *testing.T) {
	var want []string
	client := reflect.TypeFor[*awsiam.Client]()
	for i := range client.NumMethod() {
		m := client.Method(i)
		if m.Type.NumIn() == 4 && m.Type.NumOut() == 2 { // client, ctx, input, options -> output, error
			want = append(want, m.Name)
		}
	}
	got := openAccount(t).api.Service().Known
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// client is the SDK's client of an account, through the front door.
func (a *account) client(t *testing.T) *awsiam.Client {
	t.Helper()
	all, err := policy.Parse(a.api.managed.Find("arn:aws:iam::aws:policy/AdministratorAccess").Document(), policy.Identity)
	if err != nil {
		t.Fatal(err)
	}
	a.caller.Grants = &policy.Grants{Identity: policy.Compile(policy.Source{Name: "all", Document: all})}
	server := httptest.NewServer(frontdoor.New(frontdoor.Config{
		Services: []frontdoor.Service{a.api.Service()}, Auth: frontdoor.AuthDev, DevPrincipal: a.caller, Account: testScope.Account,
	}))
	t.Cleanup(server.Close)
	return awsiam.New(awsiam.Options{
		Region: "us-east-1", BaseEndpoint: &server.URL, HTTPClient: sdkhttp.New(), RetryMaxAttempts: 1,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "AKID", SecretAccessKey: "s3cr3t"}, nil
		}),
	})
}

// What the SDK sends is understood, what it is answered it understands, and errors are of its types.
func TestSDK(t *testing.T) {
	a := newAccount(t)
	c, ctx := a.client(t), t.Context()
	made, err := c.CreateRole(ctx, &awsiam.CreateRoleInput{
		RoleName: new("task"), AssumeRolePolicyDocument: new(documents["trust"]), Tags: []types.Tag{{Key: new("team"), Value: new("a")}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if trust, err := url.PathUnescape(*made.Role.AssumeRolePolicyDocument); err != nil || trust != documents["trust"] {
		t.Errorf("the trust policy is answered as %s, %v", trust, err)
	}
	if _, err := c.AttachRolePolicy(ctx, &awsiam.AttachRolePolicyInput{RoleName: new("task"), PolicyArn: new(awsPolicy)}); err != nil {
		t.Fatal(err)
	}
	attached, err := c.ListAttachedRolePolicies(ctx, &awsiam.ListAttachedRolePoliciesInput{RoleName: new("task")})
	if err != nil || len(attached.AttachedPolicies) != 1 || *attached.AttachedPolicies[0].PolicyName != "ReadOnlyAccess" {
		t.Errorf("attached: %v, %v", attached, err)
	}
	summary, err := c.GetAccountSummary(ctx, &awsiam.GetAccountSummaryInput{})
	if err != nil || summary.SummaryMap["Roles"] != 1 || summary.SummaryMap["RolesQuota"] != mostRoles {
		t.Errorf("summary: %v, %v", summary, err)
	}
	simulated, err := c.SimulatePrincipalPolicy(ctx, &awsiam.SimulatePrincipalPolicyInput{
		PolicySourceArn: made.Role.Arn, ActionNames: []string{"ecs:DescribeTasks", "ecs:RunTask"},
		ContextEntries: []types.ContextEntry{{ContextKeyName: new("aws:username"), ContextKeyType: types.ContextKeyTypeEnumString, ContextKeyValues: []string{"x"}}},
	})
	if err != nil || len(simulated.EvaluationResults) != 2 || simulated.EvaluationResults[0].EvalDecision != types.PolicyEvaluationDecisionTypeAllowed ||
		simulated.EvaluationResults[1].EvalDecision != types.PolicyEvaluationDecisionTypeImplicitDeny {
		t.Errorf("simulated: %+v, %v", simulated, err)
	}
	provider, err := c.CreateOpenIDConnectProvider(ctx, &awsiam.CreateOpenIDConnectProviderInput{Url: new("https://id.example.com"), ClientIDList: []string{"sts"}})
	if err != nil {
		t.Fatal(err)
	}
	got, err := c.GetOpenIDConnectProvider(ctx, &awsiam.GetOpenIDConnectProviderInput{OpenIDConnectProviderArn: provider.OpenIDConnectProviderArn})
	if err != nil || *got.Url != "id.example.com" || !slices.Equal(got.ClientIDList, []string{"sts"}) {
		t.Errorf("provider: %+v, %v", got, err)
	}
	if _, err := c.DeleteRole(ctx, &awsiam.DeleteRoleInput{RoleName: new("task")}); !errors.As(err, new(*types.DeleteConflictException)) {
		t.Errorf("delete a role with policies: %v", err)
	}
	if _, err := c.GetRole(ctx, &awsiam.GetRoleInput{RoleName: new("other")}); !errors.As(err, new(*types.NoSuchEntityException)) {
		t.Errorf("get no role: %v", err)
	}
}
