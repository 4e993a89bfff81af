package ec2

import (
	"context"
	"net/netip"
	"slices"

	"berth/internal/frontdoor"
	"berth/internal/state"
	"berth/internal/vpc"
)

type createDhcpOptionsInput struct {
	DhcpConfigurations []dhcpConfiguration `json:"DhcpConfiguration"`
	DryRun             *bool
	TagSpecifications  []TagSpecification `json:"TagSpecification"`
}

type dhcpConfiguration struct {
	Key    *string
	Values []string `json:"Value"`
}

type createDhcpOptionsOutput struct{ DhcpOptions shownDHCPOptions }

func (a *API) createDhcpOptions(ctx context.Context, r *frontdoor.Request, in *createDhcpOptionsInput) (*createDhcpOptionsOutput, error) {
	configurations, err := in.configurations()
	if err != nil {
		return nil, err
	}
	tags, err := tagsFor("dhcp-options", in.TagSpecifications)
	if err != nil {
		return nil, err
	}
	out := &createDhcpOptionsOutput{}
	return out, a.store.Update(ctx, func(tx *state.Tx) error {
		if count(allDHCPOptions(tx.Tables, r.Scope)) >= mostDHCPOptions {
			return limit("DhcpOptions", "DHCP options sets")
		}
		d := &vpc.DHCPOptions{Arn: vpc.ARN(r.Scope, vpc.KindDHCPOptions, newID("dopt-")), Configurations: configurations, Tags: tags}
		tx.Put(d)
		out.DhcpOptions = showDHCPOptions(tx.Tables, r.Scope, d)
		return nil
	})
}

func (in *createDhcpOptionsInput) configurations() (out []vpc.DHCPConfiguration, err error) {
	if len(in.DhcpConfigurations) == 0 {
		return nil, missing("dhcpConfiguration")
	}
	for _, c := range in.DhcpConfigurations {
		key := text(c.Key)
		switch {
		case key == "":
			return nil, missing("dhcpConfiguration.key")
		case slices.ContainsFunc(out, func(o vpc.DHCPConfiguration) bool { return o.Key == key }):
			return nil, invalid("Duplicate DHCP option '%.64s' specified.", key)
		}
		if err := dhcpOption(key, c.Values); err != nil {
			return nil, err
		}
		out = append(out, vpc.DHCPConfiguration{Key: key, Values: c.Values})
	}
	return out, nil
}

// mostDHCPServers is how many servers a DHCP option may name.
const mostDHCPServers = 4

// dhcpOption checks the values of a DHCP option.
func dhcpOption(key string, values []string) error {
	most, right := 1, func(string) bool { return true }
	switch key {
	case "domain-name":
	case "domain-name-servers":
		most, right = mostDHCPServers, func(v string) bool { return v == amazonDNS || isIPv4(v) }
	case "ntp-servers", "netbios-name-servers":
		most, right = mostDHCPServers, isIPv4
	case "netbios-node-type":
		right = func(v string) bool { return slices.Contains([]string{"1", "2", "4", "8"}, v) }
	case "ipv6-address-preferred-lease-time":
		return unsupported(key)
	default:
		return invalid("Value (%.64s) for parameter name is invalid. Unknown DHCP option", key)
	}
	if len(values) == 0 || len(values) > most {
		return invalid("The DHCP option %s must have from 1 to %d values.", key, most)
	}
	for _, v := range values {
		if v == "" || len(v) > 255 || !right(v) {
			return invalid("Value (%.64s) for parameter value is invalid. Invalid DHCP option value for %s.", v, key)
		}
	}
	return nil
}

func isIPv4(text string) bool {
	a, err := netip.ParseAddr(text)
	return err == nil && a.Is4()
}
