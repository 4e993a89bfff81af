package ecs

import (
	"context"
	"slices"
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
		frontdoor.Op("ListTagsForResource", a.listTagsForResource).On(func(_ *frontdoor.Request, in any) []string {
			return named(in.(*awsecs.ListTagsForResourceInput).ResourceArn)
		}),
	}
}

// named is the one resource that a request names, nil where it names none.
func named(resource *string) []string {
	if text(resource) == "" {
		return nil
	}
	return []string{*resource}
}

// tagged finds a resource by ARN, with its tags and a function that makes a copy with others.
func tagged(t *state.Tables, resource *string) (tags []types.Tag, with func([]types.Tag) ecs.Record, err error) {
	if text(resource) == "" {
		return nil, nil, apierr.InvalidParameter("resourceArn can not be blank.")
	}
	kind, _, ok := arn.Resource(*resource)
	if !ok {
		return nil, nil, apierr.InvalidParameter("Invalid resourceArn: %s is not the ARN of an ECS resource.", *resource)
	}
	gone := apierr.InvalidParameter("The specified %s is inactive or does not exist. Specify an active %s and try again.", strings.ReplaceAll(kind, "-", " "), strings.ReplaceAll(kind, "-", " "))
	switch kind {
	case "cluster":
		if c := t.Clusters.Get(arn.Cluster(*resource)); c != nil && c.Status == ecs.Active {
			return c.Tags, func(tags []types.Tag) ecs.Record { n := *c; n.Tags = tags; return &n }, nil
		}
	case "service":
		if s := t.Services.Get(arn.Service(*resource)); s != nil && s.Status != ecs.Inactive {
			return s.Tags, func(tags []types.Tag) ecs.Record { n := s.Clone(); n.Tags = tags; return n }, nil
		}
	case "task":
		if x := t.Tasks.Get(arn.Task(*resource)); x != nil {
			return x.Tags, func(tags []types.Tag) ecs.Record { n := *x; n.Tags = tags; return &n }, nil
		}
	case "container-instance":
		if i := t.Instances.Get(arn.Instance(*resource)); i != nil && i.Status != ecs.Inactive {
			return i.Tags, func(tags []types.Tag) ecs.Record { n := *i; n.Tags = tags; return &n }, nil
		}
	case "task-definition":
		if d := t.Definitions.Get(arn.TaskDefinition(*resource)); d != nil {
			return d.Tags, func(tags []types.Tag) ecs.Record { n := *d; n.Tags = tags; return &n }, nil
		}
	}
	return nil, nil, gone
}

func (a *API) tagResource(ctx context.Context, _ *frontdoor.Request, in *awsecs.TagResourceInput) (*awsecs.TagResourceOutput, error) {
	if len(in.Tags) == 0 {
		return nil, apierr.InvalidParameter("Tags can not be empty.")
	}
	if err := validateTags(in.Tags); err != nil {
		return nil, err
	}
	err := a.store.Update(ctx, func(tx *state.Tx) error {
		old, with, err := tagged(tx.Tables, in.ResourceArn)
		if err != nil {
			return err
		}
		merged := slices.Clone(old)
		for _, t := range in.Tags {
			merged = slices.DeleteFunc(merged, func(o types.Tag) bool { return text(o.Key) == text(t.Key) })
			merged = append(merged, t)
		}
		if len(merged) > mostTags {
			return apierr.InvalidParameter("Too many tags: a resource can have at most %d tags, and it would have %d.", mostTags, len(merged))
		}
		tx.Put(with(merged))
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &awsecs.TagResourceOutput{}, nil
}

func (a *API) untagResource(ctx context.Context, _ *frontdoor.Request, in *awsecs.UntagResourceInput) (*awsecs.UntagResourceOutput, error) {
	if len(in.TagKeys) == 0 {
		return nil, apierr.InvalidParameter("tagKeys can not be empty.")
	}
	err := a.store.Update(ctx, func(tx *state.Tx) error {
		old, with, err := tagged(tx.Tables, in.ResourceArn)
		if err != nil {
			return err
		}
		rest := slices.DeleteFunc(slices.Clone(old), func(o types.Tag) bool { return slices.Contains(in.TagKeys, text(o.Key)) })
		if len(rest) != len(old) {
			tx.Put(with(rest))
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &awsecs.UntagResourceOutput{}, nil
}

func (a *API) listTagsForResource(_ context.Context, _ *frontdoor.Request, in *awsecs.ListTagsForResourceInput) (*awsecs.ListTagsForResourceOutput, error) {
	tags, _, err := tagged(a.store.View().Tables, in.ResourceArn)
	if err != nil {
		return nil, err
	}
	return &awsecs.ListTagsForResourceOutput{Tags: orEmpty(tags)}, nil
}
