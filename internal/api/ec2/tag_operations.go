package ec2

import (
	"iter"
	"slices"
	"strings"

	"berth/internal/apierr"
	"berth/internal/arn"
	"berth/internal/frontdoor"
	"berth/internal/record"
	"berth/internal/state"
	"berth/internal/vpc"
)

// tagOperations are the operations on tags.
func (a *API) tagOperations() []frontdoor.Operation {
	return []frontdoor.Operation{
		operation(a, "CreateTags", a.createTags),
		operation(a, "DeleteTags", a.deleteTags),
		operation(a, "DescribeTags", a.describeTags),
	}
}

// mostTagged is how many resources a request may name.
const mostTagged = 1000

// tagged is a resource that has tags: kind is as EC2 calls it, and with is a record of it with other tags.
type tagged struct {
	kind string
	id   vpc.ID
	tags []vpc.Tag
	with func(tags []vpc.Tag) record.Record
}

// findTagged finds a resource of any kind by its id.
func findTagged(t *state.Tables, s arn.Scope, id string) (tagged, error) {
	prefix, _, _ := strings.Cut(id, "-")
	switch prefix {
	case "vpc":
		return taggedOf(findVPC(t, s, id))(taggedVPC)
	case "subnet":
		return taggedOf(findSubnet(t, s, id))(taggedSubnet)
	case "rtb":
		return taggedOf(findRouteTable(t, s, id))(taggedRouteTable)
	case "igw":
		return taggedOf(findInternetGateway(t, s, id))(taggedInternetGateway)
	case "nat":
		return taggedOf(findNATGateway(t, s, id))(taggedNATGateway)
	case "eipalloc":
		return taggedOf(findAddress(t, s, id))(taggedAddress)
	case "dopt":
		return taggedOf(findDHCPOptions(t, s, id))(taggedDHCPOptions)
	case "sg":
		return taggedOf(findGroup(t, s, id))(taggedGroup)
	case "sgr":
		return findTaggedRule(t, s, id)
	case "eni":
		return taggedOf(findTaggedInterface(t, s, id))(taggedInterface)
	case "acl":
		return tagged{}, unsupported("tags of the network ACL " + id)
	}
	return tagged{}, apierr.New("InvalidID", "The ID '%.64s' is not valid", id)
}

// taggedOf makes what was found one that has tags.
func taggedOf[R any](r R, err error) func(func(R) tagged) (tagged, error) {
	return func(make func(R) tagged) (tagged, error) {
		if err != nil {
			return tagged{}, err
		}
		return make(r), nil
	}
}

func taggedVPC(r *vpc.VPC) tagged {
	return tagged{"vpc", r.ID(), r.Tags, func(tags []vpc.Tag) record.Record { c := *r; c.Tags = tags; return &c }}
}

func taggedSubnet(r *vpc.Subnet) tagged {
	return tagged{"subnet", r.ID(), r.Tags, func(tags []vpc.Tag) record.Record { c := *r; c.Tags = tags; return &c }}
}

func taggedRouteTable(r *vpc.RouteTable) tagged {
	return tagged{"route-table", r.ID(), r.Tags, func(tags []vpc.Tag) record.Record { c := *r; c.Tags = tags; return &c }}
}

func taggedInternetGateway(r *vpc.InternetGateway) tagged {
	return tagged{"internet-gateway", r.ID(), r.Tags, func(tags []vpc.Tag) record.Record { c := *r; c.Tags = tags; return &c }}
}

func taggedNATGateway(r *vpc.NATGateway) tagged {
	return tagged{"natgateway", r.ID(), r.Tags, func(tags []vpc.Tag) record.Record { c := *r; c.Tags = tags; return &c }}
}

func taggedAddress(r *vpc.Address) tagged {
	return tagged{"elastic-ip", r.ID(), r.Tags, func(tags []vpc.Tag) record.Record { c := *r; c.Tags = tags; return &c }}
}

func taggedDHCPOptions(r *vpc.DHCPOptions) tagged {
	return tagged{"dhcp-options", r.ID(), r.Tags, func(tags []vpc.Tag) record.Record { c := *r; c.Tags = tags; return &c }}
}

func taggedGroup(r *vpc.SecurityGroup) tagged {
	return tagged{"security-group", r.ID(), r.Tags, func(tags []vpc.Tag) record.Record { c := *r; c.Tags = tags; return &c }}
}

func taggedInterface(r *vpc.NetworkInterface) tagged {
	return tagged{"network-interface", r.ID(), r.Tags, func(tags []vpc.Tag) record.Record { c := *r; c.Tags = tags; return &c }}
}

// taggedRule is the n-th rule of a group.
func taggedRule(g *vpc.SecurityGroup, n int) tagged {
	return tagged{"security-group-rule", g.Rules[n].ID, g.Rules[n].Tags, func(tags []vpc.Tag) record.Record {
		c := *g
		c.Rules = slices.Clone(g.Rules)
		c.Rules[n].Tags = tags
		return &c
	}}
}

func findTaggedRule(t *state.Tables, s arn.Scope, id string) (tagged, error) {
	r, err := findRule(t, s, id)
	if err != nil {
		return tagged{}, err
	}
	return taggedRule(r.group, slices.IndexFunc(r.group.Rules, func(x vpc.Rule) bool { return x.ID == id })), nil
}

// findTaggedInterface finds an interface that may be tagged: not a task's, which is no record of its own.
func findTaggedInterface(t *state.Tables, s arn.Scope, id string) (*vpc.NetworkInterface, error) {
	n, err := findInterface(t, s, id)
	if err == nil && n.Task != "" {
		return nil, managed()
	}
	return n, err
}

// allTagged are an account's resources that may have tags, ordered by kind and id.
func allTagged(t *state.Tables, s arn.Scope) iter.Seq[tagged] {
	under := func(k record.Kind) string { return vpc.Prefix(s, k) }
	return func(yield func(tagged) bool) {
		_ = each(t.DHCPOptions.Under(under(vpc.KindDHCPOptions), ""), taggedDHCPOptions, yield) &&
			each(t.Addresses.Under(under(vpc.KindAddress), ""), taggedAddress, yield) &&
			each(t.InternetGateways.Under(under(vpc.KindInternetGateway), ""), taggedInternetGateway, yield) &&
			each(t.NATGateways.Under(under(vpc.KindNATGateway), ""), taggedNATGateway, yield) &&
			each(t.Interfaces.Under(under(vpc.KindNetworkInterface), ""), taggedInterface, yield) &&
			each(t.RouteTables.Under(under(vpc.KindRouteTable), ""), taggedRouteTable, yield) &&
			each(t.SecurityGroups.Under(under(vpc.KindSecurityGroup), ""), taggedGroup, yield) &&
			each(rules(t.SecurityGroups.Under(under(vpc.KindSecurityGroup), "")), func(r tagged) tagged { return r }, yield) &&
			each(t.Subnets.Under(under(vpc.KindSubnet), ""), taggedSubnet, yield) &&
			each(t.VPCs.Under(under(vpc.KindVPC), ""), taggedVPC, yield)
	}
}

// rules are the rules of groups, ordered by their ids.
func rules(groups iter.Seq[*vpc.SecurityGroup]) iter.Seq[tagged] {
	var all []tagged
	for g := range groups {
		for n := range g.Rules {
			all = append(all, taggedRule(g, n))
		}
	}
	slices.SortFunc(all, func(x, y tagged) int { return strings.Compare(x.id, y.id) })
	return slices.Values(all)
}

// each yields the rows, each as make makes it, and reports whether more is wanted.
func each[R any](rows iter.Seq[R], make func(R) tagged, yield func(tagged) bool) bool {
	for r := range rows {
		if !yield(make(r)) {
			return false
		}
	}
	return true
}
