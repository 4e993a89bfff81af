package agent

import (
	"errors"
	"net/http"

	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// Refusal is what the control plane said to a call that it refused, "CODE: message". is is false where there was no answer, or one of a server that cannot now:
// then another try may help.
func Refusal(err error) (text string, is bool) {
	var e smithy.APIError
	if !errors.As(err, &e) || e.ErrorFault() == smithy.FaultServer || later(e.ErrorCode()) || ofServer(err) {
		return "", false
	}
	return e.ErrorCode() + ": " + e.ErrorMessage(), true
}

// ofServer says whether an answer's status is one of a server that cannot now.
func ofServer(err error) bool {
	var r *smithyhttp.ResponseError
	return errors.As(err, &r) && r.HTTPStatusCode() >= http.StatusInternalServerError
}

// later says that the same request may be answered otherwise a moment later.
func later(code string) bool {
	switch code {
	case "ServiceUnavailableException", "ServiceUnavailable", "ThrottlingException", "ServerException", "InternalServerError", "InternalServiceError",
		"ExpiredTokenException", "UnrecognizedClientException", "UnknownError": // the last is who answered for the control plane
		return true
	}
	return false
}
