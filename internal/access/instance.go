package access

import (
	"berth/internal/arn"
	"berth/internal/ecs"
	"berth/internal/iam"
	"berth/internal/policy"
	"berth/internal/state"
)

// InstanceRole is what ECS's documents call the role of container instances, and its instance profile.
const InstanceRole = "ecsInstanceRole"

// instanceService is who assumes the roles of instance profiles.
const instanceService = "ec2.amazonaws.com"

// agentCalls are the calls that an agent makes for its own instance.
var agentCalls = [...]string{
	"ecs:DiscoverPollEndpoint", "ecs:Poll", "ecs:StartTelemetrySession", "ecs:SubmitTaskStateChange", "ecs:SubmitContainerStateChange",
	"ecs:SubmitAttachmentStateChanges", "ecs:UpdateContainerInstancesState", "ecs:ListTagsForResource",
}

// makeInstance makes the principal of a container instance. It has the rights of its instance profile's role; of the agent's calls only those for its own instance, whatever
// the role says. One whose credential names no profile may make these calls and no others. A profile that is gone, has no role, or whose role does not trust
// EC2, gives no rights: the agent's calls are denied, visibly.
func (k *Keys) makeInstance(t *state.Tables, c *ecs.Credential) policy.Principal {
	if c.InstanceProfile == "" {
		return powerless(c, InstanceRole, &policy.Grants{Identity: own(c, false)})
	}
	r := profileRole(t, c)
	if r == nil {
		return powerless(c, c.InstanceProfile, &policy.Grants{}) // the role is mostly called as its profile is
	}
	if !k.Trusts(t, r, instanceService, arn.ScopeOf(c.Cluster)) {
		return powerless(c, r.Name, &policy.Grants{})
	}
	p := k.rolePrincipal(t, r, c.AccessKeyID)
	p.Grants = bounded(p.Grants, []*policy.Set{own(c, true)})
	return p
}

// powerless is an instance without a role's rights. The role is what refusals call it by.
func powerless(c *ecs.Credential, role string, g *policy.Grants) policy.Principal {
	return policy.Principal{
		ARN:     "arn:aws:sts::" + c.Account + ":assumed-role/" + role + "/" + c.AccessKeyID,
		Account: c.Account, UserID: "AROA" + c.AccessKeyID[4:] + ":" + c.AccessKeyID, Kind: policy.RoleSession, Grants: g,
	}
}

func profileRole(t *state.Tables, c *ecs.Credential) *iam.Role {
	profile := t.InstanceProfiles.Get(iam.Key(c.Account, c.InstanceProfile))
	if profile == nil || profile.Role == "" {
		return nil
	}
	return t.Roles.Get(iam.Key(c.Account, profile.Role))
}

// machinesOwn allows what programs on an instance's machine do with its role: everything that is no agent's call, and to look at, drain and deregister the instance.
func machinesOwn(c *ecs.Credential) *policy.Set {
	own := []string{"ecs:DeregisterContainerInstance", "ecs:UpdateContainerInstancesState", "ecs:ListTagsForResource"}
	not := append(append([]string{"ecs:RegisterContainerInstance"}, own...), agentCalls[:]...)
	return policy.Compile(policy.Source{Name: "the instance's role on the machine", Document: &policy.Document{Version: policy.Version2012, Statements: []policy.Statement{
		{Effect: policy.Allow, Actions: own, Resources: []string{string(c.Instance)}},
		{Effect: policy.Allow, NotActions: not, Resources: []string{"*"}},
	}}})
}

// own allows the agent's calls for the instance of a credential, once it has registered; others allows everything that is no such call too.
func own(c *ecs.Credential, others bool) *policy.Set {
	register := policy.Statement{Effect: policy.Allow, Actions: []string{"ecs:RegisterContainerInstance"}, Resources: []string{string(c.Cluster)}}
	d := policy.Document{Version: policy.Version2012, Statements: []policy.Statement{register}}
	if c.Instance != "" {
		d.Statements = append(d.Statements, policy.Statement{Effect: policy.Allow, Actions: agentCalls[:], Resources: []string{string(c.Instance)}})
	}
	if others {
		own := []string{"ecs:DeregisterContainerInstance"} // which AWS's policy allows on every instance
		d.Statements = append(d.Statements,
			policy.Statement{Effect: policy.Allow, Actions: own, Resources: []string{string(c.Instance)}},
			policy.Statement{Effect: policy.Allow, NotActions: append(append(own, "ecs:RegisterContainerInstance"), agentCalls[:]...), Resources: []string{"*"}})
	}
	return policy.Compile(policy.Source{Name: "the instance's own calls", Document: &d})
}
