package frontdoor

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"reflect"
	"strconv"

	"berth/internal/apierr"
	"berth/internal/awswire"
)

// ErrElsewhere is in the chain of an error that an operation returns when it has done nothing and another replica may do it all: then the
// request is forwarded, where it can be.
var ErrElsewhere = errors.New("another replica may do it")

// answer decodes the input, asks the policy, calls the operation and writes what it says. Where another replica is to be asked, it writes
// nothing and returns who does that.
func (x *exchange) answer() (leader http.Handler) {
	request := x.request()
	x.asked = request
	out, e := x.call(request)
	if e != nil {
		if errors.Is(e, ErrElsewhere) {
			leader = x.leader()
		}
		if leader == nil {
			x.fail(e)
		}
		return leader
	}
	if s, is := out.(Streamed); is {
		x.streamed = s
		return nil
	}
	c := x.target.call
	switch x.target.protocol {
	case AWSQuery:
		x.write(http.StatusOK, "text/xml", c.out.EncodeQuery(c.Name, x.target.service.Namespace, x.id, out))
	case EC2Query:
		x.write(http.StatusOK, "text/xml;charset=UTF-8", c.out.EncodeEC2(c.Name, x.target.service.Namespace, x.id, out))
	default:
		x.write(http.StatusOK, x.jsonType(), c.out.EncodeJSON(out))
	}
	return nil
}

func (x *exchange) call(request *Request) (out any, _ *apierr.Error) {
	c := x.target.call
	in := reflect.New(c.Input).Interface()
	sent, err := x.decode(c.in, in)
	if err != nil {
		return nil, apierr.Serialization(err)
	}
	x.in = in
	request.Sent = sent
	if !c.Open {
		e := c.authorize(request, in)
		if e != nil && x.renew() {
			*request = *x.request()
			request.Sent = sent
			e = c.authorize(request, in)
		}
		x.resource = request.about()
		if e != nil {
			return nil, e
		}
	}
	ctx := x.r.Context()
	if err := x.door.config.Ready(ctx, c.ReadOnly); err != nil {
		return nil, x.understand(err)
	}
	if out, err = c.Call(ctx, request, in); err != nil {
		return nil, x.understand(err)
	}
	x.out = out
	return out, nil
}

func (x *exchange) decode(plan *awswire.Plan, in any) (awswire.Sent, error) {
	if x.target.protocol.query() {
		return plan.DecodeQuery(x.target.values, in)
	}
	return plan.DecodeJSON(x.body, in)
}

// understand finds AWS's words for err. An operation that was cut short may have been done or not: the caller is told to try again.
func (x *exchange) understand(err error) *apierr.Error {
	if e := new(apierr.Error); errors.As(err, &e) {
		return e
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return apierr.Unavailable("The request was not finished in time. Please try again.").Because(err)
	}
	return apierr.Server(err)
}

// fail answers with e in the words of the protocol.
func (x *exchange) fail(e *apierr.Error) {
	if x.target.protocol == 0 {
		x.target.protocol = x.guess()
	}
	switch x.target.protocol {
	case AWSQuery:
		e = inQuery(e)
	case EC2Query:
		e = inEC2(e)
		x.failure = e
		x.write(e.Status, "text/xml;charset=UTF-8", awswire.EC2Error(x.id, e.Code, e.Message))
		return
	default:
		x.failure = e
		x.write(e.Status, x.jsonType(), jsonError(e))
		return
	}
	x.failure = e
	namespace := ""
	if x.target.service != nil {
		namespace = x.target.service.Namespace
	}
	x.write(e.Status, "text/xml", awswire.QueryError(namespace, x.id, e.Fault(), e.Code, e.Message))
}

// guess is the protocol of a request that was refused before it was routed.
func (x *exchange) guess() Protocol {
	switch {
	case x.r.Header.Get("X-Amz-Target") == "" && isForm(x.r):
		return AWSQuery
	case mediaType(x.r) == "application/x-amz-json-1.0":
		return AWSJSON10
	}
	return AWSJSON11
}

func (x *exchange) jsonType() string {
	if x.target.protocol == AWSJSON10 {
		return "application/x-amz-json-1.0"
	}
	return "application/x-amz-json-1.1"
}

func jsonError(e *apierr.Error) []byte {
	b, err := json.Marshal(struct {
		Type        string   `json:"__type"`
		Message     string   `json:"message,omitempty"`
		ResourceIDs []string `json:"resourceIds,omitempty"`
	}{e.Code, e.Message, e.ResourceIDs})
	if err != nil { // strings always marshal
		panic(err)
	}
	return b
}

// inQuery gives the errors that all services share the codes and statuses that they have in query services.
func inQuery(e *apierr.Error) *apierr.Error {
	q := *e
	switch e.Code {
	case "AccessDeniedException":
		q.Code, q.Status = "AccessDenied", http.StatusForbidden
	case "SerializationException":
		q.Code = "MalformedInput"
	case "ThrottlingException":
		q.Code = "Throttling"
	case "RequestEntityTooLargeException":
		q.Code = "RequestEntityTooLarge"
	case "ServerException":
		q.Code = "InternalFailure"
		if e.Status == http.StatusServiceUnavailable {
			q.Code = "ServiceUnavailable"
		}
	}
	return &q
}

// inEC2 gives the errors that all services share the codes and statuses that they have in EC2.
func inEC2(e *apierr.Error) *apierr.Error {
	q := *e
	switch e.Code {
	case "AccessDeniedException":
		q.Code, q.Message, q.Status = "UnauthorizedOperation", "You are not authorized to perform this operation. "+e.Message, http.StatusForbidden
	case "SerializationException":
		q.Code = "InvalidParameterValue"
	case "ThrottlingException":
		q.Code, q.Status = "RequestLimitExceeded", http.StatusServiceUnavailable
	case "UnsupportedOperationException":
		q.Code = "UnsupportedOperation"
	case "ServerException":
		q.Code = "InternalError"
		if e.Status == http.StatusServiceUnavailable {
			q.Code = "Unavailable"
		}
	}
	return &q
}

func (x *exchange) write(status int, contentType string, body []byte) {
	x.status = status
	h := x.w.Header()
	h.Set("Content-Type", contentType)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	h["X-Amzn-Requestid"] = []string{x.id}
	acceptWithin(x.w, transferWithin)
	x.w.WriteHeader(status)
	x.w.Write(body) // a client that has gone away gets nothing; there is nobody to tell
}
