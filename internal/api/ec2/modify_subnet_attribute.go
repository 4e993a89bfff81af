package ec2

import (
	"context"

	"berth/internal/frontdoor"
	"berth/internal/state"
)

type modifySubnetAttributeInput struct {
	AssignIpv6AddressOnCreation             *AttributeBooleanValue
	CustomerOwnedIpv4Pool                   *string
	DisableLniAtDeviceIndex                 *AttributeBooleanValue
	EnableDns64                             *AttributeBooleanValue
	EnableLniAtDeviceIndex                  *int32
	EnableResourceNameDnsAAAARecordOnLaunch *AttributeBooleanValue
	EnableResourceNameDnsARecordOnLaunch    *AttributeBooleanValue
	MapCustomerOwnedIpOnLaunch              *AttributeBooleanValue
	MapPublicIpOnLaunch                     *AttributeBooleanValue
	PrivateDnsHostnameTypeOnLaunch          *string
	SubnetId                                *string
}

func (in *modifySubnetAttributeInput) unsupported() error {
	return noneOf(given{"AssignIpv6AddressOnCreation", in.AssignIpv6AddressOnCreation.on()}, given{"CustomerOwnedIpv4Pool", in.CustomerOwnedIpv4Pool != nil},
		given{"DisableLniAtDeviceIndex", in.DisableLniAtDeviceIndex.on()}, given{"EnableDns64", in.EnableDns64.on()},
		given{"EnableLniAtDeviceIndex", in.EnableLniAtDeviceIndex != nil},
		given{"EnableResourceNameDnsAAAARecordOnLaunch", in.EnableResourceNameDnsAAAARecordOnLaunch.on()},
		given{"MapCustomerOwnedIpOnLaunch", in.MapCustomerOwnedIpOnLaunch.on()})
}

func (a *API) modifySubnetAttribute(ctx context.Context, r *frontdoor.Request, in *modifySubnetAttributeInput) (*Done, error) {
	if err := in.unsupported(); err != nil {
		return nil, err
	}
	if err := oneAttribute(in.AssignIpv6AddressOnCreation != nil, in.DisableLniAtDeviceIndex != nil, in.EnableDns64 != nil,
		in.EnableResourceNameDnsAAAARecordOnLaunch != nil, in.EnableResourceNameDnsARecordOnLaunch != nil, in.MapCustomerOwnedIpOnLaunch != nil,
		in.MapPublicIpOnLaunch != nil, in.PrivateDnsHostnameTypeOnLaunch != nil); err != nil {
		return nil, err
	}
	if t := in.PrivateDnsHostnameTypeOnLaunch; t != nil && *t != "ip-name" && *t != "resource-name" {
		return nil, invalid("Value (%.64s) for parameter privateDnsHostnameTypeOnLaunch is invalid. Expecting ip-name or resource-name.", *t)
	}
	return done(), a.store.Update(ctx, func(tx *state.Tx) error {
		old, err := namedSubnet(tx.Tables, r.Scope, in.SubnetId)
		if err != nil {
			return err
		}
		sub := *old
		if in.MapPublicIpOnLaunch != nil {
			sub.MapPublicIPOnLaunch = in.MapPublicIpOnLaunch.on()
		}
		if in.EnableResourceNameDnsARecordOnLaunch != nil {
			sub.ResourceNameDNS = in.EnableResourceNameDnsARecordOnLaunch.on()
		}
		if in.PrivateDnsHostnameTypeOnLaunch != nil {
			sub.PrivateDNSHostnameType = *in.PrivateDnsHostnameTypeOnLaunch
		}
		tx.Put(&sub)
		return nil
	})
}
