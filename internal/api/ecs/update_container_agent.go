package ecs

import (
	"context"

	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"

	"berth/internal/apierr"
	"berth/internal/frontdoor"
)

// updateContainerAgent finds the container instance and answers what ECS does where there is nothing to update an agent to: a machine's agent
// is replaced on the machine, Berth's by its new binary and the official one by its package.
func (a *API) updateContainerAgent(_ context.Context, r *frontdoor.Request, in *awsecs.UpdateContainerAgentInput) (*awsecs.UpdateContainerAgentOutput, error) {
	i, err := namedInstance(a.store.View().Tables, r, in.Cluster, in.ContainerInstance)
	switch {
	case err != nil:
		return nil, err
	case i.AgentVersion == "":
		return nil, apierr.MissingVersion(i.Key())
	}
	return nil, apierr.NoUpdateAvailable(i.AgentVersion, i.Key())
}
