// Package identity gets a machine the credentials of its container instance's role, for its containers.
package identity

import (
	"context"
	"net/http"
	"time"

	"berth/internal/agent"
	"berth/internal/api/berth"
)

// Roles vends the roles of container instances: the control plane tells them to each instance's own key.
type Roles struct {
	Endpoint   func() string // of the replica that the agent uses now, "http://host:port"
	Region     string
	HTTPClient *http.Client
}

var _ agent.InstanceRoles = (*Roles)(nil)

// roleAnswer is the control plane's answer to GetInstanceRole.
type roleAnswer struct {
	ProfileArn, ProfileID, RoleName            string
	Code, Message                              string
	AccessKeyID, SecretAccessKey, SessionToken string
	Issued, Expiration                         float64 // seconds
}

// InstanceRole implements agent.InstanceRoles.
func (r *Roles) InstanceRole(ctx context.Context, c agent.InstanceConfig) (agent.InstanceRole, error) {
	var out roleAnswer
	plane := berth.Client{Endpoint: r.Endpoint(), Region: r.Region, HTTPClient: r.HTTPClient}
	key, err := c.Keys().Retrieve(ctx)
	if err != nil {
		return agent.InstanceRole{}, err
	}
	if err := plane.Call(ctx, key, "GetInstanceRole", struct{}{}, &out); err != nil {
		return agent.InstanceRole{}, err
	}
	return agent.InstanceRole{
		ProfileARN: out.ProfileArn, ProfileID: out.ProfileID, Role: out.RoleName, Code: out.Code, Message: out.Message,
		Key:    agent.Key{AccessKeyID: out.AccessKeyID, SecretAccessKey: out.SecretAccessKey, SessionToken: out.SessionToken},
		Issued: moment(out.Issued), Expires: moment(out.Expiration),
	}, nil
}

// moment is a time of the API's, which counts seconds.
func moment(seconds float64) time.Time {
	if seconds == 0 {
		return time.Time{}
	}
	return time.UnixMilli(int64(seconds * 1000)).UTC()
}
