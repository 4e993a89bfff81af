package ecs

import (
	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"

	"berth/internal/frontdoor"
)

// definitionOperations are the operations on task definitions. AWS asks policies about "*" for most of them.
func (a *API) definitionOperations() []frontdoor.Operation {
	named := func(name func(in any) *string) func(*frontdoor.Request, any) []string {
		return func(r *frontdoor.Request, in any) []string { return a.launchResources(r, name(in)) }
	}
	return []frontdoor.Operation{
		frontdoor.Op("RegisterTaskDefinition", a.registerTaskDefinition),
		frontdoor.Op("DescribeTaskDefinition", a.describeTaskDefinition),
		frontdoor.Op("ListTaskDefinitions", a.listTaskDefinitions),
		frontdoor.Op("ListTaskDefinitionFamilies", a.listTaskDefinitionFamilies),
		frontdoor.Op("DeregisterTaskDefinition", a.deregisterTaskDefinition).On(named(func(in any) *string {
			return in.(*awsecs.DeregisterTaskDefinitionInput).TaskDefinition
		})),
		frontdoor.Op("DeleteTaskDefinitions", a.deleteTaskDefinitions),
	}
}
