package ec2

import (
	"context"
	"slices"

	"berth/internal/frontdoor"
	"berth/internal/state"
)

type modifyVpcAttributeInput struct {
	EnableDnsHostnames               *AttributeBooleanValue
	EnableDnsSupport                 *AttributeBooleanValue
	EnableNetworkAddressUsageMetrics *AttributeBooleanValue
	VpcId                            *string
}

func (a *API) modifyVpcAttribute(ctx context.Context, r *frontdoor.Request, in *modifyVpcAttributeInput) (*Done, error) {
	if in.EnableNetworkAddressUsageMetrics.on() {
		return nil, unsupported("EnableNetworkAddressUsageMetrics")
	}
	if err := oneAttribute(in.EnableDnsHostnames != nil, in.EnableDnsSupport != nil, in.EnableNetworkAddressUsageMetrics != nil); err != nil {
		return nil, err
	}
	return done(), a.store.Update(ctx, func(tx *state.Tx) error {
		old, err := namedVPC(tx.Tables, r.Scope, in.VpcId)
		if err != nil {
			return err
		}
		v := *old
		if in.EnableDnsHostnames != nil {
			v.DNSHostnames = in.EnableDnsHostnames.on()
		}
		if in.EnableDnsSupport != nil {
			v.DNSSupport = in.EnableDnsSupport.on()
		}
		tx.Put(&v)
		return nil
	})
}

// oneAttribute checks that a request changes one attribute, as EC2 wants it.
func oneAttribute(has ...bool) error {
	has = slices.DeleteFunc(has, func(is bool) bool { return !is })
	switch len(has) {
	case 0:
		return combination("No attributes specified.")
	case 1:
		return nil
	}
	return combination("Fields for multiple attribute types specified")
}
