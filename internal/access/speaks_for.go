package access

import (
	"berth/internal/arn"
	"berth/internal/policy"
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
