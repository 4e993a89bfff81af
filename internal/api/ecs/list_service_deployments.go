package ecs

import (
	"context"
	"slices"
	"strings"
	"time"

	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/apierr"
	"berth/internal/ecs"
	"berth/internal/frontdoor"
)

// listServiceDeployments answers with a service's service deployments, the newest first, a page of twenty unless more are asked for.
func (a *API) listServiceDeployments(_ context.Context, r *frontdoor.Request, in *awsecs.ListServiceDeploymentsInput) (*awsecs.ListServiceDeploymentsOutput, error) {
	if err := validateEnums("status", in.Status); err != nil {
		return nil, err
	}
	between := types.CreatedAt{}
	if in.CreatedAt != nil {
		between = *in.CreatedAt
	}
	if between.After != nil && between.Before != nil && between.Before.Before(*between.After) {
		return nil, apierr.InvalidParameter("createdAt.before must not be earlier than createdAt.after.")
	}
	view := a.store.View()
	s, err := namedService(view.Tables, r, in.Cluster, in.Service)
	if err != nil {
		return nil, err
	}
	params := []string{string(s.ServiceArn), stampText(between.After), stampText(between.Before)}
	for _, status := range in.Status {
		params = append(params, string(status))
	}
	l, err := newListing("ListServiceDeployments", pageSize{20, 100}, in.MaxResults, in.NextToken, params...)
	if err != nil {
		return nil, err
	}
	var rows []*ecs.ServiceDeployment
	for d := range view.Rollouts.Under(s.DeploymentsOf(), "") {
		wanted := len(in.Status) == 0 || slices.Contains(in.Status, d.Status)
		if between.After != nil && d.CreatedAt.Before(*between.After) || between.Before != nil && d.CreatedAt.After(*between.Before) {
			wanted = false
		}
		if wanted && (l.after == "" || newestFirst(d) <= l.after) {
			rows = append(rows, d)
		}
	}
	slices.SortFunc(rows, func(a, b *ecs.ServiceDeployment) int { return strings.Compare(newestFirst(b), newestFirst(a)) })
	list, next := page(l, slices.Values(rows), newestFirst)
	out := &awsecs.ListServiceDeploymentsOutput{ServiceDeployments: []types.ServiceDeploymentBrief{}, NextToken: next}
	for _, d := range list {
		out.ServiceDeployments = append(out.ServiceDeployments, briefView(d))
	}
	return out, nil
}

// newestFirst orders service deployments by the time they were made.
func newestFirst(d *ecs.ServiceDeployment) string {
	return stampText(&d.CreatedAt) + d.ServiceDeploymentArn
}

// stampText is a time as a text of fixed width, which sorts as the time does; "" for none.
func stampText(t *time.Time) string {
	if t == nil {
		return ""
	}
	return t.UTC().Format("2006-01-02T15:04:05.000000000")
}
