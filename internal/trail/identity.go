package trail

import (
	"strings"
	"time"

	"berth/internal/frontdoor"
	"berth/internal/policy"
)

// allowed is the decision of a statement that allows.
var allowed = policy.Allowed.String()

// identityOf is who made a call.
func identityOf(r *frontdoor.Request, issued time.Time) *Identity {
	p := &r.Caller
	id := &Identity{PrincipalID: p.UserID, ARN: p.ARN, AccountID: p.Account, AccessKeyID: r.AccessKeyID}
	switch p.Kind {
	case policy.User:
		id.Type, id.UserName = "IAMUser", short(p.ARN)
	case policy.RoleSession:
		id.Type, id.SessionContext = "AssumedRole", &SessionContext{SessionIssuer: issuerOf(p)}
	case policy.Root:
		id.Type = "Root"
	case policy.Service:
		id.Type, id.InvokedBy = "AWSService", p.ARN
	case policy.Federated:
		id.Type = "WebIdentityUser"
	}
	if p.ARN == "" {
		id.Type = "Unknown"
	}
	if !issued.IsZero() {
		if id.SessionContext == nil {
			id.SessionContext = &SessionContext{}
		}
		id.SessionContext.Attributes = &SessionAttributes{CreationDate: stamp(issued), MfaAuthenticated: "false"}
	}
	return id
}

// issuerOf is the role behind a session; that of an instance without a profile has a name only.
func issuerOf(p *policy.Principal) *SessionIssuer {
	id, _, _ := strings.Cut(p.UserID, ":")
	name, _, _ := strings.Cut(p.ARN[strings.Index(p.ARN, "/")+1:], "/")
	role := p.Role
	if role == "" {
		role = "arn:aws:iam::" + p.Account + ":role/" + name
	}
	return &SessionIssuer{Type: "Role", PrincipalID: id, ARN: role, AccountID: p.Account, UserName: name}
}

// stamp is a time as records have it.
func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// short is what follows the last slash.
func short(name string) string { return name[strings.LastIndexByte(name, '/')+1:] }
