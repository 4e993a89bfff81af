package agent

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"

	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// withClientToken adds the clientToken that agents send with RegisterContainerInstance, so that a registration whose answer was lost
// is not a second instance. The SDK's shape has no such member.
func withClientToken(token string) func(*awsecs.Options) {
	add := middleware.BuildMiddlewareFunc("ClientToken", func(ctx context.Context, in middleware.BuildInput, next middleware.BuildHandler) (
		out middleware.BuildOutput, meta middleware.Metadata, err error,
	) {
		if r, ok := in.Request.(*smithyhttp.Request); ok {
			if in.Request, err = addMember(r, "clientToken", token); err != nil {
				return out, meta, fmt.Errorf("add the client token: %w", err)
			}
		}
		return next.HandleBuild(ctx, in)
	})
	return func(o *awsecs.Options) {
		o.APIOptions = append(o.APIOptions, func(s *middleware.Stack) error { return s.Build.Add(add, middleware.Before) })
	}
}

func addMember(r *smithyhttp.Request, name, value string) (*smithyhttp.Request, error) {
	text, err := io.ReadAll(r.GetStream())
	if err != nil {
		return nil, err
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(text, &members); err != nil {
		return nil, err
	}
	if members[name], err = json.Marshal(value); err != nil {
		return nil, err
	}
	if text, err = json.Marshal(members); err != nil {
		return nil, err
	}
	return r.SetStream(bytes.NewReader(text))
}
