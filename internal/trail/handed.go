package trail

import (
	"encoding/json"
	"fmt"
	"time"

	"berth/internal/policy"
	"berth/internal/seal"
)

// Handed are credentials of a task's role that ECS has handed to the task's agent.
type Handed struct {
	At          time.Time
	Service     string // who has assumed the role: "ecs-tasks.amazonaws.com"
	Role        string // ARN
	RoleID      string
	Session     string // name of the session: the task's id
	Task        string // ARN
	Account     string
	Region      string
	AccessKeyID string
	Expires     time.Time
}

// handed is the record of it, as CloudTrail writes that a service has assumed a role.
func (h *Handed) record() *Record {
	session := fmt.Sprintf("arn:aws:sts::%s:assumed-role/%s/%s", h.Account, short(h.Role), h.Session)
	r := &Record{
		EventVersion: eventVersion, UserIdentity: &Identity{Type: "AWSService", InvokedBy: h.Service}, EventTime: stamp(h.At), EventSource: "sts.amazonaws.com",
		EventName: "AssumeRole", AwsRegion: h.Region, SourceIPAddress: h.Service, UserAgent: h.Service, RequestID: seal.NewUUID(), EventID: seal.NewUUID(), ReadOnly: true,
		EventType: "AwsApiCall", ManagementEvent: true, RecipientAccountID: h.Account, EventCategory: "Management",
		Resources: []Resource{{ARN: h.Role, AccountID: h.Account, Type: "AWS::IAM::Role"}},
		AdditionalEventData: &Additional{Tasks: []string{h.Task}, Decisions: []Decision{{
			Action: "sts:AssumeRole", Resource: h.Role, Decision: allowed, PolicyType: policy.Trust.String(), Policy: h.Role,
		}}},
	}
	r.RequestParameters = marshal(map[string]any{"roleArn": h.Role, "roleSessionName": h.Session})
	r.ResponseElements = marshal(map[string]any{
		"credentials":     map[string]any{"accessKeyId": h.AccessKeyID, "expiration": stamp(h.Expires)},
		"assumedRoleUser": map[string]any{"assumedRoleId": h.RoleID + ":" + h.Session, "arn": session},
	})
	return r
}

func marshal(v any) json.RawMessage {
	b, err := json.Marshal(v)
	if err != nil { // only texts are in it
		panic(err)
	}
	return b
}
