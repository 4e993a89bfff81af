package ec2

import (
	"iter"

	"berth/internal/arn"
	"berth/internal/frontdoor"
	"berth/internal/state"
	"berth/internal/vpc"
)

// internetGatewayOperations are the operations on internet gateways.
func (a *API) internetGatewayOperations() []frontdoor.Operation {
	return []frontdoor.Operation{
		operation(a, "AttachInternetGateway", a.attachInternetGateway),
		operation(a, "CreateInternetGateway", a.createInternetGateway),
		operation(a, "DeleteInternetGateway", a.deleteInternetGateway),
		operation(a, "DescribeInternetGateways", a.describeInternetGateways),
		operation(a, "DetachInternetGateway", a.detachInternetGateway),
	}
}

type shownInternetGateway struct {
	AttachmentSet     []shownGatewayAttachment
	InternetGatewayId string
	OwnerId           string
	TagSet            []Tag
}

type shownGatewayAttachment struct{ State, VpcId string }

func showInternetGateway(_ *state.Tables, s arn.Scope, g *vpc.InternetGateway) shownInternetGateway {
	out := shownInternetGateway{AttachmentSet: []shownGatewayAttachment{}, InternetGatewayId: g.ID(), OwnerId: s.Account, TagSet: shown(g.Tags)}
	if g.VpcID != "" {
		out.AttachmentSet = append(out.AttachmentSet, shownGatewayAttachment{"available", g.VpcID})
	}
	return out
}

// findInternetGateway finds the internet gateway that a request names.
func findInternetGateway(t *state.Tables, s arn.Scope, id string) (*vpc.InternetGateway, error) {
	if err := wellFormed("igw-", "InternetGatewayId", id); err != nil {
		return nil, err
	}
	g := t.InternetGateways.Get(vpc.ARN(s, vpc.KindInternetGateway, id))
	if g == nil {
		return nil, notFound("InternetGatewayID", "internetGateway ID", id)
	}
	return g, nil
}

// namedInternetGateway finds the internet gateway in a parameter that a request must have.
func namedInternetGateway(t *state.Tables, s arn.Scope, id *string) (*vpc.InternetGateway, error) {
	if text(id) == "" {
		return nil, missing("internetGatewayId")
	}
	return findInternetGateway(t, s, *id)
}

func internetGateways(t *state.Tables, s arn.Scope) iter.Seq[*vpc.InternetGateway] {
	return t.InternetGateways.Under(vpc.Prefix(s, vpc.KindInternetGateway), "")
}

// attachedGateway is the internet gateway that is attached to a VPC, nil if there is none.
func attachedGateway(t *state.Tables, s arn.Scope, id vpc.ID) *vpc.InternetGateway {
	for g := range internetGateways(t, s) {
		if g.VpcID == id {
			return g
		}
	}
	return nil
}
