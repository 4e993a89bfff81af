package ecs

import (
	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/apierr"
)

// definitionOrder checks dependsOn: known containers, conditions that can be met, and that everything can start: no container needs
// itself, be it through dependsOn, links or volumesFrom.
func definitionOrder(in *awsecs.RegisterTaskDefinitionInput) error {
	for i := range in.ContainerDefinitions {
		c := &in.ContainerDefinitions[i]
		for _, d := range c.DependsOn {
			if err := dependencyFault(*c.Name, d, findContainer(in, text(d.ContainerName))); err != nil {
				return err
			}
		}
	}
	w := startWalk{in: in, state: map[string]walkState{}}
	for i := range in.ContainerDefinitions {
		if err := w.visit(*in.ContainerDefinitions[i].Name); err != nil {
			return err
		}
	}
	return nil
}

// dependencyFault checks one dependency on the container on, which is nil where there is none of that name.
func dependencyFault(container string, d types.ContainerDependency, on *types.ContainerDefinition) error {
	if on == nil {
		return apierr.ClientException("Cannot depend on container %s because it does not exist", text(d.ContainerName))
	}
	if validateEnum("condition", d.Condition) != nil || d.Condition == "" {
		return apierr.ClientException("Invalid 'dependsOn' setting for container '%s': condition should be one of [START,COMPLETE,SUCCESS,HEALTHY].", container)
	}
	ends := d.Condition == types.ContainerConditionSuccess || d.Condition == types.ContainerConditionComplete
	if ends && isEssential(on) {
		return apierr.ClientException("A dependency container with SUCCESS or COMPLETE condition cannot be an essential container")
	}
	if d.Condition == types.ContainerConditionHealthy && on.HealthCheck == nil {
		return apierr.ClientException("A dependency container with HEALTHY condition must have health check configured")
	}
	return nil
}

type walkState int

const (
	walkOpen walkState = iota + 1 // on the way from the start to here
	walkDone
)

// startWalk goes from a container to those that must start before it.
type startWalk struct {
	in    *awsecs.RegisterTaskDefinitionInput
	state map[string]walkState
}

func (w startWalk) visit(name string) error {
	switch w.state[name] {
	case walkOpen:
		return apierr.ClientException("Container dependencies must not be a cycle: container '%s' depends on itself.", name)
	case walkDone:
		return nil
	}
	w.state[name] = walkOpen
	for _, before := range startsAfter(findContainer(w.in, name)) {
		if err := w.visit(before); err != nil {
			return err
		}
	}
	w.state[name] = walkDone
	return nil
}

// startsAfter are the containers that must be there before c.
func startsAfter(c *types.ContainerDefinition) (names []string) {
	for _, d := range c.DependsOn {
		names = append(names, text(d.ContainerName))
	}
	for _, l := range c.Links {
		names = append(names, linked(l))
	}
	for _, v := range c.VolumesFrom {
		names = append(names, text(v.SourceContainer))
	}
	return names
}
