package sts

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awssts "github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/aws-sdk-go-v2/service/sts/types"

	"berth/internal/access"
	"berth/internal/apierr"
	"berth/internal/arn"
	"berth/internal/frontdoor"
	"berth/internal/iam"
	"berth/internal/policy"
	"berth/internal/seal"
	"berth/internal/state"
	"berth/internal/state/statetest"
)

const (
	account = "123456789012"
	all     = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`
	gets    = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:Get*","Resource":"*"}}`
)

func trusting(who, more string) string {
	return `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"` + who + `"},"Action":["sts:AssumeRole","sts:TagSession","sts:SetSourceIdentity"]` + more + `}}`
}

// world has users ada, who may do everything, and bob, who may do nothing, each with a key of its name.
type world struct {
	*API
	keys *access.Keys
}

func newWorld(t *testing.T) *world {
	t.Helper()
	key, err := seal.ParseKey(seal.NewKey())
	if err != nil {
		t.Fatal(err)
	}
	user := func(name string, inline ...iam.Inline) *iam.User {
		return &iam.User{Entity: iam.Entity{Account: account, Name: name, ID: "AIDA" + strings.ToUpper(name), Path: "/", Inline: inline}}
	}
	access1 := func(name string) *iam.AccessKey {
		return &iam.AccessKey{AccessKeyID: name, SealedSecret: key.Seal("s", name), Account: account, UserName: name}
	}
	role := func(name, trust string, max int32) *iam.Role {
		return &iam.Role{Entity: iam.Entity{Account: account, Name: name, ID: "AROA" + strings.ToUpper(name), Path: "/x/", Inline: []iam.Inline{{Name: "all", Document: all}}},
			Trust: trust, MaxSession: max}
	}
	const root = "arn:aws:iam::123456789012:root"
	store := statetest.Open(t,
		user("ada", iam.Inline{Name: "all", Document: all}), user("bob"), access1("ada"), access1("bob"),
		role("open", trusting(root, ""), 7200), role("bobs", trusting("arn:aws:iam::123456789012:user/bob", ""), 3600),
		role("outside", trusting(root, `,"Condition":{"StringEquals":{"sts:ExternalId":"e-1"}}`), 3600),
		role("tagged", trusting(root, `,"Condition":{"StringEquals":{"aws:RequestTag/team":"blue"}}`), 3600),
		role("nobodys", `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"Service":"ecs-tasks.amazonaws.com"},"Action":"sts:AssumeRole"}}`, 3600))
	keys := &access.Keys{State: store, Seal: key}
	return &world{API: New(keys), keys: keys}
}

func (w *world) as(id, token string) *frontdoor.Request {
	h, _ := w.keys.Find(id, token)
	return &frontdoor.Request{Scope: arn.Scope{Region: "us-east-1", Account: account}, Caller: h.Principal, AccessKeyID: id}
}

func roleARN(name string) *string { return aws.String("arn:aws:iam::123456789012:role/x/" + name) }

func may(p policy.Principal, action string) bool {
	return policy.Decide(policy.Request{Principal: &p, Action: action, Resource: "*"}).Decision == policy.Allowed
}

func TestAssumeRole(t *testing.T) {
	w := newWorld(t)
	out, err := w.assume(t.Context(), w.as("ada", ""), &awssts.AssumeRoleInput{RoleArn: roleARN("open"), RoleSessionName: aws.String("se@1"), DurationSeconds: aws.Int32(7200)})
	if err != nil {
		t.Fatal(err)
	}
	if *out.AssumedRoleUser.Arn != "arn:aws:sts::123456789012:assumed-role/open/se@1" || *out.AssumedRoleUser.AssumedRoleId != "AROAOPEN:se@1" || out.PackedPolicySize != nil {
		t.Errorf("%+v", out.AssumedRoleUser)
	}
	if left := time.Until(*out.Credentials.Expiration); left < 119*time.Minute || left > 2*time.Hour {
		t.Errorf("good for %s", left)
	}
	session := w.as(*out.Credentials.AccessKeyId, *out.Credentials.SessionToken)
	if session.Caller.ARN != *out.AssumedRoleUser.Arn || !may(session.Caller, "ecs:RunTask") {
		t.Errorf("%+v", session.Caller)
	}
	// A session begins another one: an hour at most.
	chained := &awssts.AssumeRoleInput{RoleArn: roleARN("open"), RoleSessionName: aws.String("two")}
	if _, err := w.assume(t.Context(), session, chained); err != nil {
		t.Error(err)
	}
	chained.DurationSeconds = aws.Int32(3601)
	if _, err := w.assume(t.Context(), session, chained); code(err) != "ValidationError" {
		t.Error(err)
	}
	// It has no session token of its own.
	if _, err := w.sessionToken(t.Context(), session, &awssts.GetSessionTokenInput{}); code(err) != "AccessDenied" {
		t.Error(err)
	}
}

func TestSessionPoliciesBound(t *testing.T) {
	w := newWorld(t)
	out, err := w.assume(t.Context(), w.as("ada", ""), &awssts.AssumeRoleInput{RoleArn: roleARN("open"), RoleSessionName: aws.String("se"), Policy: aws.String(gets),
		PolicyArns: []types.PolicyDescriptorType{{Arn: aws.String("arn:aws:iam::aws:policy/AmazonECS_FullAccess")}}})
	if err != nil {
		t.Fatal(err)
	}
	caller := w.as(*out.Credentials.AccessKeyId, *out.Credentials.SessionToken).Caller
	for action, want := range map[string]bool{"s3:GetObject": true, "ecs:RunTask": true, "s3:PutObject": false, "iam:CreateUser": false} {
		if may(caller, action) != want {
			t.Errorf("%s: %v", action, !want)
		}
	}
	if out.PackedPolicySize == nil || *out.PackedPolicySize < 1 {
		t.Error("no packed size")
	}
}

func TestWhoMayAssume(t *testing.T) {
	w := newWorld(t)
	in := func(role string, change func(*awssts.AssumeRoleInput)) *awssts.AssumeRoleInput {
		i := &awssts.AssumeRoleInput{RoleArn: roleARN(role), RoleSessionName: aws.String("se")}
		if change != nil {
			change(i)
		}
		return i
	}
	tag := func(value string) func(*awssts.AssumeRoleInput) {
		return func(i *awssts.AssumeRoleInput) {
			i.Tags = []types.Tag{{Key: aws.String("team"), Value: aws.String(value)}}
		}
	}
	external := func(id string) func(*awssts.AssumeRoleInput) {
		return func(i *awssts.AssumeRoleInput) { i.ExternalId = aws.String(id) }
	}
	for _, c := range []struct {
		who  string
		in   *awssts.AssumeRoleInput
		good bool
	}{
		{"ada", in("open", nil), true},
		{"bob", in("open", nil), false}, // trusted with the account, but his own policies do not allow it
		{"bob", in("bobs", nil), true},  // trusted by name
		{"ada", in("bobs", nil), false},
		{"ada", in("nobodys", nil), false},
		{"ada", in("none", nil), false},
		{"ada", in("outside", nil), false},
		{"ada", in("outside", external("e-2")), false},
		{"ada", in("outside", external("e-1")), true},
		{"ada", in("tagged", nil), false},
		{"ada", in("tagged", tag("red")), false},
		{"ada", in("tagged", tag("blue")), true},
	} {
		_, err := w.assume(t.Context(), w.as(c.who, ""), c.in)
		if (err == nil) != c.good {
			t.Errorf("%s as %s: %v", c.who, *c.in.RoleArn, err)
		}
		want := "User: arn:aws:iam::123456789012:user/" + c.who + " is not authorized to perform: sts:AssumeRole on resource: " + *c.in.RoleArn
		if e := apierr.As(err); !c.good && (e.Code != "AccessDenied" || e.Status != 403 || e.Message != want) {
			t.Errorf("%+v", e)
		}
	}
}

func TestWrongSessions(t *testing.T) {
	w := newWorld(t)
	for name, c := range map[string]struct {
		change     func(*awssts.AssumeRoleInput)
		code, text string
	}{
		"no role":    {func(i *awssts.AssumeRoleInput) { i.RoleArn = nil }, "ValidationError", "'roleArn' failed to satisfy constraint: Member must not be null"},
		"no ARN":     {func(i *awssts.AssumeRoleInput) { i.RoleArn = aws.String("role/of-an-application") }, "ValidationError", "role/of-an-application is invalid"},
		"no name":    {func(i *awssts.AssumeRoleInput) { i.RoleSessionName = nil }, "ValidationError", "'roleSessionName'"},
		"a bad name": {func(i *awssts.AssumeRoleInput) { i.RoleSessionName = aws.String("a b") }, "ValidationError", "'roleSessionName'"},
		"too short":  {func(i *awssts.AssumeRoleInput) { i.DurationSeconds = aws.Int32(899) }, "ValidationError", "'durationSeconds'"},
		"too long":   {func(i *awssts.AssumeRoleInput) { i.DurationSeconds = aws.Int32(7201) }, "ValidationError", "exceeds the MaxSessionDuration set for this role."},
		"no policy":  {func(i *awssts.AssumeRoleInput) { i.Policy = aws.String("{") }, "MalformedPolicyDocument", "."},
		"no such policy": {func(i *awssts.AssumeRoleInput) {
			i.PolicyArns = []types.PolicyDescriptorType{{Arn: aws.String("arn:aws:iam::aws:policy/x")}}
		}, "ValidationError", "policy/x"},
		"MFA": {func(i *awssts.AssumeRoleInput) { i.TokenCode = aws.String("123456") }, "ValidationError", "tokenCode"},
	} {
		in := &awssts.AssumeRoleInput{RoleArn: roleARN("open"), RoleSessionName: aws.String("se")}
		c.change(in)
		_, err := w.assume(t.Context(), w.as("ada", ""), in)
		if code(err) != c.code || !strings.Contains(apierr.As(err).Message, c.text) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestGetSessionToken(t *testing.T) {
	w := newWorld(t)
	out, err := w.sessionToken(t.Context(), w.as("ada", ""), &awssts.GetSessionTokenInput{})
	if err != nil {
		t.Fatal(err)
	}
	c := out.Credentials
	r := w.as(*c.AccessKeyId, *c.SessionToken)
	if r.Caller.ARN != "arn:aws:iam::123456789012:user/ada" || !may(r.Caller, "ecs:RunTask") {
		t.Errorf("%+v", r.Caller)
	}
	if _, err := w.sessionToken(t.Context(), r, &awssts.GetSessionTokenInput{}); code(err) != "AccessDenied" {
		t.Errorf("with session credentials: %v", err)
	}
	err = w.keys.State.Update(t.Context(), func(tx *state.Tx) error { tx.Delete(tx.Users.Get(iam.Key(account, "ada"))); return nil })
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := w.keys.Find(*c.AccessKeyId, *c.SessionToken); ok {
		t.Error("the session of a user that is gone is good")
	}
}

func code(err error) string {
	if err == nil {
		return ""
	}
	if e := new(apierr.Error); errors.As(err, &e) {
		return e.Code
	}
	return err.Error()
}
