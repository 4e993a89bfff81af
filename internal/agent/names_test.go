package agent

import (
	"testing"

	"berth/internal/acsproto"
)

func TestNameTexts(t *testing.T) {
	at := []acsproto.IPv4Address{{Primary: true, PrivateAddress: "10.0.1.10"}}
	for _, c := range []struct {
		name string
		e    acsproto.ElasticNetworkInterface
		want NameTexts
	}{
		{"all", acsproto.ElasticNetworkInterface{IPv4Addresses: at, PrivateDNSName: "ip-10-0-1-10.ec2.internal", DomainName: []string{"ec2.internal", "x"},
			DomainNameServers: []string{"10.0.0.2", "10.0.0.3"}},
			NameTexts{localNames + "10.0.1.10\tip-10-0-1-10.ec2.internal ip-10-0-1-10\n", "search ec2.internal x\nnameserver 10.0.0.2\nnameserver 10.0.0.3\n"}},
		{"a VPC without names", acsproto.ElasticNetworkInterface{IPv4Addresses: at}, NameTexts{Hosts: localNames}},
	} {
		if got := nameTexts(c.e); got != c.want {
			t.Errorf("%s:\n%q\nwant\n%q", c.name, got, c.want)
		}
	}
}
