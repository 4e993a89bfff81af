package ec2

import (
	"strings"
	"testing"

	"berth/internal/arn"
)

// A zone has the id that AWS gives it in that region: regions that differ have zones that differ.
func TestZoneIDs(t *testing.T) {
	for region, want := range map[string]string{
		"us-east-1": "use1-az2", "us-west-2": "usw2-az2", "us-gov-west-1": "usgw1-az2", "eu-central-1": "euc1-az2", "ap-south-1": "aps1-az2", "ap-southeast-1": "apse1-az2",
		"ap-southeast-2": "apse2-az2", "ap-northeast-1": "apne1-az2", "cn-north-1": "cnn1-az2", "cn-northwest-1": "cnnw1-az2", "ca-central-1": "cac1-az2", "sa-east-1": "sae1-az2",
		"me-south-1": "mes1-az2", "test": "te-az2",
	} {
		if got := zoneID(arn.Scope{Region: region}, "b"); got != want {
			t.Errorf("%s: %s, want %s", region, got, want)
		}
	}
}

// A new VPC has the account's default DHCP options, with tags or without, and no others that have Amazon's resolver too.
func TestDefaultDHCPOptions(t *testing.T) {
	a := newAccount(t)
	a.must(t, "DescribeVpcs") // dopt-#1
	a.must(t, "CreateTags ResourceId.1=dopt-#1 Tag.1.Key=Name Tag.1.Value=default")
	for range 8 { // their ids are random: some come before the default's
		a.must(t, "CreateDhcpOptions DhcpConfiguration.1.Key=domain-name DhcpConfiguration.1.Value.1=shop DhcpConfiguration.2.Key=domain-name-servers DhcpConfiguration.2.Value.1=AmazonProvidedDNS")
	}
	if vpc := a.must(t, "CreateVpc CidrBlock=10.0.0.0/16"); !strings.Contains(vpc, "<dhcpOptionsId>dopt-#1<") {
		t.Errorf("a new VPC: %s", vpc)
	}
}
