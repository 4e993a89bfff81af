package ec2

import (
	"context"
	"slices"
	"strconv"

	"berth/internal/frontdoor"
)

type describeAccountAttributesInput struct {
	AttributeNames []string `json:"AttributeName"`
	DryRun         *bool
}

type describeAccountAttributesOutput struct {
	AccountAttributes []accountAttribute `json:"accountAttributeSet"`
}

type accountAttribute struct {
	AttributeName     string
	AttributeValueSet []accountAttributeValue
}

type accountAttributeValue struct{ AttributeValue string }

// mostInterfaceGroups is how many security groups an interface may have.
const mostInterfaceGroups = 5

func (a *API) describeAccountAttributes(_ context.Context, r *frontdoor.Request, in *describeAccountAttributesInput) (*describeAccountAttributesOutput, error) {
	main := "none"
	if v := defaultVPC(a.store.View().Tables, r.Scope); v != nil {
		main = v.ID()
	}
	all := [][2]string{
		{"supported-platforms", "VPC"}, {"vpc-max-security-groups-per-interface", strconv.Itoa(mostInterfaceGroups)},
		{"max-elastic-ips", strconv.Itoa(mostAddresses)}, {"max-instances", "0"}, {"vpc-max-elastic-ips", strconv.Itoa(mostAddresses)}, {"default-vpc", main},
	}
	for _, name := range in.AttributeNames {
		if !slices.ContainsFunc(all, func(x [2]string) bool { return x[0] == name }) {
			return nil, invalid("Value (%.64s) for parameter attributeName is invalid. Unknown attribute.", name)
		}
	}
	out := &describeAccountAttributesOutput{AccountAttributes: []accountAttribute{}}
	for _, x := range all {
		if len(in.AttributeNames) == 0 || slices.Contains(in.AttributeNames, x[0]) {
			out.AccountAttributes = append(out.AccountAttributes, accountAttribute{x[0], []accountAttributeValue{{x[1]}}})
		}
	}
	return out, nil
}
