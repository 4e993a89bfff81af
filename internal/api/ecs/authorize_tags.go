package ecs

import (
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/access"
	"berth/internal/ecs"
	"berth/internal/frontdoor"
	"berth/internal/state"
)

// authorizeTags asks the policy whether the caller may give tags to a resource that it makes. Where the account has turned that off, making it
// is enough. A machine's own credential may tag the container instance that it registers.
func authorizeTags(t *state.Tables, r *frontdoor.Request, tags []types.Tag, resource string) error {
	if countedTags(tags) == 0 || t.Chosen(r.Scope, creator(r.Caller.ARN), types.SettingNameTagResourceAuthorization).Value == "off" {
		return nil
	}
	if ofInstance(resource) && access.Machine(t, r.AccessKeyID, &r.Caller) != nil {
		return nil
	}
	if e := r.Authorize(frontdoor.Question{Action: "ecs:TagResource", Resource: resource}); e != nil {
		return e
	}
	return nil
}

func ofInstance(resource string) bool { return strings.Contains(resource, ":container-instance/") }

// The resources that a policy is asked about where the ARN is not known yet, as AWS names them.
func newTasksOf(c *ecs.Cluster) string     { return string(c.ClusterArn.Task("*")) }
func newInstancesOf(c *ecs.Cluster) string { return string(c.ClusterArn.Instance("*")) }
func newRevisionOf(r *frontdoor.Request, family string) string {
	return strings.TrimSuffix(string(r.Scope.TaskDefinition(family, 0)), "0") + "*"
}
