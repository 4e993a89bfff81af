// Package frontdoor takes in HTTP requests: limits, SigV4, authorization, decoding, dispatch by table, encoding and the request log.
// It knows no operation: what it serves is handed to it as tables (Service).
package frontdoor

import (
	"context"
	"net/http"
	"reflect"
	"strings"

	"berth/internal/apierr"
	"berth/internal/arn"
	"berth/internal/awswire"
	"berth/internal/policy"
)

// Protocol is how a service's requests and answers are written.
type Protocol int

// The protocols that are served. rpcv2Cbor takes the next number.
const (
	AWSJSON10 Protocol = iota + 1
	AWSJSON11
	AWSQuery
	EC2Query // answers spell their members in lower camel case, whatever Service.Names says of requests
)

// query says whether requests are parameters of a query.
func (p Protocol) query() bool { return p == AWSQuery || p == EC2Query }

// Service is an AWS service that the front door serves.
type Service struct {
	Name       string // as in the credential scope: "ecs"
	Protocol   Protocol
	Names      awswire.Names
	Target     string // of the X-Amz-Target header, "AmazonEC2ContainerServiceV20141113"; JSON services only
	Version    string // of the query's Version, "2011-06-15"; query services only
	Namespace  string // xmlns of answers; query services only
	Operations []Operation
	Rates      []Rate // how often a caller may call, where Limits.Rate is 1; an operation that none names has a share of one of its own kind
	// ResourceTags are the tags of a resource by its ARN, for the condition keys aws:ResourceTag/* and SERVICE:ResourceTag/*. nil for none.
	ResourceTags func(resource string) map[string]string
	MaxBody      int64    // in bytes of its requests; 0 is Config.MaxBody. JSON services only
	Known        []string // every operation that AWS has; one that is not in Operations is refused by name
}

// Operation is one operation of a service. Make it with Op.
type Operation struct {
	Name   string // "RunTask"
	Input  reflect.Type
	Output reflect.Type
	Call   func(ctx context.Context, r *Request, in any) (any, error)
	// Action is what the policy is asked for; Op fills in Name.
	Action string
	// Resources are the ARNs that the policy is asked about, all of which must be allowed. nil means "*".
	Resources func(r *Request, in any) []string
	// Keys are the condition keys that follow from the input, besides the tags in it, which the door reads itself. nil for none.
	Keys func(r *Request, in any) policy.Context
	// Also is what the policy is asked besides: iam:PassRole on a role that the input names. nil for nothing.
	Also func(r *Request, in any) []Question
	// ResourcePolicy is the resource-based policy of a resource, nil if it has none. nil where resources of this kind have none.
	ResourcePolicy func(r *Request, resource string) *policy.Set
	// Open operations are allowed to every verified caller without asking the policy (GetCallerIdentity).
	Open bool
	// Unsigned operations take requests without a signature: what they are given says who asks (AssumeRoleWithWebIdentity). They are Open too.
	Unsigned bool
	// ReadOnly operations may be answered by a replica that is not the leader.
	ReadOnly bool
	// Reads says that an operation that is not ReadOnly changes nothing either, and is no more urgent than those that are.
	Reads bool
	// Frequent operations are made by agents all the time: where they succeed, they are for the debugging log. They go before all others,
	// and no Rate limits them.
	Frequent bool
}

// Request is what an operation learns besides its input.
type Request struct {
	ID          string // x-amzn-RequestId
	Scope       arn.Scope
	Caller      policy.Principal
	AccessKeyID string
	// SessionToken is that of temporary credentials, "" where the key is none of these.
	SessionToken string
	Sent         awswire.Sent
	Host         string // as the client addressed us: host or host:port
	TLS          bool

	Keys      policy.Context // the condition keys of the request
	Decisions []Decision     // what policies were asked, and said

	Tasks []arn.Task // the tasks that it started or spoke of, which the operation puts here for the log
}

// Op makes an operation from a typed function. Operations whose names begin with Describe, List or Get are read-only.
func Op[I, O any](name string, call func(ctx context.Context, r *Request, in *I) (*O, error)) Operation {
	return Operation{
		Name: name, Action: name, Input: reflect.TypeFor[I](), Output: reflect.TypeFor[O](),
		ReadOnly: strings.HasPrefix(name, "Describe") || strings.HasPrefix(name, "List") || strings.HasPrefix(name, "Get"),
		Call: func(ctx context.Context, r *Request, in any) (any, error) {
			out, err := call(ctx, r, in.(*I))
			if err != nil {
				return nil, err
			}
			return out, nil
		},
	}
}

// On returns the operation with its resources set.
func (o Operation) On(resources func(r *Request, in any) []string) Operation {
	o.Resources = resources
	return o
}

// And returns the operation with what the policy is asked besides.
func (o Operation) And(also func(r *Request, in any) []Question) Operation {
	o.Also = also
	return o
}

// OnLeader returns the operation as one that reads what only the leader has.
func (o Operation) OnLeader() Operation {
	o.ReadOnly, o.Reads = false, true
	return o
}

// Socket is a websocket endpoint of the agents, or another answer that goes on for long. The front door verifies the signature and asks the policy, then hands the request over.
type Socket struct {
	Path     string // "/acs/ws"
	Service  string // whose signing name the signature must have: "ecs"
	Action   string // "ecs:Poll"
	Resource func(*http.Request) string
	// May is asked besides the policy, and says why a caller may not open the socket of a resource ("*" where the request names none). nil: everybody may whom the
	// policy lets.
	May func(caller *Request, resource string) *apierr.Error
	// ReadOnly sockets are served by every replica itself, also by one that is not the leader.
	ReadOnly bool
	Frequent bool // agents open it all the time
	Serve    func(w http.ResponseWriter, r *http.Request, caller *Request)
}
