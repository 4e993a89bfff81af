package berth

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"

	"berth/internal/apierr"
	"berth/internal/arn"
	"berth/internal/frontdoor"
)

// AuthorizeEnvironmentFileInput names an object of S3 and its bucket, by their ARNs.
type AuthorizeEnvironmentFileInput struct{ Bucket, Object *string }

// AuthorizeEnvironmentFileOutput says that the caller may read it.
type AuthorizeEnvironmentFileOutput struct{}

// authorizeEnvironmentFile asks the caller's policies whether it may read an environment file: what S3 would ask them on AWS, where the store behind the agents is
// one that does not know them. Everybody may ask what he may himself.
func (a *API) authorizeEnvironmentFile(_ context.Context, r *frontdoor.Request, in *AuthorizeEnvironmentFileInput) (*AuthorizeEnvironmentFileOutput, error) {
	for _, q := range []struct {
		member, action string
		resource       *string
	}{{"bucket", "s3:GetBucketLocation", in.Bucket}, {"object", "s3:GetObject", in.Object}} {
		resource := aws.ToString(q.resource)
		if p, err := arn.Parse(resource); err != nil || p.Service != "s3" {
			return nil, apierr.InvalidParameter("%s must be an ARN of S3.", q.member)
		}
		if err := r.Authorize(frontdoor.Question{Action: q.action, Resource: resource, Owner: r.Caller.Account}); err != nil {
			return nil, err
		}
	}
	return &AuthorizeEnvironmentFileOutput{}, nil
}
