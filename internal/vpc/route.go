package vpc

import (
	"time"

	"berth/internal/record"
)

// RouteTable is a route table with its associations. Written by: api/ec2.
type RouteTable struct {
	Arn          string
	VpcID        ID `json:"vpcId"`
	Associations []RouteTableAssociation
	Routes       []Route // beyond those of the VPC's own ranges, which are always there
	Tags         []Tag
	ClientToken  string
	Unknown      Unknown
}

func (*RouteTable) Kind() record.Kind { return KindRouteTable }
func (r *RouteTable) Key() string     { return r.Arn }

// ID is rtb-...
func (r *RouteTable) ID() ID { return idOf(r.Arn) }

// Main reports whether it is its VPC's main route table.
func (r *RouteTable) Main() bool {
	for _, a := range r.Associations {
		if a.Main {
			return true
		}
	}
	return false
}

// RouteTableAssociation makes a table that of a subnet, or of all subnets that have none of their own.
type RouteTableAssociation struct {
	ID       ID `json:"routeTableAssociationId"` // rtbassoc-...
	SubnetID ID `json:"subnetId"`
	Main     bool
}

// Route is a route of a route table, with one target.
type Route struct {
	Destination string `json:"destinationCidrBlock"`
	GatewayID   ID     `json:"gatewayId"`
	NATGateway  ID     `json:"natGatewayId"`
}

// InternetGateway is an internet gateway. Written by: api/ec2.
type InternetGateway struct {
	Arn     string
	VpcID   ID `json:"vpcId"` // that it is attached to
	Tags    []Tag
	Unknown Unknown
}

func (*InternetGateway) Kind() record.Kind { return KindInternetGateway }
func (g *InternetGateway) Key() string     { return g.Arn }

// ID is igw-...
func (g *InternetGateway) ID() ID { return idOf(g.Arn) }

// NATGateway is a NAT gateway. Written by: api/ec2. A deleted one is shown for an hour, and goes with a later one that is deleted.
type NATGateway struct {
	Arn              string
	VpcID            ID     `json:"vpcId"`
	SubnetID         ID     `json:"subnetId"`
	ConnectivityType string // public or private
	InterfaceID      ID     `json:"networkInterfaceId"`
	PrivateIP        string `json:"privateIp"`
	AllocationID     ID     `json:"allocationId"`
	PublicIP         string `json:"publicIp"`
	State            string // available or deleted
	Tags             []Tag
	ClientToken      string
	CreatedAt        time.Time
	DeletedAt        *time.Time
	Unknown          Unknown
}

func (*NATGateway) Kind() record.Kind { return KindNATGateway }
func (g *NATGateway) Key() string     { return g.Arn }

// ID is nat-...
func (g *NATGateway) ID() ID { return idOf(g.Arn) }

// Address is an Elastic IP address. Written by: api/ec2.
type Address struct {
	Arn           string
	PublicIP      string `json:"publicIp"`
	AssociationID ID     `json:"associationId"` // eipassoc-..., "" where it is not associated
	InterfaceID   ID     `json:"networkInterfaceId"`
	PrivateIP     string `json:"privateIpAddress"`
	Tags          []Tag
	Unknown       Unknown
}

func (*Address) Kind() record.Kind { return KindAddress }
func (a *Address) Key() string     { return a.Arn }

// ID is eipalloc-...
func (a *Address) ID() ID { return idOf(a.Arn) }
