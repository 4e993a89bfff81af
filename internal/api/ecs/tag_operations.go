package ecs

import (
	"strings"

	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/apierr"
	"berth/internal/arn"
	"berth/internal/ecs"
	"berth/internal/frontdoor"
	"berth/internal/state"
)

// tagOperations are the operations on the tags of every kind of resource.
func (a *API) tagOperations() []frontdoor.Operation {
	return []frontdoor.Operation{
		frontdoor.Op("TagResource", a.tagResource).On(func(_ *frontdoor.Request, in any) []string {
			return named(in.(*awsecs.TagResourceInput).ResourceArn)
		}),
		frontdoor.Op("UntagResource", a.untagResource).On(func(_ *frontdoor.Request, in any) []string {
			return named(in.(*awsecs.UntagResourceInput).ResourceArn)
		}),
		frontdoor.Op("ListTagsForResource", a.listTagsForResource).On(func(r *frontdoor.Request, in any) []string {
			return a.tagged(r, in.(*awsecs.ListTagsForResourceInput).ResourceArn)
		}),
	}
}

// named is the one resource that a request names, nil where it names none.
func named(resource *string) []string {
	if blank(resource) {
		return nil
	}
	return []string{*resource}
}

// tagged are the resources that the policy is asked about when tags are read. An agent reads those of the tasks of its container instance, for
// their containers: then it is the instance.
func (a *API) tagged(r *frontdoor.Request, resource *string) []string {
	if own := a.ownInstance(r); own != nil && !blank(resource) {
		if t := a.store.View().Tasks.Get(arn.Task(*resource)); t != nil && string(t.ContainerInstanceArn) == own[0] {
			return own
		}
	}
	return named(resource)
}

// taggable is a resource with its tags.
type taggable struct {
	tags []types.Tag
	with func([]types.Tag) ecs.Record // a copy with other tags
}

// findTaggable finds the resource with that ARN: a cluster, service, task, container instance or task definition that is not INACTIVE.
func findTaggable(t *state.Tables, r *frontdoor.Request, resource *string) (taggable, error) {
	if blank(resource) {
		return taggable{}, apierr.InvalidParameter("resourceArn can not be blank.")
	}
	kind, err := taggableKind(r, *resource)
	if err != nil {
		return taggable{}, err
	}
	found, inactive := taggable{}, false
	switch kind {
	case "cluster":
		c := t.Clusters.Get(arn.Cluster(*resource))
		if c == nil {
			return found, apierr.ClusterNotFound()
		}
		inactive = c.Status == ecs.Inactive
		found = taggable{c.Tags, func(tags []types.Tag) ecs.Record { n := *c; n.Tags = tags; return &n }}
	case "service":
		if s := t.Services.Get(arn.Service(*resource)); s != nil {
			inactive = s.Status == ecs.Inactive
			found = taggable{s.Tags, func(tags []types.Tag) ecs.Record { n := s.Clone(); n.Tags = tags; return n }}
		}
	case "task":
		if x := t.Tasks.Get(arn.Task(*resource)); x != nil {
			found = taggable{x.Tags, func(tags []types.Tag) ecs.Record { n := x.Clone(); n.Tags = tags; return n }}
		}
	case "container-instance":
		if i := t.Instances.Get(arn.Instance(*resource)); i != nil {
			inactive = i.Status == ecs.Inactive
			found = taggable{i.Tags, func(tags []types.Tag) ecs.Record { n := *i; n.Tags = tags; return &n }}
		}
	case "task-set":
		found = taggableTaskSet(t, *resource)
	case "task-definition":
		if d := t.Definitions.Get(arn.TaskDefinition(*resource)); d != nil {
			found = taggable{d.Tags, func(tags []types.Tag) ecs.Record { n := *d; n.Tags = tags; return &n }}
		}
	}
	switch what := words(kind); {
	case found.with == nil:
		return taggable{}, apierr.InvalidParameter("The specified %s was not found. Specify a valid %s and try again.", what, what)
	case inactive:
		return taggable{}, apierr.InvalidParameter("The specified %s is inactive. Specify an active %s and try again.", what, what)
	}
	return found, nil
}

// taggableTaskSet finds the task set with that ARN.
func taggableTaskSet(t *state.Tables, resource string) taggable {
	_, rest, _ := arn.Resource(resource)
	parts := strings.SplitN(rest, "/", 3)
	if len(parts) != 3 {
		return taggable{}
	}
	s := t.Services.Get(arn.ScopeOf(resource).Cluster(parts[0]).Service(parts[1]))
	if s == nil || !s.IsExternal() || s.Deployment(parts[2]) == nil {
		return taggable{}
	}
	return taggable{s.Deployment(parts[2]).TaskSet.Tags, func(tags []types.Tag) ecs.Record {
		n := s.Clone()
		n.Deployment(parts[2]).TaskSet.Tags = tags
		return n
	}}
}

// taggableKind is the kind of resource that an ARN is of, if resources of it have tags. Where there is a cluster, the ARN has to say it.
func taggableKind(r *frontdoor.Request, resource string) (string, error) {
	kind, rest, ok := arn.Resource(resource)
	if !ok {
		return "", apierr.InvalidParameter("Invalid identifier: %s is not the ARN of a resource of ECS.", resource)
	}
	scope := r.Scope
	if scope.Account == arn.PoolAccount { // a member of the pool reads the tags of its tasks, which are of all accounts
		scope = arn.ScopeOf(resource)
	}
	if _, err := identify(scope, kind, resource); err != nil {
		return "", err
	}
	switch kind {
	case "cluster", "task-definition", "capacity-provider":
	case "service", "task", "container-instance", "task-set":
		if !strings.Contains(rest, "/") {
			return "", apierr.InvalidParameter("Long arn format must be used for tagging operations")
		}
	default:
		return "", apierr.InvalidParameter("Invalid identifier: a %s has no tags.", words(kind))
	}
	return kind, nil
}
