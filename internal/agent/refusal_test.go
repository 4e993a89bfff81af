package agent

import (
	"errors"
	"fmt"
	"net/http"
	"testing"

	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// TestRefusal: only who was answered, by somebody who could, was refused.
func TestRefusal(t *testing.T) {
	said := func(code string, status int) error {
		return fmt.Errorf("call: %w", &smithyhttp.ResponseError{
			Response: &smithyhttp.Response{Response: &http.Response{StatusCode: status}}, Err: &smithy.GenericAPIError{Code: code, Message: "why"},
		})
	}
	for name, c := range map[string]struct {
		err  error
		want string
	}{
		"denied":            {said("AccessDeniedException", 400), "AccessDeniedException: why"},
		"not found":         {said("ResourceNotFoundException", 400), "ResourceNotFoundException: why"},
		"nobody":            {errors.New("connection refused"), ""},
		"throttled":         {said("ThrottlingException", 400), ""},
		"expired":           {said("ExpiredTokenException", 400), ""},
		"no leader":         {said("ServerException", 503), ""},
		"a server's fault":  {fmt.Errorf("call: %w", &smithy.GenericAPIError{Code: "X", Fault: smithy.FaultServer}), ""},
		"500 without body":  {said("UnknownError", 500), ""},
		"somebody else":     {said("UnknownError", 403), ""},
		"any code with 502": {said("AccessDeniedException", 502), ""},
	} {
		if got, is := Refusal(c.err); got != c.want || is != (c.want != "") {
			t.Errorf("%s: %q, %v", name, got, is)
		}
	}
}
