package ec2

import (
	"context"
	"slices"
	"strings"

	"berth/internal/apierr"
	"berth/internal/arn"
	"berth/internal/frontdoor"
)

// zoneOperations are the operations on regions, their availability zones, and the account in them.
func (a *API) zoneOperations() []frontdoor.Operation {
	return []frontdoor.Operation{
		operation(a, "DescribeAccountAttributes", a.describeAccountAttributes),
		operation(a, "DescribeAvailabilityZones", a.describeAvailabilityZones),
		operation(a, "DescribeRegions", a.describeRegions),
	}
}

type describeAvailabilityZonesInput struct {
	AllAvailabilityZones *bool
	DryRun               *bool
	Filters              []Filter `json:"Filter"`
	ZoneNames            []string `json:"ZoneName"`
	ZoneIds              []string `json:"ZoneId"`
}

type describeAvailabilityZonesOutput struct {
	AvailabilityZones []availabilityZone `json:"availabilityZoneInfo"`
}

type availabilityZone struct {
	GroupName, GroupLongName, NetworkBorderGroup, OptInStatus, RegionName string
	State                                                                 string `json:"zoneState"`
	ZoneId, ZoneName, ZoneType                                            string
	Messages                                                              []string `json:"messageSet"`
}

// zoneID is the id of a zone that is the same in every account: use1-az1.
func zoneID(s arn.Scope, letter string) string {
	return shortRegion(s.Region) + "-az" + string('1'+letter[0]-'a')
}

func (a *API) describeAvailabilityZones(_ context.Context, r *frontdoor.Request, in *describeAvailabilityZonesInput) (*describeAvailabilityZonesOutput, error) {
	s, err := newSelection(in.Filters, in.ZoneNames, "group-name", "message", "opt-in-status", "parent-zone-id", "parent-zone-name", "region-name", "state",
		"zone-id", "zone-name", "zone-type")
	if err != nil {
		return nil, err
	}
	out := &describeAvailabilityZonesOutput{AvailabilityZones: []availabilityZone{}}
	var names, ids []string
	for _, letter := range a.zones {
		z := availabilityZone{
			GroupName: r.Scope.Region + "-zg-1", GroupLongName: r.Scope.Region + " 1", NetworkBorderGroup: r.Scope.Region, OptInStatus: "opt-in-not-required", RegionName: r.Scope.Region,
			State: "available", ZoneId: zoneID(r.Scope, letter), ZoneName: zone(r.Scope, letter), ZoneType: "availability-zone", Messages: []string{},
		}
		names, ids = append(names, z.ZoneName), append(ids, z.ZoneId)
		if len(in.ZoneIds) > 0 && !slices.Contains(in.ZoneIds, z.ZoneId) {
			continue
		}
		if s.takes(z.ZoneName, facts{"group-name": {z.GroupName}, "opt-in-status": {z.OptInStatus}, "region-name": {z.RegionName}, "state": {z.State},
			"zone-id": {z.ZoneId}, "zone-name": {z.ZoneName}, "zone-type": {z.ZoneType}}) {
			out.AvailabilityZones = append(out.AvailabilityZones, z)
		}
	}
	if err := allKnown(in.ZoneNames, names); err != nil {
		return nil, err
	}
	return out, allKnown(in.ZoneIds, ids)
}

func allKnown(asked, known []string) error {
	for _, z := range asked {
		if !slices.Contains(known, z) {
			return apierr.New("InvalidParameterValue", "Invalid availability zone: [%.64s]", z)
		}
	}
	return nil
}

// shortRegion is a region's name in the ids of its zones: use1 for us-east-1, apse1 for ap-southeast-1.
func shortRegion(region string) (short string) {
	for n, word := range strings.Split(region, "-") {
		switch north, east := strings.CutSuffix(word, "east"); {
		case word == "":
		case n == 0:
			short += word[:min(2, len(word))]
		case word[0] >= '0' && word[0] <= '9':
			short += word
		case east && north != "":
			short += word[:1] + "e"
		case strings.HasSuffix(word, "west") && word != "west":
			short += word[:1] + "w"
		default:
			short += word[:1]
		}
	}
	return short
}
