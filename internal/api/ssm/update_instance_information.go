package ssm

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"

	"berth/internal/apierr"
	"berth/internal/constraint"
	"berth/internal/frontdoor"
	"berth/internal/secret"
	"berth/internal/state"
)

// UpdateInstanceInformationInput is what an agent tells of its machine. What else agents of Systems Manager send is not kept.
type UpdateInstanceInformationInput struct {
	InstanceId                                  *string
	AgentVersion, ComputerName, IPAddress       *string
	PlatformName, PlatformType, PlatformVersion *string
}

// UpdateInstanceInformationOutput has no members.
type UpdateInstanceInformationOutput struct{}

// told is a member of a request, and where it is kept.
type told struct {
	name string
	text *string
	to   *string
}

// told are the members that are kept, in a record.
func (in *UpdateInstanceInformationInput) told(m *secret.ManagedInstance) []told {
	return []told{
		{"agentVersion", in.AgentVersion, &m.AgentVersion}, {"computerName", in.ComputerName, &m.ComputerName}, {"iPAddress", in.IPAddress, &m.IPAddress},
		{"platformName", in.PlatformName, &m.PlatformName}, {"platformVersion", in.PlatformVersion, &m.PlatformVersion},
	}
}

// updateInstanceInformation takes down what a managed instance says of itself.
func (a *API) updateInstanceInformation(ctx context.Context, r *frontdoor.Request, in *UpdateInstanceInformationInput) (*UpdateInstanceInformationOutput, error) {
	var c constraint.Check
	c.Present("instanceId", in.InstanceId != nil)
	c.Pattern("instanceId", in.InstanceId, managedID)
	for _, t := range in.told(&secret.ManagedInstance{}) {
		c.Text(t.name, t.text, 0, mostDescription)
	}
	if err := c.Err(); err != nil {
		return nil, err
	}
	if t := aws.ToString(in.PlatformType); t != "" && t != "Linux" {
		return nil, invalid("PlatformType %s is not supported: machines are Linux.", t)
	}
	return &UpdateInstanceInformationOutput{}, a.store.Update(ctx, func(tx *state.Tx) error {
		m := tx.ManagedInstances.Get(secret.RegionKey(r.Scope.Account, r.Scope.Region, *in.InstanceId))
		if m == nil || r.Caller.Managed != m.Key() {
			return apierr.New("InvalidInstanceId", "The InstanceId %s is not valid, or the caller is not that managed instance.", *in.InstanceId)
		}
		next := *m
		for _, t := range in.told(&next) {
			if t.text != nil {
				*t.to = *t.text
			}
		}
		tx.Put(&next)
		return nil
	})
}
