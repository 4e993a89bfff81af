package ec2

import (
	"context"
	"slices"

	"berth/internal/apierr"
	"berth/internal/frontdoor"
	"berth/internal/state"
	"berth/internal/vpc"
)

type createTagsInput struct {
	DryRun    *bool
	Resources []string `json:"ResourceId"`
	Tags      []Tag    `json:"Tag"`
}

func (a *API) createTags(ctx context.Context, r *frontdoor.Request, in *createTagsInput) (*Done, error) {
	if len(in.Tags) == 0 {
		return nil, missing("tagSet")
	}
	return done(), a.retag(ctx, r, in.Resources, func(old []vpc.Tag) ([]vpc.Tag, error) { return merged(old, in.Tags) })
}

// retag changes the tags of all resources that a request names, or of none.
func (a *API) retag(ctx context.Context, r *frontdoor.Request, ids []string, change func([]vpc.Tag) ([]vpc.Tag, error)) error {
	switch {
	case len(ids) == 0:
		return missing("resourceIdSet")
	case len(ids) > mostTagged:
		return apierr.New("InvalidParameterValue", "A request can name at most %d resources.", mostTagged)
	}
	return a.store.Update(ctx, func(tx *state.Tx) error {
		for _, id := range slices.Compact(slices.Sorted(slices.Values(ids))) {
			x, err := findTagged(tx.Tables, r.Scope, id)
			if err != nil {
				return err
			}
			tags, err := change(x.tags)
			if err != nil {
				return err
			}
			tx.Put(x.with(tags))
		}
		return nil
	})
}
