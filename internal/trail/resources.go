package trail

import (
	"slices"
	"strings"

	"berth/internal/frontdoor"
)

// resources are what policies were asked about, and the tasks that were started, each once.
func resources(r *frontdoor.Request) (list []Resource) {
	add := func(arn string) {
		if arn == "*" || slices.ContainsFunc(list, func(x Resource) bool { return x.ARN == arn }) {
			return
		}
		if one, ok := resource(arn); ok {
			list = append(list, one)
		}
	}
	for _, d := range r.Decisions {
		add(d.Resource)
	}
	for _, t := range r.Tasks {
		add(string(t))
	}
	return list
}

// resource is an ARN with its account and type, "" for a kind that has none here; false for what is no ARN.
func resource(arn string) (Resource, bool) {
	p := strings.SplitN(arn, ":", 6)
	if len(p) < 6 {
		return Resource{}, false
	}
	kind := p[5]
	if i := strings.IndexAny(kind, "/:"); i >= 0 {
		kind = kind[:i]
	}
	return Resource{ARN: arn, AccountID: p[4], Type: typeOf(p[2], kind)}, true
}

// typeOf is CloudFormation's name of a kind of resource.
func typeOf(service, kind string) string {
	switch service + ":" + kind {
	case "ecs:cluster":
		return "AWS::ECS::Cluster"
	case "ecs:service":
		return "AWS::ECS::Service"
	case "ecs:task":
		return "AWS::ECS::Task"
	case "ecs:task-definition":
		return "AWS::ECS::TaskDefinition"
	case "ecs:task-set":
		return "AWS::ECS::TaskSet"
	case "ecs:container-instance":
		return "AWS::ECS::ContainerInstance"
	case "iam:role":
		return "AWS::IAM::Role"
	case "iam:user":
		return "AWS::IAM::User"
	case "iam:group":
		return "AWS::IAM::Group"
	case "iam:policy":
		return "AWS::IAM::ManagedPolicy"
	case "iam:instance-profile":
		return "AWS::IAM::InstanceProfile"
	case "secretsmanager:secret":
		return "AWS::SecretsManager::Secret"
	case "ssm:parameter":
		return "AWS::SSM::Parameter"
	case "logs:log-group":
		return "AWS::Logs::LogGroup"
	case "ecr:repository":
		return "AWS::ECR::Repository"
	case "ec2:vpc":
		return "AWS::EC2::VPC"
	case "ec2:subnet":
		return "AWS::EC2::Subnet"
	case "ec2:security-group":
		return "AWS::EC2::SecurityGroup"
	case "ec2:network-interface":
		return "AWS::EC2::NetworkInterface"
	}
	return ""
}
