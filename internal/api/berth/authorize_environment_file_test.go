package berth

import (
	"errors"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"

	"berth/internal/apierr"
	"berth/internal/frontdoor"
	"berth/internal/policy"
)

// TestAuthorizeEnvironmentFile: who asks is told what he may himself, an explicit deny counts, and each question is written down as asked.
func TestAuthorizeEnvironmentFile(t *testing.T) {
	caller := policy.Principal{ARN: "arn:aws:sts::1:assumed-role/exec/t", Account: "1", Kind: policy.RoleSession, Grants: &policy.Grants{Identity: policy.Compile(policy.Source{
		Name: "p", Document: &policy.Document{Version: policy.Version2012, Statements: []policy.Statement{
			{Effect: policy.Allow, Actions: []string{"s3:Get*"}, Resources: []string{"*"}}, {Effect: policy.Deny, Actions: []string{"s3:GetObject"}, Resources: []string{"arn:aws:s3:::b/secret/*"}},
		}}})}}
	for _, c := range []struct {
		bucket, object *string
		want           string
		asked          int
	}{
		{aws.String("arn:aws:s3:::b"), aws.String("arn:aws:s3:::b/f.env"), "", 2},
		{aws.String("arn:aws:s3:::b"), aws.String("arn:aws:s3:::b/secret/f.env"), "AccessDeniedException: User: arn:aws:sts::1:assumed-role/exec/t is not authorized to perform: " +
			"s3:GetObject on resource: arn:aws:s3:::b/secret/f.env with an explicit deny in an identity-based policy", 2},
		{nil, aws.String("arn:aws:s3:::b/f.env"), "InvalidParameterException: bucket must be an ARN of S3.", 0},
		{aws.String("arn:aws:s3:::b"), nil, "InvalidParameterException: object must be an ARN of S3.", 1},
		{aws.String("arn:aws:s3:::b"), aws.String("arn:aws:iam::1:role/r"), "InvalidParameterException: object must be an ARN of S3.", 1},
	} {
		r := &frontdoor.Request{Caller: caller}
		_, err := new(API).authorizeEnvironmentFile(t.Context(), r, &AuthorizeEnvironmentFileInput{Bucket: c.bucket, Object: c.object})
		got := ""
		if e := new(apierr.Error); errors.As(err, &e) {
			got = e.Code + ": " + e.Message
		}
		if got != c.want || (err == nil) != (c.want == "") || len(r.Decisions) != c.asked {
			t.Errorf("%s, %s: %v (%d questions), want %s (%d)", aws.ToString(c.bucket), aws.ToString(c.object), err, len(r.Decisions), c.want, c.asked)
		}
	}
}
