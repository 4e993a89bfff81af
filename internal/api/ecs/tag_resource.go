package ecs

import (
	"context"
	"slices"
	"strings"

	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/apierr"
	"berth/internal/frontdoor"
	"berth/internal/state"
)

// tagResource adds tags to a resource. One whose key is there already takes the other's place.
func (a *API) tagResource(ctx context.Context, r *frontdoor.Request, in *awsecs.TagResourceInput) (*awsecs.TagResourceOutput, error) {
	if len(in.Tags) == 0 {
		return nil, apierr.InvalidParameter("Tags can not be empty.")
	}
	if err := validateTags(in.Tags); err != nil {
		return nil, err
	}
	err := a.store.Update(ctx, func(tx *state.Tx) error {
		x, err := findTaggable(tx.Tables, r, in.ResourceArn)
		if err != nil {
			return err
		}
		merged := mergeTags(x.tags, in.Tags)
		if n := countedTags(merged); n > mostTags {
			return apierr.InvalidParameter("Too many tags: a resource can have at most %d tags, and it would have %d.", mostTags, n)
		}
		tx.Put(x.with(merged))
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &awsecs.TagResourceOutput{}, nil
}

// countedTags is how many of the tags count against the limit: all but ECS's own.
func countedTags(tags []types.Tag) (n int) {
	for _, t := range tags {
		if !strings.HasPrefix(text(t.Key), "aws:") {
			n++
		}
	}
	return n
}

// mergeTags returns the tags old with those of new in their place, or behind them.
func mergeTags(old, new []types.Tag) []types.Tag {
	out := slices.Clone(old)
	for _, t := range new {
		i := slices.IndexFunc(out, func(o types.Tag) bool { return text(o.Key) == text(t.Key) })
		if i < 0 {
			out = append(out, t)
		} else {
			out[i] = t
		}
	}
	return out
}
