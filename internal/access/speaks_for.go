package access

import (
	"strings"

	"berth/internal/arn"
	"berth/internal/ecs"
	"berth/internal/policy"
	"berth/internal/secret"
	"berth/internal/state"
)

// SpeaksFor says whether a caller may be the agent of a container instance: hear which tasks it has, with the credentials of their roles, and report on them. It
// may where it is the machine itself, or who has registered the instance: the user, or whoever has the role. The right to ecs:Poll is not enough, which on AWS
// gives all roles of an instance's tasks to all who have it. An instance that is not there is anybody's but a machine's.
func SpeaksFor(t *state.Tables, accessKeyID string, caller *policy.Principal, instance arn.Instance) bool {
	if c := Machine(t, accessKeyID, caller); c != nil {
		return c.Instance == instance
	}
	i := t.Instances.Get(instance)
	return i == nil || i.AccessKeyID == accessKeyID || i.Registrar != "" && i.Registrar == caller.Stem()
}

// Forgotten says whether a managed instance has registered a container instance, and is registered with Systems Manager no more: nobody can be its agent.
func Forgotten(t *state.Tables, i *ecs.Instance) bool {
	if i.Registrar != "" || !strings.HasPrefix(i.Ec2InstanceID, managedPrefix) || !strings.HasPrefix(i.AccessKeyID, "ASIA") {
		return false
	}
	scope := arn.ScopeOf(string(i.ContainerInstanceArn))
	return t.ManagedInstances.Get(secret.RegionKey(scope.Account, scope.Region, i.Ec2InstanceID)) == nil
}
