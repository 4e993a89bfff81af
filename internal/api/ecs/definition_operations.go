package ecs

import (
	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"

	"berth/internal/frontdoor"
)

// definitionOperations are the operations on task definitions. As on AWS, only their deletion can be allowed for single ones.
func (a *API) definitionOperations() []frontdoor.Operation {
	return []frontdoor.Operation{
		frontdoor.Op("RegisterTaskDefinition", a.registerTaskDefinition).And(a.passesRegistered),
		frontdoor.Op("DescribeTaskDefinition", a.describeTaskDefinition),
		frontdoor.Op("ListTaskDefinitions", a.listTaskDefinitions),
		frontdoor.Op("ListTaskDefinitionFamilies", a.listTaskDefinitionFamilies),
		frontdoor.Op("DeregisterTaskDefinition", a.deregisterTaskDefinition),
		frontdoor.Op("DeleteTaskDefinitions", a.deleteTaskDefinitions).On(func(r *frontdoor.Request, in any) []string {
			return definitionResources(r, in.(*awsecs.DeleteTaskDefinitionsInput).TaskDefinitions)
		}),
	}
}

// definitionResources are the ARNs of the revisions that a request names. What is no identifier of one is asked about as it stands.
func definitionResources(r *frontdoor.Request, names []string) []string {
	return texts(names, func(name string) string {
		d, err := parseDefinition(r, name)
		if err != nil || d.revision == 0 {
			return name
		}
		return string(d.scope.TaskDefinition(d.family, d.revision))
	})
}
