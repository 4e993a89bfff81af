package ecs

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/ecs"
)

// wrongCapacity are what is wrong with where tasks are to run, in all operations that say it. An operation is asked for the task definition, and for these members.
func wrongCapacity() []struct{ definition, members, code, message string } {
	const (
		fargate  = `"launchType":"FARGATE",`
		mode     = "Network Configuration is not valid for the given networkMode of this task definition."
		provider = "The specified capacity provider strategy cannot contain a capacity provider that is not associated with the cluster. " +
			"Associate the capacity provider 'FARGATE' with the cluster and try again."
		noWeight = "There are no capacity providers in the capacity provider strategy with a weight value greater than zero. " +
			"Specify a weight value greater than zero for at least one of them and try again."
	)
	awsvpc := func(members string) string { return `"networkConfiguration":{"awsvpcConfiguration":{` + members + `}}` }
	ids := func(n int, id string) string {
		return `["` + strings.Join(slices.Repeat([]string{id}, n), `","`) + `"]`
	}
	strategy := func(items string) string { return `"capacityProviderStrategy":[` + items + `],` + in("subnet-a") }
	return []struct{ definition, members, code, message string }{
		{"far", `"startedBy":""`, parameter, "Network Configuration must be provided when networkMode 'awsvpc' is specified."},
		{"web", in("subnet-a"), parameter, mode},
		{"web", `"networkConfiguration":{}`, parameter, mode},
		{"far", `"networkConfiguration":{}`, parameter, "subnets can not be empty."},
		{"far", awsvpc(`"subnets":[]`), parameter, "subnets can not be empty."},
		{"far", awsvpc(`"subnets":` + ids(17, "subnet-a")), parameter, "subnets can have at most 16 items."},
		{"far", awsvpc(`"subnets":["subnet-a"],"securityGroups":` + ids(6, "sg-web")), parameter, "securityGroups can have at most 5 items."},
		{"far", in("subnet-9"), parameter, "Error retrieving subnet information for [subnet-9]: The subnet ID 'subnet-9' does not exist (ErrorCode: InvalidSubnetID.NotFound)"},
		{"far", in(""), parameter, "Error retrieving subnet information for []: The subnet ID '' does not exist (ErrorCode: InvalidSubnetID.NotFound)"},
		{"far", in("subnet-a", "subnet-x"), parameter, "subnets must all be in the same VPC: subnet subnet-x is in vpc-2 and not in vpc-1."},
		{"far", awsvpc(`"subnets":["subnet-a"],"securityGroups":["sg-9"]`), parameter,
			"Error retrieving security group information for [sg-9]: The security group 'sg-9' does not exist (ErrorCode: InvalidGroup.NotFound)"},
		{"far", awsvpc(`"subnets":["subnet-a"],"securityGroups":["sg-x"]`), parameter, "Security group sg-x does not appear to belong to the same VPC as the input subnets."},
		{"far", awsvpc(`"subnets":["subnet-a"],"assignPublicIp":"ENABLED"`), parameter, "Assign public IP is not supported for this launch type."},
		{"far", fargate + awsvpc(`"subnets":["subnet-a"],"assignPublicIp":"YES"`), parameter, "assignPublicIp should be one of [ENABLED,DISABLED], but was 'YES'"},
		{"far", `"platformVersion":"1.4.0",` + in("subnet-a"), parameter, "The platform version must be null when specifying an EC2 launch type."},
		{"far", fargate + `"platformVersion":"9.9",` + in("subnet-a"), "PlatformUnknownException", "The specified platform does not exist."},
		{"far", fargate + `"platformVersion":"1.3.0",` + in("subnet-a"), "PlatformTaskDefinitionIncompatibilityException", "One or more of the requested capabilities are not supported."},
		{"vpc", fargate + in("subnet-a"), parameter, "Task definition does not support launch_type FARGATE."},
		{"web", fargate + in("subnet-a"), parameter, "Task definition does not support launch_type FARGATE."},
		{"far", fargate + strategy(`{"capacityProvider":"FARGATE","weight":1}`), parameter,
			"Specifying both a launch type and capacity provider strategy is not supported. Remove one and try again."},
		{"far", strategy(`{"capacityProvider":"FARGATE","weight":1}`), parameter, provider},
		{"far", strategy(`{"capacityProvider":"FARGATE","base":1}`), parameter, noWeight},
		{"far", strategy(`{"capacityProvider":"FARGATE_SPOT","weight":1001}`), parameter, "The weight of the capacity provider 'FARGATE_SPOT' must be between 0 and 1000."},
		{"far", strategy(`{"capacityProvider":"asg","weight":1}`), parameter, "The specified capacity provider 'asg' was not found. Specify a valid capacity provider and try again."},
	}
}

// without leaves a member out of a request: CreateService and CreateTaskSet have no startedBy.
func without(body, member string) string { return strings.Replace(body, `,"`+member+`":""`, "", 1) }

func TestWrongCapacity(t *testing.T) {
	p := newLaunchPad(t, slices.Concat(shop(), network())...)
	before := p.store.View().N
	for _, c := range wrongCapacity() {
		for operation, body := range map[string]string{
			"RunTask":       `{"cluster":"demo","taskDefinition":%q,%s}`,
			"CreateService": `{"cluster":"demo","serviceName":"new","desiredCount":1,"taskDefinition":%q,%s}`,
			"CreateTaskSet": `{"cluster":"demo","service":"sets","taskDefinition":%q,%s}`,
		} {
			body = fmt.Sprintf(body, c.definition, c.members)
			if operation != "RunTask" {
				body = without(body, "startedBy")
			}
			p.answers(t, operation, body, c.code, c.message)
		}
	}
	if after := p.store.View().N; after != before {
		t.Errorf("wrong requests made commits: %d before, %d after", before, after)
	}
}

// What Fargate does not let a user choose, and sizes that it does not have.
func TestWrongFargateLaunches(t *testing.T) {
	p := newLaunchPad(t, slices.Concat(shop(), network())...)
	const invalid = "InvalidParameterException: "
	run := func(members string) string {
		return `{"cluster":"demo","taskDefinition":"far","launchType":"FARGATE",` + in("subnet-a") + `,` + members + `}`
	}
	override := func(o string) string { return run(`"overrides":{` + o + `}`) }
	container := func(o string) string { return override(`"containerOverrides":[{"name":"web",` + o + `}]`) }
	serve := func(members string) string {
		return `{"cluster":"demo","serviceName":"new","taskDefinition":"far","launchType":"FARGATE",` + in("subnet-a") + `,` + members + `}`
	}
	size := func(cpu, memory string) string {
		return invalid + "No Fargate configuration exists for given values: " + cpu + " CPU, " + memory + " memory. See the Amazon ECS documentation for the valid values."
	}
	p.refuse(t, []wrong{
		{"RunTask", run(`"placementConstraints":[{"type":"distinctInstance"}]`), invalid + "Placement constraints are not supported with FARGATE launch type."},
		{"RunTask", run(`"placementStrategy":[{"type":"random"}]`), invalid + "Placement strategies are not supported with FARGATE launch type."},
		{"RunTask", override(`"cpu":"300"`), size("300", "512")},
		{"RunTask", override(`"memory":"4096"`), size("256", "4096")},
		{"RunTask", override(`"cpu":"1 vCPU","memory":"1 GB"`), size("1024", "1024")},
		{"RunTask", override(`"ephemeralStorage":{"sizeInGiB":20}`), invalid + "EphemeralStorage size should be at least 21"},
		{"RunTask", override(`"ephemeralStorage":{"sizeInGiB":201}`), invalid + "EphemeralStorage size should be at most 200"},
		{"RunTask", override(`"ephemeralStorage":{}`), invalid + "EphemeralStorage size should be at least 21"},
		{"RunTask", container(`"cpu":257`), invalid + "The sum of all container 'cpu' values cannot be greater than the task-level 'cpu' value: 257 is more than 256."},
		{"RunTask", container(`"memory":513`), invalid + "The 'memory' setting for container 'web' is greater than for the task."},
		{"RunTask", container(`"resourceRequirements":[{"type":"GPU","value":"1"}]`), invalid + "Fargate compatible task definitions do not support resourceRequirements"},
		{"StartTask", `{"cluster":"demo","taskDefinition":"far","containerInstances":["e1"]}`, invalid + "Network Configuration must be provided when networkMode 'awsvpc' is specified."},
		{"StartTask", `{"cluster":"demo","taskDefinition":"far","containerInstances":["e1"],` + in("subnet-9") + `}`, invalid + "Error retrieving subnet information for [subnet-9]"},
		{"StartTask", `{"cluster":"demo","taskDefinition":"far","containerInstances":["e1"],` + in("subnet-a") + `,"overrides":{"ephemeralStorage":{"sizeInGiB":30}}}`,
			invalid + "Tasks using the EC2 launch type do not support EphemeralStorage"},
		{"CreateService", serve(`"desiredCount":1,"placementConstraints":[{"type":"distinctInstance"}]`), invalid + "Placement constraints are not supported with FARGATE launch type."},
		{"CreateService", serve(`"desiredCount":1,"placementStrategy":[{"type":"random"}]`), invalid + "Placement strategies are not supported with FARGATE launch type."},
		{"CreateService", serve(`"schedulingStrategy":"DAEMON"`), invalid + "The daemon scheduling strategy does not support the FARGATE launch type."},
		{"CreateService", `{"cluster":"demo","serviceName":"new","deploymentController":{"type":"EXTERNAL"},"platformVersion":"LATEST"}`, invalid + "PlatformVersion must be blank."},
		{"CreateService", `{"cluster":"demo","serviceName":"new","deploymentController":{"type":"EXTERNAL"},"capacityProviderStrategy":[{"capacityProvider":"FARGATE","weight":1}]}`,
			invalid + "CapacityProviderStrategy must be empty or null."},
		{"UpdateService", `{"cluster":"demo","service":"sets","platformVersion":"LATEST"}`, invalid + "Unable to update platform version on services with a EXTERNAL deployment controller."},
		{"UpdateService", `{"cluster":"demo","service":"sets","capacityProviderStrategy":[{"capacityProvider":"FARGATE","weight":1}]}`,
			invalid + "Unable to update capacity provider strategy on services with a EXTERNAL deployment controller."},
	})
}

// What an update of a service on Fargate, or with network interfaces, cannot be.
func TestWrongCapacityUpdates(t *testing.T) {
	p := newLaunchPad(t, slices.Concat(shop(), network())...)
	p.must(t, "CreateService", `{"cluster":"demo","serviceName":"far","taskDefinition":"far","desiredCount":0,"launchType":"FARGATE",`+in("subnet-a")+`}`)
	p.must(t, "CreateService", `{"cluster":"demo","serviceName":"ec2","taskDefinition":"vpc","desiredCount":0,`+in("subnet-a")+`}`)
	update := func(service, members string) string {
		return `{"cluster":"demo","service":"` + service + `",` + members + `}`
	}
	const (
		invalid = "InvalidParameterException: "
		spot    = `"capacityProviderStrategy":[{"capacityProvider":"FARGATE_SPOT","weight":1}]`
	)
	p.refuse(t, []wrong{
		{"UpdateService", update("far", `"taskDefinition":"vpc"`), invalid + "Task definition does not support launch_type FARGATE."},
		{"UpdateService", update("far", `"taskDefinition":"web"`), invalid + "Task definition does not support launch_type FARGATE."},
		{"UpdateService", update("ec2", `"taskDefinition":"web"`), invalid + "Network Configuration is not valid for the given networkMode of this task definition."},
		{"UpdateService", update("web", `"taskDefinition":"vpc"`), invalid + "Network Configuration must be provided when networkMode 'awsvpc' is specified."},
		{"UpdateService", update("far", in("subnet-a", "subnet-x")), invalid + "subnets must all be in the same VPC"},
		{"UpdateService", update("ec2", `"networkConfiguration":{"awsvpcConfiguration":{"subnets":["subnet-a"],"assignPublicIp":"ENABLED"}}`),
			invalid + "Assign public IP is not supported for this launch type."},
		{"UpdateService", update("ec2", `"platformVersion":"LATEST"`), invalid + "The platform version must be null when specifying an EC2 launch type."},
		{"UpdateService", update("far", `"platformVersion":"none"`), "PlatformUnknownException: The specified platform does not exist."},
		{"UpdateService", update("far", spot), invalid + "When switching from launch type to capacity provider strategy on an existing service"},
		{"UpdateService", update("far", `"forceNewDeployment":true,`+spot), invalid + "The specified capacity provider strategy cannot contain a capacity provider that is not associated"},
		{"UpdateService", update("far", `"placementStrategy":[{"type":"random"}],"forceNewDeployment":true`), invalid + "Placement strategies are not supported with FARGATE launch type."},
		{"UpdateService", update("far", `"placementStrategy":[{"type":"random"}]`), invalid + "Placement strategies are not supported with FARGATE launch type."},
		{"UpdateService", update("far", `"placementConstraints":[{"type":"distinctInstance"}]`), invalid + "Placement constraints are not supported with FARGATE launch type."},
	})
}

// A DAEMON service is not on Fargate by the cluster's default strategy either.
func TestNoDaemonByDefaultStrategy(t *testing.T) {
	p := newLaunchPad(t, slices.Concat(shop(), network(), []ecs.Record{&ecs.Cluster{
		ClusterArn: padScope.Cluster("far"), Status: ecs.Active, CapacityProviders: []string{ecs.ProviderFargate},
		DefaultCapacityProviderStrategy: []types.CapacityProviderStrategyItem{{CapacityProvider: aws.String(ecs.ProviderFargate), Weight: 1}},
	}})...)
	const daemon = `{"cluster":"far","serviceName":"d","taskDefinition":"far","schedulingStrategy":"DAEMON",`
	p.answers(t, "CreateService", daemon+in("subnet-a")+`}`, parameter, "The daemon scheduling strategy does not support the FARGATE launch type.")
	p.must(t, "CreateService", daemon+`"launchType":"EC2",`+in("subnet-a")+`}`)
}

// A capacity provider cannot be removed while a service, an old deployment of one or a task has it.
func TestProvidersInUse(t *testing.T) {
	const (
		both   = `{"cluster":"demo","capacityProviders":["FARGATE","FARGATE_SPOT"],"defaultCapacityProviderStrategy":[]}`
		one    = `{"cluster":"demo","capacityProviders":["FARGATE"],"defaultCapacityProviderStrategy":[]}`
		spot   = `"capacityProviderStrategy":[{"capacityProvider":"FARGATE_SPOT","weight":1}]`
		inUse  = "The specified capacity provider is in use and cannot be removed."
		create = `{"cluster":"demo","serviceName":"s","taskDefinition":"far","desiredCount":0,` + spot + `,`
	)
	p := newLaunchPad(t, network()...)
	p.must(t, "PutClusterCapacityProviders", both)
	p.must(t, "CreateService", create+in("subnet-a")+`}`)
	p.answers(t, "PutClusterCapacityProviders", one, "ResourceInUseException", inUse)
	p.must(t, "DeleteService", `{"cluster":"demo","service":"s","force":true}`)
	p.answers(t, "PutClusterCapacityProviders", one, "ResourceInUseException", inUse) // it is DRAINING
	p.must(t, "PutClusterCapacityProviders", both)

	p = newLaunchPad(t, network()...)
	p.must(t, "PutClusterCapacityProviders", both)
	p.must(t, "RunTask", `{"cluster":"demo","taskDefinition":"far",`+spot+`,`+in("subnet-b")+`}`)
	p.answers(t, "PutClusterCapacityProviders", one, "ResourceInUseException", inUse)
	p.must(t, "StopTask", `{"cluster":"demo","task":"`+p.tasks()[0].TaskArn.ID()+`"}`) // it has waited, so it has stopped
	p.must(t, "PutClusterCapacityProviders", one)
}

func TestWrongCapacityProviderRequests(t *testing.T) {
	refuses(t, []badRequest{
		{"DescribeCapacityProviders", `{"include":["ALL"]}`, parameter, "include should be one of [TAGS]"},
		{"DescribeCapacityProviders", `{"maxResults":11}`, parameter, "maxResults must be between 1 and 10."},
		{"DescribeCapacityProviders", `{"cluster":"nobody"}`, "ClusterNotFoundException", "Cluster not found."},
		{"DescribeCapacityProviders", `{"capacityProviders":[""]}`, parameter, "Capacity provider can not be blank."},
		{"DescribeCapacityProviders", `{"capacityProviders":["arn:aws:ecs:us-east-1:123456789012:cluster/demo"]}`, parameter,
			"Invalid identifier: Identifier is for a cluster. The request needs a capacity provider"},
		{"DescribeCapacityProviders", `{"capacityProviders":["arn:aws:ecs:us-east-1:210987654321:capacity-provider/FARGATE"]}`, parameter,
			"Invalid identifier: Identifier is for 210987654321. Your accountId is 123456789012"},
	})
}
