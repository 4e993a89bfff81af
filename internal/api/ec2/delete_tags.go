package ec2

import (
	"context"
	"slices"

	"berth/internal/frontdoor"
	"berth/internal/vpc"
)

type deleteTagsInput struct {
	DryRun    *bool
	Resources []string `json:"ResourceId"`
	Tags      []Tag    `json:"Tag"`
}

// deleteTags removes tags: those with the given keys, where a tag of the request has a value only with the same one, and all where the request has no tags.
func (a *API) deleteTags(ctx context.Context, r *frontdoor.Request, in *deleteTagsInput) (*Done, error) {
	for _, t := range in.Tags {
		if text(t.Key) == "" {
			return nil, missing("tagSet.key")
		}
	}
	return done(), a.retag(ctx, r, in.Resources, func(old []vpc.Tag) ([]vpc.Tag, error) {
		if len(in.Tags) == 0 {
			return nil, nil
		}
		return slices.DeleteFunc(slices.Clone(old), func(o vpc.Tag) bool {
			return slices.ContainsFunc(in.Tags, func(t Tag) bool { return *t.Key == o.Key && (t.Value == nil || *t.Value == o.Value) })
		}), nil
	})
}
