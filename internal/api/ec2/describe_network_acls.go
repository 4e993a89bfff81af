package ec2

import (
	"context"
	"iter"
	"strconv"

	"berth/internal/apierr"
	"berth/internal/arn"
	"berth/internal/frontdoor"
	"berth/internal/state"
	"berth/internal/vpc"
)

// networkACLOperations are the operations on network ACLs.
func (a *API) networkACLOperations() []frontdoor.Operation {
	return []frontdoor.Operation{operation(a, "DescribeNetworkAcls", a.describeNetworkAcls)}
}

type describeNetworkAclsInput struct {
	DryRun        *bool
	Filters       []Filter `json:"Filter"`
	MaxResults    *int32
	NetworkAclIds []string `json:"NetworkAclId"`
	NextToken     *string
}

type describeNetworkAclsOutput struct {
	NetworkAcls []shownNetworkACL `json:"networkAclSet"`
	NextToken   *string
}

type shownNetworkACL struct {
	AssociationSet []shownACLAssociation
	Default        bool
	EntrySet       []shownACLEntry
	NetworkAclId   string
	OwnerId        string
	TagSet         []Tag
	VpcId          string
}

type shownACLAssociation struct{ NetworkAclAssociationId, NetworkAclId, SubnetId string }

type shownACLEntry struct {
	CidrBlock  string
	Egress     bool
	Protocol   string
	RuleAction string
	RuleNumber int32
}

// The last entry of a network ACL denies all that no other has allowed.
const lastEntry = 32767

// networkACL is a VPC's default network ACL, the only one that it has.
type networkACL struct{ *vpc.VPC }

// ID is acl-...
func (n networkACL) ID() vpc.ID { return n.NetworkACLID }

// describeNetworkAcls shows the default network ACL of each VPC, which lets everything through.
func (a *API) describeNetworkAcls(_ context.Context, r *frontdoor.Request, in *describeNetworkAclsInput) (*describeNetworkAclsOutput, error) {
	list, next, err := described[networkACL, shownNetworkACL]{
		filters: `association.association-id association.network-acl-id association.subnet-id default entry.cidr entry.egress entry.icmp.code entry.icmp.type
			entry.ipv6-cidr entry.port-range.from entry.port-range.to entry.protocol entry.rule-action entry.rule-number network-acl-id owner-id vpc-id`,
		kind: vpc.KindVPC, find: findNetworkACL, facts: networkACLFacts, show: showNetworkACL, rows: networkACLs,
	}.page(a.store.View().Tables, r.Scope, asked{in.Filters, in.NetworkAclIds, in.MaxResults, in.NextToken})
	if err != nil {
		return nil, err
	}
	return &describeNetworkAclsOutput{NetworkAcls: list, NextToken: next}, nil
}

func networkACLs(t *state.Tables, prefix, start string) iter.Seq[networkACL] {
	return func(yield func(networkACL) bool) {
		for v := range t.VPCs.Under(prefix, start) {
			if !yield(networkACL{v}) {
				return
			}
		}
	}
}

// findNetworkACL finds the network ACL that a request names.
func findNetworkACL(t *state.Tables, s arn.Scope, id string) (networkACL, error) {
	if err := wellFormed("acl-", "NetworkAclID", id); err != nil {
		return networkACL{}, err
	}
	for v := range vpcs(t, s) {
		if v.NetworkACLID == id {
			return networkACL{v}, nil
		}
	}
	return networkACL{}, apierr.New("InvalidNetworkAclID.NotFound", "The networkAcl ID '%s' does not exist", id)
}

func showNetworkACL(t *state.Tables, s arn.Scope, n networkACL) shownNetworkACL {
	out := shownNetworkACL{
		AssociationSet: []shownACLAssociation{}, Default: true, NetworkAclId: n.ID(), OwnerId: s.Account, TagSet: []Tag{}, VpcId: n.VPC.ID(),
	}
	for _, egress := range []bool{true, false} {
		out.EntrySet = append(out.EntrySet, shownACLEntry{"0.0.0.0/0", egress, "-1", "allow", 100}, shownACLEntry{"0.0.0.0/0", egress, "-1", "deny", lastEntry})
	}
	for sub := range subnetsOf(t, s, n.VPC.ID()) {
		out.AssociationSet = append(out.AssociationSet, shownACLAssociation{sub.NetworkACLAssociation, n.ID(), sub.ID()})
	}
	return out
}

func networkACLFacts(t *state.Tables, s arn.Scope, n networkACL) facts {
	acl := showNetworkACL(t, s, n)
	f := facts{"default": flag(true), "network-acl-id": {acl.NetworkAclId}, "owner-id": {s.Account}, "vpc-id": {acl.VpcId}}
	for _, a := range acl.AssociationSet {
		f.add("association.association-id", a.NetworkAclAssociationId)
		f.add("association.network-acl-id", a.NetworkAclId)
		f.add("association.subnet-id", a.SubnetId)
	}
	for _, e := range acl.EntrySet {
		f.add("entry.cidr", e.CidrBlock)
		f.add("entry.egress", flag(e.Egress)[0])
		f.add("entry.protocol", e.Protocol)
		f.add("entry.rule-action", e.RuleAction)
		f.add("entry.rule-number", strconv.Itoa(int(e.RuleNumber)))
	}
	return f.tagged(nil)
}
