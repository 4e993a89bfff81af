package vpc

import "strings"

// InternalDomain is the domain of the private DNS names of a region.
func InternalDomain(region string) string {
	if region == "us-east-1" {
		return "ec2.internal"
	}
	return region + ".compute.internal"
}

// PrivateDNSName is the name that an address has in its VPC: ip-10-0-0-5.ec2.internal.
func PrivateDNSName(region, address string) string {
	return "ip-" + strings.ReplaceAll(address, ".", "-") + "." + InternalDomain(region)
}
