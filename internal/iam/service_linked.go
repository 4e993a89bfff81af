package iam

import (
	"strings"
	"time"
)

// ServiceLinked is a role that a service has in an account: only the service may use it and nobody may change it.
type ServiceLinked struct {
	Service     string // "ecs.amazonaws.com"
	Name        string // of the role, to which a suffix is added where the service allows one
	Policy      string // name of AWS's managed policy for it
	Description string
	Suffix      bool // whether an account may have several, told apart by a suffix
}

// serviceLinked are those of the services around ECS.
var serviceLinked = []ServiceLinked{
	{Service: "ecs.amazonaws.com", Name: "AWSServiceRoleForECS", Policy: "AmazonECSServiceRolePolicy",
		Description: "Role to enable Amazon ECS to manage your cluster."},
	{Service: "elasticloadbalancing.amazonaws.com", Name: "AWSServiceRoleForElasticLoadBalancing", Policy: "AWSElasticLoadBalancingServiceRolePolicy",
		Description: "Allows ELB to call AWS services on your behalf."},
	{Service: "autoscaling.amazonaws.com", Name: "AWSServiceRoleForAutoScaling", Policy: "AutoScalingServiceRolePolicy", Suffix: true,
		Description: "Default Service-Linked Role enables access to AWS Services and Resources used or managed by Auto Scaling"},
	{Service: "ecs.application-autoscaling.amazonaws.com", Name: "AWSServiceRoleForApplicationAutoScaling_ECSService",
		Policy: "AWSApplicationAutoscalingECSServicePolicy"},
}

// ServiceLinkedFor is a service's role; false for a service that has none here.
func ServiceLinkedFor(service string) (ServiceLinked, bool) {
	for _, s := range serviceLinked {
		if s.Service == service {
			return s, true
		}
	}
	return ServiceLinked{}, false
}

// Path is the path of the service's roles.
func (s ServiceLinked) Path() string { return ServiceLinkedPath + s.Service + "/" }

// RoleName is the name of the role with a suffix, "" for none.
func (s ServiceLinked) RoleName(suffix string) string {
	if suffix == "" {
		return s.Name
	}
	return s.Name + "_" + suffix
}

// Role is the service's role in an account; id begins with AROA.
func (s ServiceLinked) Role(account, id, suffix string, at time.Time) *Role {
	return &Role{
		Entity: Entity{
			Account: account, Name: s.RoleName(suffix), ID: id, Path: s.Path(), CreateDate: at,
			Attached: []string{"arn:aws:iam::aws:policy" + ServiceLinkedPath + s.Policy},
		},
		Trust:       `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":["` + s.Service + `"]},"Action":["sts:AssumeRole"]}]}`,
		Description: s.Description, MaxSession: 3600,
	}
}

// LinkedService is the service whose a role is, "" for a role that is no service's.
func (r *Role) LinkedService() string {
	rest, is := strings.CutPrefix(r.Path, ServiceLinkedPath)
	if !is {
		return ""
	}
	service, _, _ := strings.Cut(rest, "/")
	return service
}
