package ec2

import (
	"slices"

	"berth/internal/apierr"
	"berth/internal/arn"
	"berth/internal/frontdoor"
	"berth/internal/state"
	"berth/internal/vpc"
)

// networkInterfaceOperations are the operations on network interfaces.
func (a *API) networkInterfaceOperations() []frontdoor.Operation {
	return []frontdoor.Operation{
		operation(a, "AttachNetworkInterface", a.attachNetworkInterface),
		operation(a, "CreateNetworkInterface", a.createNetworkInterface),
		operation(a, "DeleteNetworkInterface", a.deleteNetworkInterface),
		operation(a, "DescribeNetworkInterfaceAttribute", a.describeNetworkInterfaceAttribute),
		operation(a, "DescribeNetworkInterfaces", a.describeNetworkInterfaces),
		operation(a, "DetachNetworkInterface", a.detachNetworkInterface),
		operation(a, "ModifyNetworkInterfaceAttribute", a.modifyNetworkInterfaceAttribute),
	}
}

// mostInterfaces is AWS's quota on the network interfaces of an account's region. Those of tasks are not counted.
const mostInterfaces = 5000

// findInterface finds the network interface that a request names: one of the user's own, of a NAT gateway or of a task.
func findInterface(t *state.Tables, s arn.Scope, id string) (*vpc.NetworkInterface, error) {
	if err := wellFormed("eni-", "NetworkInterfaceID", id); err != nil {
		return nil, err
	}
	n := t.Interfaces.Get(vpc.ARN(s, vpc.KindNetworkInterface, id))
	if n == nil {
		return nil, notFound("NetworkInterfaceID", "networkInterface ID", id)
	}
	return n, nil
}

// namedInterface finds the network interface in a parameter that a request must have.
func namedInterface(t *state.Tables, s arn.Scope, id *string) (*vpc.NetworkInterface, error) {
	if text(id) == "" {
		return nil, missing("networkInterfaceId")
	}
	return findInterface(t, s, *id)
}

// interfaceGroups checks the security groups of a network interface in a VPC. Each is there once.
func interfaceGroups(t *state.Tables, s arn.Scope, vpcID vpc.ID, asked []string) (ids []vpc.ID, err error) {
	for _, id := range asked {
		g, err := findGroup(t, s, id)
		switch {
		case err != nil:
			return nil, err
		case g.VpcID != vpcID:
			return nil, apierr.New("InvalidGroup.NotFound", "You have specified two resources that belong to different networks.")
		case !slices.Contains(ids, id):
			ids = append(ids, id)
		}
	}
	if len(ids) > mostInterfaceGroups {
		return nil, apierr.New("SecurityGroupsPerInterfaceLimitExceeded", "The maximum number of security groups per interface has been reached.")
	}
	return ids, nil
}

// interfaceDescription checks a network interface's description.
func interfaceDescription(text string) error {
	if len(text) > 255 {
		return invalid("Value (%.64s) for parameter description is invalid. It can be at most 255 characters long.", text)
	}
	return nil
}
