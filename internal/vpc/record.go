// Package vpc holds the records of the VPC: VPCs, subnets, security groups, network interfaces, route tables and gateways, and the rules about one
// record. Field names are those of EC2's API in lower camel case. Pure.
package vpc

import (
	"strings"

	"berth/internal/arn"
	"berth/internal/awswire"
	"berth/internal/record"
)

// The kinds of records.
const (
	KindVPC              record.Kind = "vpc"
	KindSubnet           record.Kind = "subnet"
	KindSecurityGroup    record.Kind = "security-group"
	KindNetworkInterface record.Kind = "network-interface"
	KindRouteTable       record.Kind = "route-table"
	KindInternetGateway  record.Kind = "internet-gateway"
	KindNATGateway       record.Kind = "natgateway"
	KindAddress          record.Kind = "elastic-ip"
	KindDHCPOptions      record.Kind = "dhcp-options"
)

// Kinds are all of them.
func Kinds() []record.Kind {
	return []record.Kind{KindVPC, KindSubnet, KindSecurityGroup, KindNetworkInterface, KindRouteTable, KindInternetGateway, KindNATGateway, KindAddress,
		KindDHCPOptions}
}

// New returns an empty record of a kind to decode into, nil for a kind that is not of this package.
func New(k record.Kind) record.Record {
	switch k {
	case KindVPC:
		return &VPC{}
	case KindSubnet:
		return &Subnet{}
	case KindSecurityGroup:
		return &SecurityGroup{}
	case KindNetworkInterface:
		return &NetworkInterface{}
	case KindRouteTable:
		return &RouteTable{}
	case KindInternetGateway:
		return &InternetGateway{}
	case KindNATGateway:
		return &NATGateway{}
	case KindAddress:
		return &Address{}
	case KindDHCPOptions:
		return &DHCPOptions{}
	}
	return nil
}

// Unknown keeps the members of a stored record that this version does not know.
type Unknown = awswire.Unknown

// ID is the id of a resource: vpc-, subnet-, sg-, eni-, rtb-, igw-, nat-, eipalloc- or dopt- with 17 hexadecimal digits.
type ID = string

// ARN is the key of a record: arn:aws:ec2:REGION:ACCOUNT:KIND/ID. Those of one account, region and kind are together.
func ARN(s arn.Scope, k record.Kind, id ID) string { return Prefix(s, k) + id }

// Prefix is what the keys of an account's records of a kind in a region begin with.
func Prefix(s arn.Scope, k record.Kind) string {
	partition := s.Partition
	if partition == "" {
		partition = "aws"
	}
	return "arn:" + partition + ":ec2:" + s.Region + ":" + s.Account + ":" + string(k) + "/"
}

// idOf is the id at the end of a key.
func idOf(key string) ID { return key[strings.LastIndexByte(key, '/')+1:] }

// Tag is a tag of a resource.
type Tag = record.Tag
