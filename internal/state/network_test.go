package state

import (
	"fmt"
	"testing"

	"berth/internal/arn"
	"berth/internal/vpc"
)

// Every address of a subnet is given once, from wherever the search begins, and AWS's own never.
func TestFreeAddress(t *testing.T) {
	scope := arn.Scope{Region: "us-east-1", Account: "123456789012"}
	s := &vpc.Subnet{Arn: vpc.ARN(scope, vpc.KindSubnet, "subnet-1"), CidrBlock: "10.0.0.16/28"}
	for from := range uint32(13) {
		tables := newTables()
		given := map[string]bool{}
		for n := range 11 {
			a, ok := tables.Interfaces.FreeAddress(s, from*7)
			if !ok || given[a.String()] || !s.Assignable(a) {
				t.Fatalf("from %d: address %d is %v, %v; given already: %v", from, n, a, ok, given)
			}
			given[a.String()] = true
			tables.put(&vpc.NetworkInterface{Arn: vpc.ARN(scope, vpc.KindNetworkInterface, fmt.Sprint("eni-", n)), SubnetID: "subnet-1", Address: a.String()}, false)
		}
		for _, own := range []string{"10.0.0.16", "10.0.0.17", "10.0.0.18", "10.0.0.19", "10.0.0.31"} {
			if given[own] {
				t.Errorf("%s was given", own)
			}
		}
		if a, ok := tables.Interfaces.FreeAddress(s, from); ok {
			t.Errorf("a full subnet gives %v", a)
		}
	}
}

func BenchmarkFreeAddress(b *testing.B) {
	scope := arn.Scope{Region: "us-east-1", Account: "123456789012"}
	s := &vpc.Subnet{Arn: vpc.ARN(scope, vpc.KindSubnet, "subnet-1"), CidrBlock: "10.0.0.0/18"}
	tables, seed := newTables(), uint32(1)
	take := func() *vpc.NetworkInterface {
		seed = seed*1664525 + 1013904223
		a, _ := tables.Interfaces.FreeAddress(s, seed)
		i := &vpc.NetworkInterface{Arn: vpc.ARN(scope, vpc.KindNetworkInterface, a.String()), SubnetID: "subnet-1", Address: a.String()}
		tables.put(i, false)
		return i
	}
	for range 10_000 {
		take()
	}
	for b.Loop() {
		tables.put(take(), true)
	}
}

// Public addresses are given once, whoever has them.
func TestPublicAddress(t *testing.T) {
	scope := arn.Scope{Region: "us-east-1", Account: "123456789012"}
	tables := newTables()
	first, _ := tables.PublicAddress(vpc.PublicAddresses - 1)
	tables.put(&vpc.Address{Arn: vpc.ARN(scope, vpc.KindAddress, "eipalloc-1"), PublicIP: first.String()}, false)
	second, _ := tables.PublicAddress(vpc.PublicAddresses - 1)
	tables.put(&vpc.NetworkInterface{Arn: vpc.ARN(scope, vpc.KindNetworkInterface, "eni-1"), PublicIP: second.String()}, false)
	third, ok := tables.PublicAddress(vpc.PublicAddresses - 1)
	if got := []string{first.String(), second.String(), third.String()}; !ok || got[0] != "198.19.255.254" || got[1] != "198.18.0.1" || got[2] != "198.18.0.2" {
		t.Errorf("got %v, %v", got, ok)
	}
}
