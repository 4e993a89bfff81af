package vpc

import (
	"encoding/json"
	"strings"
	"testing"

	"berth/internal/arn"
	"berth/internal/golden"
)

var machineScope = arn.Scope{Partition: "aws", Region: "us-east-1", Account: "123456789012"}

// What a machine is told of a subnet and of a security group. The records are in the golden files; igw-1 is attached to the VPC, nat-1 is available, nat-2
// was deleted.
func TestWhatAMachineIsTold(t *testing.T) {
	golden.Run(t, "testdata/machine/*.txtar", func(t *testing.T, in map[string]string) string {
		var told any
		switch {
		case in["group"] != "":
			g := &SecurityGroup{Arn: ARN(machineScope, KindSecurityGroup, "sg-1"), VpcID: "vpc-1"}
			read(t, in["group"], g)
			told = NetworkGroup(g)
		default:
			s, r := &Subnet{Arn: ARN(machineScope, KindSubnet, "subnet-1"), VpcID: "vpc-1", CidrBlock: "10.0.1.0/24"}, (*RouteTable)(nil)
			if in["routes"] != "" {
				r = &RouteTable{}
				read(t, in["routes"], r)
			}
			told = NetworkSubnet(s, r, func(id ID) bool { return id == "igw-1" }, nats)
		}
		out, err := json.MarshalIndent(told, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		return string(out)
	})
}

func nats(id ID) *NATGateway {
	switch id {
	case "nat-1":
		return &NATGateway{State: "available", PublicIP: "198.18.0.9"}
	case "nat-2":
		return &NATGateway{State: "deleted", PublicIP: "198.18.0.10"}
	}
	return nil
}

func read(t *testing.T, text string, record any) {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(record); err != nil {
		t.Fatal(err)
	}
}
