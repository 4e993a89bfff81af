package ec2

import (
	"context"
	"iter"

	"berth/internal/arn"
	"berth/internal/frontdoor"
	"berth/internal/state"
)

type describeTagsInput struct {
	DryRun     *bool
	Filters    []Filter `json:"Filter"`
	MaxResults *int32
	NextToken  *string
}

type describeTagsOutput struct {
	NextToken *string
	Tags      []shownTag `json:"tagSet"`
}

type shownTag struct {
	Key, ResourceId, ResourceType string
	Value                         *string
}

// order is what a tag is ordered by.
func (t shownTag) order() string { return t.ResourceType + " " + t.ResourceId + " " + t.Key }

func (a *API) describeTags(_ context.Context, r *frontdoor.Request, in *describeTagsInput) (*describeTagsOutput, error) {
	p, err := newPager("tags", in.MaxResults, in.NextToken, nil)
	if err != nil {
		return nil, err
	}
	wanted, err := newSelection(in.Filters, nil, "key", "resource-id", "resource-type", "value")
	if err != nil {
		return nil, err
	}
	list, next := page(p, where(allTags(a.store.View().Tables, r.Scope), func(t shownTag) bool {
		return wanted.takes("", facts{"key": {t.Key}, "resource-id": {t.ResourceId}, "resource-type": {t.ResourceType}, "value": {*t.Value}, "tag:" + t.Key: {*t.Value}})
	}), shownTag.order)
	if list == nil {
		list = []shownTag{}
	}
	return &describeTagsOutput{NextToken: next, Tags: list}, nil
}

// allTags are the tags of an account's resources in their order.
func allTags(t *state.Tables, s arn.Scope) iter.Seq[shownTag] {
	return func(yield func(shownTag) bool) {
		for x := range allTagged(t, s) {
			for _, tag := range x.tags {
				if !yield(shownTag{tag.Key, x.id, x.kind, &tag.Value}) {
					return
				}
			}
		}
	}
}
