// Package trail is the audit log: which role did what, and which statement of a policy allowed it. It takes the front door's calls from a bounded queue, writes
// them as CloudTrail's records into files of its own, prunes these, and reads them.
package trail

import (
	"encoding/json"
	"strconv"
	"strings"
)

// eventVersion is the version of CloudTrail's record format.
const eventVersion = "1.11"

// Record is an event in CloudTrail's format, with its member names. What Berth adds is in AdditionalEventData.
type Record struct {
	EventVersion        string
	UserIdentity        *Identity
	EventTime           string // RFC 3339, whole seconds, UTC
	EventSource         string // "ecs.amazonaws.com"
	EventName           string // "RunTask"
	AwsRegion           string
	SourceIPAddress     string `json:"sourceIPAddress"`
	UserAgent           string
	ErrorCode           string
	ErrorMessage        string
	RequestParameters   json.RawMessage // null for none
	ResponseElements    json.RawMessage // null of what only reads, and of what failed
	AdditionalEventData *Additional
	RequestID           string `json:"requestID"`
	EventID             string `json:"eventID"`
	ReadOnly            bool
	Resources           []Resource
	EventType           string // AwsApiCall or AwsServiceEvent
	ManagementEvent     bool
	RecipientAccountID  string `json:"recipientAccountId"`
	EventCategory       string // Management or Data
}

// Identity is who made a call.
type Identity struct {
	Type           string // IAMUser, AssumedRole, Root, AWSService, WebIdentityUser
	PrincipalID    string `json:"principalId"`
	ARN            string `json:"arn"`
	AccountID      string `json:"accountId"`
	AccessKeyID    string `json:"accessKeyId"`
	UserName       string
	SessionContext *SessionContext
	InvokedBy      string
}

// SessionContext is of temporary credentials.
type SessionContext struct {
	SessionIssuer *SessionIssuer
	Attributes    *SessionAttributes
}

// SessionIssuer is the role that was assumed.
type SessionIssuer struct {
	Type        string
	PrincipalID string `json:"principalId"`
	ARN         string `json:"arn"`
	AccountID   string `json:"accountId"`
	UserName    string
}

// SessionAttributes are of the session itself. MfaAuthenticated is "false": there is no MFA here.
type SessionAttributes struct{ CreationDate, MfaAuthenticated string }

// Resource is what a call was about.
type Resource struct {
	ARN       string `json:"ARN"`
	AccountID string `json:"accountId"`
	Type      string // "AWS::ECS::Cluster"
}

// Additional is what Berth adds to the format.
type Additional struct {
	Decisions []Decision // what policies were asked, in order, and said
	Tasks     []string   // ARNs of the tasks that were started or spoken of, or whose credentials were handed out
}

// Decision is a question to policies, and which statement answered it.
type Decision struct {
	Action, Resource string
	Decision         string // "allowed", "explicit deny" or "implicit deny"
	PolicyType       string // "identity-based policy"; for an implicit deny of the kind that lacks an Allow
	Policy           string // ARN or name, "" for an implicit deny
	Sid              string
	Statement        int // its number in the policy, from 1; 0 for an implicit deny
}

// By is the statement in few words: the policy's name, and the statement's Sid or number.
func (d *Decision) By() string {
	switch {
	case d.Policy == "":
		return d.PolicyType
	case d.Statement == 0:
		return d.PolicyType + " of " + short(d.Policy)
	case d.Sid != "":
		return short(d.Policy) + "#" + d.Sid
	}
	return short(d.Policy) + "#" + strconv.Itoa(d.Statement)
}

// Refused says whether the caller had no right to the call: a policy denied it, or it is somebody else's to make.
func (r *Record) Refused() bool {
	_, other := r.NotCallers()
	return other || r.Denied() != nil
}

// NotCallers is why the call is not the caller's to make, which no policy says: another one has registered the container instance, say.
func (r *Record) NotCallers() (why string, is bool) {
	if r.Denied() != nil {
		return "", false
	}
	_, why, is = strings.Cut(r.ErrorMessage, " is not authorized to perform: ")
	if _, after, has := strings.Cut(why, " because "); has {
		why = after
	}
	return why, is
}

// Denied is the decision that refused the call, nil where none did.
func (r *Record) Denied() *Decision {
	if r.AdditionalEventData == nil {
		return nil
	}
	for i := range r.AdditionalEventData.Decisions {
		if d := &r.AdditionalEventData.Decisions[i]; d.Decision != allowed {
			return d
		}
	}
	return nil
}
