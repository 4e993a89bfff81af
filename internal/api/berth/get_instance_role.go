package berth

import (
	"context"
	"fmt"
	"time"

	"berth/internal/access"
	"berth/internal/apierr"
	"berth/internal/frontdoor"
)

// GetInstanceRoleInput has no members: who asks is the container instance whose role it is.
type GetInstanceRoleInput struct{}

// GetInstanceRoleOutput is the role of a container instance's profile, with credentials of it, as its containers find them in instance metadata.
type GetInstanceRoleOutput struct {
	ProfileArn, ProfileId *string // nil where the instance has no profile
	RoleName              *string // nil where the profile has no role
	Code                  string  // Success, or why there are no credentials
	Message               string
	AccessKeyId           *string
	SecretAccessKey       *string
	SessionToken          *string
	Issued                time.Time
	Expiration            *time.Time
}

// What EC2 says in place of credentials.
const (
	success     = "Success"
	unassumable = "AssumeRoleUnauthorizedAccess"
)

// getInstanceRole is for the agents of container instances: whoever holds an instance's key may have its role's.
func (a *API) getInstanceRole(_ context.Context, r *frontdoor.Request, _ *GetInstanceRoleInput) (*GetInstanceRoleOutput, error) {
	t := a.State.View().Tables
	c := access.Machine(t, r.AccessKeyID, &r.Caller)
	if c == nil {
		return nil, apierr.AccessDenied(r.Caller.ARN, "berth:GetInstanceRole", "*")
	}
	s, err := a.Keys.InstanceSession(t, c)
	if err != nil {
		return nil, err
	}
	out := &GetInstanceRoleOutput{Code: success, Issued: s.Issued}
	if s.Profile == nil {
		return out, nil
	}
	out.ProfileArn, out.ProfileId = new(s.Profile.ARN()), &s.Profile.ID
	switch {
	case s.Role == nil:
	case s.AccessKeyID == "":
		out.RoleName, out.Code = &s.Role.Name, unassumable
		out.Message = fmt.Sprintf("EC2 cannot assume the role %s. Please see documentation at "+
			"https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_iam-ec2.html#troubleshoot_iam-ec2_errors-info-doc.", s.Role.Name)
	default:
		out.RoleName = &s.Role.Name
		out.AccessKeyId, out.SecretAccessKey, out.SessionToken, out.Expiration = &s.AccessKeyID, &s.SecretAccessKey, &s.SessionToken, &s.Expires
	}
	return out, nil
}
