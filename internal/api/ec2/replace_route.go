package ec2

import (
	"context"
	"slices"

	"berth/internal/frontdoor"
	"berth/internal/vpc"
)

type replaceRouteInput createRouteInput

func (a *API) replaceRoute(ctx context.Context, r *frontdoor.Request, in *replaceRouteInput) (*Done, error) {
	if yes(in.LocalTarget) {
		return nil, unsupported("LocalTarget")
	}
	return done(), a.changeRoute(ctx, r, (*createRouteInput)(in), func(table *vpc.RouteTable, route vpc.Route) error {
		n := slices.IndexFunc(table.Routes, to(route.Destination))
		if n < 0 {
			return invalid("There is no route defined for '%s' in the route table. Use CreateRoute instead.", route.Destination)
		}
		table.Routes = slices.Clone(table.Routes)
		table.Routes[n] = route
		return nil
	})
}
