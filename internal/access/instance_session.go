package access

import (
	"fmt"
	"time"

	"berth/internal/arn"
	"berth/internal/ecs"
	"berth/internal/iam"
	"berth/internal/policy"
	"berth/internal/state"
)

// InstanceLife is how long the credentials of a container instance's role are good. Agents renew them every hour.
const InstanceLife = 6 * time.Hour

// InstanceRoleSession is the role of a container instance, for its containers. All is zero but Issued where the instance has no profile; Role is nil where the profile
// has none; and without an access key, Role cannot be assumed by EC2.
type InstanceRoleSession struct {
	Profile *iam.InstanceProfile
	Role    *iam.Role
	Issued  time.Time
	Temporary
}

// InstanceSession makes credentials of the role of a container instance's profile, in the name of the instance as EC2 does. They are for what runs on the
// machine, not for the agent, which has a key of its own: an agent's calls stay closed, with which they could have the credentials of all its tasks' roles. They end with that key.
func (k *Keys) InstanceSession(t *state.Tables, c *ecs.Credential) (s InstanceRoleSession, err error) {
	s.Issued = now().Truncate(time.Second)
	if c.InstanceProfile == "" {
		return s, nil
	}
	if s.Profile = t.InstanceProfiles.Get(iam.Key(c.Account, c.InstanceProfile)); s.Profile == nil {
		return s, nil
	}
	if s.Role = profileRole(t, c); s.Role == nil || !k.Trusts(t, s.Role, instanceService, arn.ScopeOf(c.Cluster)) {
		return s, nil
	}
	s.Temporary, err = k.Issue(Session{
		Account: s.Role.Account, Role: s.Role.Key(), ID: s.Role.ID, Name: instanceName(t, c), Issued: s.Issued, Expires: s.Issued.Add(InstanceLife), Agent: c.AccessKeyID,
	})
	if err != nil {
		return s, fmt.Errorf("credentials of an instance's role: %w", err)
	}
	return s, nil
}

// instanceName is the id of the machine whose credential it is, "i-...", which names sessions of its role; before it has registered the key's.
func instanceName(t *state.Tables, c *ecs.Credential) string {
	if i := t.Instances.Get(c.Instance); i != nil {
		return i.Ec2InstanceID
	}
	return c.AccessKeyID
}

// machineBound bounds a session of a machine's role to the machine; there is false where the machine is gone, or the session is of another role than its own now.
func (k *Keys) machineBound(t *state.Tables, s Session) (bound *policy.Set, there bool) {
	if s.Managed != "" {
		return k.managedBound(t, s)
	}
	return k.agentBound(t, s)
}

// agentBound bounds a session of an instance's role to the instance; ok is false where the instance's credential is gone, or the session is of another profile's role now.
func (k *Keys) agentBound(t *state.Tables, s Session) (bound *policy.Set, ok bool) {
	c := t.Credentials.Get(s.Agent)
	if c == nil {
		return nil, false
	}
	if r := profileRole(t, c); r == nil || r.Key() != s.Role || !k.Trusts(t, r, instanceService, arn.ScopeOf(c.Cluster)) {
		return nil, false
	}
	return machinesOwn(c), true
}
