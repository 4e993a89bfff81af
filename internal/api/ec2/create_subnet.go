package ec2

import (
	"context"
	"net/netip"
	"slices"
	"strings"

	"berth/internal/apierr"
	"berth/internal/arn"
	"berth/internal/frontdoor"
	"berth/internal/state"
	"berth/internal/vpc"
)

type createSubnetInput struct {
	AvailabilityZone   *string
	AvailabilityZoneId *string
	CidrBlock          *string
	DryRun             *bool
	Ipv4IpamPoolId     *string
	Ipv4NetmaskLength  *int32
	Ipv6CidrBlock      *string
	Ipv6IpamPoolId     *string
	Ipv6Native         *bool
	Ipv6NetmaskLength  *int32
	OutpostArn         *string
	TagSpecifications  []TagSpecification `json:"TagSpecification"`
	VpcId              *string
}

type createSubnetOutput struct{ Subnet shownSubnet }

func (in *createSubnetInput) unsupported() error {
	return noneOf(given{"Ipv4IpamPoolId", in.Ipv4IpamPoolId != nil}, given{"Ipv4NetmaskLength", in.Ipv4NetmaskLength != nil},
		given{"Ipv6CidrBlock", in.Ipv6CidrBlock != nil}, given{"Ipv6IpamPoolId", in.Ipv6IpamPoolId != nil}, given{"Ipv6Native", yes(in.Ipv6Native)},
		given{"Ipv6NetmaskLength", in.Ipv6NetmaskLength != nil}, given{"OutpostArn", in.OutpostArn != nil})
}

func (a *API) createSubnet(ctx context.Context, r *frontdoor.Request, in *createSubnetInput) (*createSubnetOutput, error) {
	if err := in.unsupported(); err != nil {
		return nil, err
	}
	if text(in.CidrBlock) == "" {
		return nil, missing("cidrBlock")
	}
	tags, err := tagsFor("subnet", in.TagSpecifications)
	if err != nil {
		return nil, err
	}
	letter, err := a.zoneLetter(r.Scope, in.AvailabilityZone, in.AvailabilityZoneId)
	if err != nil {
		return nil, err
	}
	out := &createSubnetOutput{}
	return out, a.store.Update(ctx, func(tx *state.Tx) error {
		v, err := namedVPC(tx.Tables, r.Scope, in.VpcId)
		if err != nil {
			return err
		}
		b, err := subnetBlock(tx.Tables, r.Scope, v, *in.CidrBlock)
		if err != nil {
			return err
		}
		if count(subnetsOf(tx.Tables, r.Scope, v.ID())) >= mostSubnets {
			return limit("Subnet", "subnets")
		}
		if letter == "" {
			letter = a.emptiestZone(tx.Tables, r.Scope, v)
		}
		sub := a.newSubnet(r.Scope, v.ID(), b.String(), letter)
		sub.Tags = tags
		tx.Put(sub)
		out.Subnet = showSubnet(tx.Tables, r.Scope, sub)
		return nil
	})
}

// subnetBlock reads an address range that a new subnet of a VPC may have: it is in one of the VPC's and in no other subnet's.
func subnetBlock(t *state.Tables, s arn.Scope, v *vpc.VPC, text string) (netip.Prefix, error) {
	b, ok := vpc.Block(text)
	switch {
	case !ok:
		return b, invalid("Value (%.64s) for parameter cidrBlock is invalid. This is not a valid CIDR block.", text)
	case !vpc.Sized(b) || !v.Contains(b):
		return b, apierr.New("InvalidSubnet.Range", "The CIDR '%s' is invalid.", b)
	case conflicts(t, s, v, b):
		return b, apierr.New("InvalidSubnet.Conflict", "The CIDR '%s' conflicts with another subnet", b)
	}
	return b, nil
}

// conflicts reports whether a subnet of a VPC has an address of b.
func conflicts(t *state.Tables, s arn.Scope, v *vpc.VPC, b netip.Prefix) bool {
	for sub := range subnetsOf(t, s, v.ID()) {
		if sub.Prefix().Overlaps(b) {
			return true
		}
	}
	return false
}

// zoneLetter is the letter of the availability zone that a request names by its name or its id, "" where it names none.
func (a *API) zoneLetter(s arn.Scope, name, id *string) (string, error) {
	switch {
	case text(name) != "" && text(id) != "":
		return "", combination("The parameter availabilityZone cannot be used with the parameter availabilityZoneId")
	case text(name) != "":
		return a.letterOf(s, "availabilityZone", *name, zone)
	case text(id) != "":
		return a.letterOf(s, "availabilityZoneId", *id, zoneID)
	}
	return "", nil
}

// letterOf finds the zone that spell spells as a request's parameter does.
func (a *API) letterOf(s arn.Scope, parameter, value string, spell func(s arn.Scope, letter string) string) (string, error) {
	var known []string
	for _, letter := range a.zones {
		known = append(known, spell(s, letter))
	}
	n := slices.Index(known, value)
	if n < 0 {
		return "", invalid("Value (%.64s) for parameter %s is invalid. Subnets can currently only be created in the following availability zones: %s.",
			value, parameter, strings.Join(known, ", "))
	}
	return a.zones[n], nil
}

// emptiestZone is the letter of the first zone with the fewest subnets of a VPC.
func (a *API) emptiestZone(t *state.Tables, s arn.Scope, v *vpc.VPC) string {
	subnets := map[string]int{}
	for sub := range subnetsOf(t, s, v.ID()) {
		subnets[sub.AvailabilityZone]++
	}
	return slices.MinFunc(a.zones, func(x, y string) int { return subnets[zone(s, x)] - subnets[zone(s, y)] })
}
