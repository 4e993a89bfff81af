package envfiles

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"

	"berth/internal/api/berth"
)

// denied is the control plane's refusal, in S3's words.
type denied struct{ text string }

func (d *denied) Error() string { return d.text }

// authorize asks the control plane whether a task's execution role may read an object: the question is signed with the role's own credentials, so that it is its
// policies that are asked, and who may do what stands in one place.
func (r *Reader) authorize(ctx context.Context, role aws.Credentials, o object) error {
	plane := berth.Client{Endpoint: r.config.Endpoint(), Region: r.config.Region, HTTPClient: r.config.HTTPClient}
	err := plane.Call(ctx, role, "AuthorizeEnvironmentFile", map[string]string{"bucket": o.bucketARN, "object": o.arn}, nil)
	var refused *berth.Refused
	switch {
	case err == nil:
		return nil
	case errors.As(err, &refused) && refused.Code == "AccessDeniedException":
		return &denied{"AccessDenied: " + refused.Message}
	}
	return &planeError{fmt.Errorf("ask the control plane: %w", err)}
}
