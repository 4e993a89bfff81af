package ec2

import (
	"context"

	"berth/internal/frontdoor"
)

type describeVpcAttributeInput struct {
	Attribute *string
	DryRun    *bool
	VpcId     *string
}

type describeVpcAttributeOutput struct {
	EnableDnsHostnames               *attributeValue
	EnableDnsSupport                 *attributeValue
	EnableNetworkAddressUsageMetrics *attributeValue
	VpcId                            string
}

// attributeValue is a boolean attribute in an answer.
type attributeValue struct{ Value bool }

// AttributeBooleanValue is a boolean attribute in a request.
type AttributeBooleanValue struct{ Value *bool }

// on reports whether a request turns an attribute on.
func (v *AttributeBooleanValue) on() bool { return v != nil && yes(v.Value) }

func (a *API) describeVpcAttribute(_ context.Context, r *frontdoor.Request, in *describeVpcAttributeInput) (*describeVpcAttributeOutput, error) {
	if text(in.Attribute) == "" {
		return nil, missing("attribute")
	}
	v, err := namedVPC(a.store.View().Tables, r.Scope, in.VpcId)
	if err != nil {
		return nil, err
	}
	out := &describeVpcAttributeOutput{VpcId: v.ID()}
	switch *in.Attribute {
	case "enableDnsHostnames":
		out.EnableDnsHostnames = &attributeValue{v.DNSHostnames}
	case "enableDnsSupport":
		out.EnableDnsSupport = &attributeValue{v.DNSSupport}
	case "enableNetworkAddressUsageMetrics":
		out.EnableNetworkAddressUsageMetrics = &attributeValue{}
	default:
		return nil, invalid("Value (%.64s) for parameter attribute is invalid. Unknown attribute.", *in.Attribute)
	}
	return out, nil
}
