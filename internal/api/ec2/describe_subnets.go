package ec2

import (
	"context"
	"iter"
	"strconv"

	"berth/internal/arn"
	"berth/internal/frontdoor"
	"berth/internal/state"
	"berth/internal/vpc"
)

type describeSubnetsInput struct {
	DryRun     *bool
	Filters    []Filter `json:"Filter"`
	MaxResults *int32
	NextToken  *string
	SubnetIds  []string `json:"SubnetId"`
}

type describeSubnetsOutput struct {
	NextToken *string
	Subnets   []shownSubnet `json:"subnetSet"`
}

func (a *API) describeSubnets(_ context.Context, r *frontdoor.Request, in *describeSubnetsInput) (*describeSubnetsOutput, error) {
	list, next, err := described[*vpc.Subnet, shownSubnet]{
		filters: `availability-zone availability-zone-id availabilityZone availabilityZoneId available-ip-address-count cidr cidr-block cidrBlock
			customer-owned-ipv4-pool default-for-az defaultForAz enable-dns64 enable-lni-at-device-index ipv6-cidr-block-association.association-id
			ipv6-cidr-block-association.ipv6-cidr-block ipv6-cidr-block-association.state ipv6-native map-customer-owned-ip-on-launch
			map-public-ip-on-launch outpost-arn owner-id private-dns-name-options-on-launch.enable-resource-name-dns-a-record
			private-dns-name-options-on-launch.enable-resource-name-dns-aaaa-record private-dns-name-options-on-launch.hostname-type state subnet-arn
			subnet-id vpc-id`,
		kind: vpc.KindSubnet, find: findSubnet, facts: subnetFacts, show: showSubnet,
		rows: func(t *state.Tables, prefix, start string) iter.Seq[*vpc.Subnet] {
			return t.Subnets.Under(prefix, start)
		},
	}.page(a.store.View().Tables, r.Scope, asked{in.Filters, in.SubnetIds, in.MaxResults, in.NextToken})
	if err != nil {
		return nil, err
	}
	return &describeSubnetsOutput{Subnets: list, NextToken: next}, nil
}

func subnetFacts(t *state.Tables, s arn.Scope, sub *vpc.Subnet) facts {
	const options = "private-dns-name-options-on-launch."
	zone, zoneID, isDefault, block := []string{sub.AvailabilityZone}, []string{sub.AvailabilityZoneID}, flag(sub.DefaultForAz), []string{sub.CidrBlock}
	return facts{
		"availability-zone": zone, "availabilityZone": zone, "availability-zone-id": zoneID, "availabilityZoneId": zoneID,
		"available-ip-address-count": {strconv.Itoa(int(available(t, sub)))}, "cidr": block, "cidr-block": block, "cidrBlock": block,
		"default-for-az": isDefault, "defaultForAz": isDefault, "enable-dns64": flag(false), "ipv6-native": flag(false),
		"map-customer-owned-ip-on-launch": flag(false), "map-public-ip-on-launch": flag(sub.MapPublicIPOnLaunch), "owner-id": {s.Account},
		options + "enable-resource-name-dns-a-record": flag(sub.ResourceNameDNS), options + "enable-resource-name-dns-aaaa-record": flag(false),
		options + "hostname-type": {sub.PrivateDNSHostnameType}, "state": {"available"}, "subnet-arn": {sub.Arn}, "subnet-id": {sub.ID()}, "vpc-id": {sub.VpcID},
	}.tagged(sub.Tags)
}
