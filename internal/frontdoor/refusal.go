package frontdoor

import (
	"fmt"

	"berth/internal/apierr"
)

// refusal is why a request's signature was not accepted. Each protocol has its own codes for it.
type refusal struct {
	fault fault
	text  string
}

type fault int

const (
	faultMissing    fault = iota // no signature at all
	faultIncomplete              // a signature that lacks parts or cannot be read
	faultUnknownKey              // no such access key, or a session token that is not its
	faultMismatch                // another signature, scope or time than ours
	faultExpired                 // a session token after its time
	faultExpiredURL              // a presigned URL after its time
)

func refuse(f fault, format string, args ...any) *refusal {
	if len(args) > 0 {
		format = fmt.Sprintf(format, args...)
	}
	return &refusal{f, format}
}

func refuseMissing() *refusal {
	return refuse(faultMissing, "Request is missing Authentication Token")
}

func refuseKey() *refusal {
	return refuse(faultUnknownKey, "The security token included in the request is invalid.")
}

func refuseExpired() *refusal {
	return refuse(faultExpired, "The security token included in the request is expired")
}

func refuseSignature() *refusal {
	return refuse(faultMismatch, "The request signature we calculated does not match the signature you provided. "+
		"Check your AWS Secret Access Key and signing method. Consult the service documentation for details.")
}

// answer is the error as AWS words it in a protocol: JSON services say 400 to everything, query services 403 to most.
func (f *refusal) answer(p Protocol) *apierr.Error {
	code, status := f.fault.json(), 400
	switch p {
	case AWSQuery:
		code, status = f.fault.query()
	case EC2Query:
		code, status = f.fault.ec2()
	}
	text := f.text
	if code == "AuthFailure" {
		text = "AWS was not able to validate the provided access credentials"
	}
	e := apierr.New(code, "%s", text)
	e.Status = status
	return e
}

func (f fault) json() string {
	switch f {
	case faultMissing:
		return "MissingAuthenticationTokenException"
	case faultIncomplete:
		return "IncompleteSignatureException"
	case faultUnknownKey:
		return "UnrecognizedClientException"
	case faultExpired:
		return "ExpiredTokenException"
	case faultMismatch, faultExpiredURL:
		return "InvalidSignatureException"
	}
	panic(fmt.Sprintf("frontdoor: fault %d", f))
}

func (f fault) query() (code string, status int) {
	switch f {
	case faultMissing:
		return "MissingAuthenticationToken", 403
	case faultIncomplete:
		return "IncompleteSignature", 400
	case faultUnknownKey:
		return "InvalidClientTokenId", 403
	case faultExpired:
		return "ExpiredToken", 403
	case faultMismatch:
		return "SignatureDoesNotMatch", 403
	case faultExpiredURL:
		return "RequestExpired", 400
	}
	panic(fmt.Sprintf("frontdoor: fault %d", f))
}

// ec2 are EC2's own codes: what others tell apart is one of its own.
func (f fault) ec2() (code string, status int) {
	switch f {
	case faultMissing, faultUnknownKey, faultMismatch:
		return "AuthFailure", 401
	case faultExpired:
		return "RequestExpired", 400
	}
	return f.query()
}
