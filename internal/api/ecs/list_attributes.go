package ecs

import (
	"context"
	"iter"
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

// listAttributes answers with the attributes, custom and other ones, of a cluster's container instances: all of each, or those of one name.
func (a *API) listAttributes(_ context.Context, r *frontdoor.Request, in *awsecs.ListAttributesInput) (*awsecs.ListAttributesOutput, error) {
	switch {
	case in.TargetType == "":
		return nil, apierr.InvalidParameter("targetType should not be null or empty.")
	case text(in.AttributeValue) != "" && text(in.AttributeName) == "":
		return nil, apierr.InvalidParameter("attributeName is required where attributeValue is given.")
	}
	if err := validateEnum("targetType", in.TargetType); err != nil {
		return nil, err
	}
	view := a.store.View()
	c, err := cluster(view.Tables, r, in.Cluster)
	if err != nil {
		return nil, err
	}
	l, err := newListing("ListAttributes", pageSize{100, 100}, in.MaxResults, in.NextToken, string(c.ClusterArn), text(in.AttributeName), text(in.AttributeValue))
	if err != nil {
		return nil, err
	}
	attributes, next := page(l, attributesOf(view.Tables, c.ClusterArn, l.after, in), attributeKey)
	return &awsecs.ListAttributesOutput{Attributes: orEmpty(attributes), NextToken: next}, nil
}

// attributeKey is an attribute's place among all of a cluster: by instance, and within it by name.
func attributeKey(a types.Attribute) string { return text(a.TargetId) + "\x00" + text(a.Name) }

// attributesOf yields the attributes that the request asks for, from the key after on.
func attributesOf(t *state.Tables, c arn.Cluster, after string, in *awsecs.ListAttributesInput) iter.Seq[types.Attribute] {
	first, _, _ := strings.Cut(after, "\x00")
	return func(yield func(types.Attribute) bool) {
		for i := range t.Instances.Under(string(c.Instance("")), arn.Instance(first)) {
			if i.Status == ecs.Inactive {
				continue
			}
			for _, a := range slices.SortedFunc(slices.Values(i.Attributes), func(a, b types.Attribute) int { return strings.Compare(text(a.Name), text(b.Name)) }) {
				a.TargetId = new(i.Key())
				if attributeKey(a) >= after && attributeWanted(a, in) && !yield(a) {
					return
				}
			}
		}
	}
}

func attributeWanted(a types.Attribute, in *awsecs.ListAttributesInput) bool {
	name, value := text(in.AttributeName), text(in.AttributeValue)
	return (name == "" || name == text(a.Name)) && (value == "" || value == text(a.Value))
}
