package trail

import (
	"strings"
	"time"

	"berth/internal/access"
	"berth/internal/arn"
	"berth/internal/frontdoor"
	"berth/internal/policy"
	"berth/internal/seal"
	"berth/internal/vpc"
)

// provisioned is a network interface that ECS has made for a task with its service-linked role, or has removed.
type provisioned struct {
	at      time.Time
	face    *vpc.NetworkInterface
	removed bool
	as      *policy.Principal // ECS with its role; nil where it has none
	verdict policy.Verdict    // of the role's policies
}

// What ECS does to network interfaces.
const (
	createInterface = "ec2:CreateNetworkInterface"
	deleteInterface = "ec2:DeleteNetworkInterface"
)

func (p *provisioned) action() string {
	if p.removed {
		return deleteInterface
	}
	return createInterface
}

// record is the record of it. An interface goes with its task, whatever the role may do by then: where it may not, there is no decision.
func (p *provisioned) record() *Record {
	scope := arn.ScopeOf(p.face.Arn)
	r := byECS(p.at, p.as, scope.Account, scope.Region, p.action())
	r.Resources = []Resource{{ARN: p.face.Arn, AccountID: scope.Account, Type: typeOf("ec2", "network-interface")}}
	r.AdditionalEventData = &Additional{Tasks: []string{p.face.Task}}
	if p.verdict.Decision == policy.Allowed {
		r.AdditionalEventData.Decisions = []Decision{decision(frontdoor.Decision{Action: p.action(), Resource: "*", Verdict: p.verdict})}
	}
	if p.removed {
		r.RequestParameters = marshal(map[string]any{"networkInterfaceId": p.face.ID()})
		r.ResponseElements = marshal(map[string]any{"requestId": r.RequestID, "_return": true})
		return r
	}
	groups := p.groups()
	r.RequestParameters = marshal(map[string]any{"subnetId": p.face.SubnetID, "description": p.face.Description, "groupSet": groups, "privateIpAddressesSet": map[string]any{}})
	r.ResponseElements = marshal(map[string]any{"requestId": r.RequestID, "networkInterface": map[string]any{
		"networkInterfaceId": p.face.ID(), "subnetId": p.face.SubnetID, "vpcId": p.face.VpcID, "availabilityZone": p.face.AvailabilityZone, "description": p.face.Description,
		"ownerId": scope.Account, "requesterManaged": true, "status": "pending", "macAddress": p.face.MAC, "privateIpAddress": p.face.Address,
		"privateDnsName": vpc.PrivateDNSName(scope.Region, p.face.Address), "sourceDestCheck": true, "groupSet": groups,
	}})
	return r
}

func (p *provisioned) groups() map[string]any {
	items := []map[string]any{}
	for _, id := range p.face.Groups {
		items = append(items, map[string]any{"groupId": id})
	}
	return map[string]any{"items": items}
}

// unprovisioned is that ECS may make no network interfaces in an account.
type unprovisioned struct {
	at              time.Time
	account, region string
	why             *access.ErrLinked
	as              *policy.Principal // ECS with its role; nil where it cannot assume it
	verdict         policy.Verdict    // of the role's policies
}

// record is the call that failed: to assume the role, or what its policies do not allow.
func (u *unprovisioned) record() *Record {
	action, d := u.why.Denied, Decision{Action: "sts:AssumeRole", Resource: u.why.Role, Decision: policy.ImplicitDeny.String(), PolicyType: policy.Trust.String()}
	if u.as == nil {
		action = d.Action
	} else {
		d = decision(frontdoor.Decision{Action: action, Resource: "*", Verdict: u.verdict})
	}
	r := byECS(u.at, u.as, u.account, u.region, action)
	r.AdditionalEventData = &Additional{Decisions: []Decision{d}}
	if u.as != nil {
		r.ErrorCode, r.ErrorMessage = "Client.UnauthorizedOperation", "You are not authorized to perform this operation. "+u.verdict.Text(u.as.ARN, action, "*")
		return r
	}
	r.ErrorCode, r.ErrorMessage = "AccessDenied", u.why.Error()
	r.RequestParameters = marshal(map[string]any{"roleArn": u.why.Role, "roleSessionName": access.Provisioning})
	r.Resources = []Resource{{ARN: u.why.Role, AccountID: u.account, Type: typeOf("iam", "role")}}
	return r
}

// byECS is the record of an action ("ec2:CreateNetworkInterface") that ECS takes by itself: with its service-linked role, or without where that is nil.
func byECS(at time.Time, as *policy.Principal, account, region, action string) *Record {
	service, name, _ := strings.Cut(action, ":")
	r := &Record{
		EventVersion: eventVersion, UserIdentity: &Identity{Type: "AWSService", InvokedBy: access.ECS}, EventTime: stamp(at), EventSource: source(service), EventName: name,
		AwsRegion: region, SourceIPAddress: access.ECS, UserAgent: access.ECS, RequestParameters: null, ResponseElements: null, RequestID: seal.NewUUID(), EventID: seal.NewUUID(),
		ReadOnly: readOnly(service, name), EventType: "AwsApiCall", ManagementEvent: true, RecipientAccountID: account, EventCategory: "Management",
	}
	if as != nil {
		r.UserIdentity = &Identity{
			Type: "AssumedRole", PrincipalID: as.UserID, ARN: as.ARN, AccountID: as.Account, InvokedBy: access.ECS,
			SessionContext: &SessionContext{SessionIssuer: issuerOf(as), Attributes: &SessionAttributes{CreationDate: stamp(at), MfaAuthenticated: "false"}},
		}
	}
	return r
}
