package ec2

import (
	"context"
	"regexp"
	"slices"
	"strings"

	"berth/internal/arn"
	"berth/internal/frontdoor"
)

type describeRegionsInput struct {
	AllRegions  *bool
	DryRun      *bool
	Filters     []Filter `json:"Filter"`
	RegionNames []string `json:"RegionName"`
}

type describeRegionsOutput struct {
	Regions []shownRegion `json:"regionInfo"`
}

type shownRegion struct {
	OptInStatus    string
	RegionEndpoint string `json:"regionEndpoint"`
	RegionName     string
}

// regionName is how a region may be called.
var regionName = regexp.MustCompile(`^[a-z]{2,4}(-[a-z]{1,16}){1,3}-[0-9]{1,2}$`)

// describeRegions shows the regions that the account uses, and those that are asked for: an installation serves any name.
func (a *API) describeRegions(_ context.Context, r *frontdoor.Request, in *describeRegionsInput) (*describeRegionsOutput, error) {
	wanted, err := newSelection(in.Filters, in.RegionNames, "endpoint", "opt-in-status", "region-name")
	if err != nil {
		return nil, err
	}
	for _, name := range in.RegionNames {
		if !regionName.MatchString(name) {
			return nil, invalid("Invalid region: [%.64s]", name)
		}
	}
	names := in.RegionNames
	if len(names) == 0 {
		names = a.regionsOf(r.Scope)
	}
	out := &describeRegionsOutput{Regions: []shownRegion{}}
	for _, name := range slices.Compact(slices.Sorted(slices.Values(names))) {
		one := shownRegion{"opt-in-not-required", "ec2." + name + ".amazonaws.com", name}
		if wanted.takes(name, facts{"endpoint": {one.RegionEndpoint}, "opt-in-status": {one.OptInStatus}, "region-name": {name}}) {
			out.Regions = append(out.Regions, one)
		}
	}
	return out, nil
}

// regionsOf are the regions in which an account has had its default VPC.
func (a *API) regionsOf(s arn.Scope) (names []string) {
	prefix := accountSetting(arn.Scope{Account: s.Account})
	for x := range a.store.View().Settings.Under(prefix, "") {
		names = append(names, strings.TrimPrefix(x.Name, prefix))
	}
	return names
}
