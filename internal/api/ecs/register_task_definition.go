package ecs

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/ecs"
	"berth/internal/frontdoor"
	"berth/internal/state"
)

// registerTaskDefinition makes the next revision of a family. Every call makes one, also with equal contents, as on AWS.
func (a *API) registerTaskDefinition(ctx context.Context, r *frontdoor.Request, in *awsecs.RegisterTaskDefinitionInput) (*awsecs.RegisterTaskDefinitionOutput, error) {
	if err := validateDefinition(r, in); err != nil {
		return nil, err
	}
	def := newDefinition(in)
	at := now()
	def.RegisteredAt, def.RegisteredBy, def.Status = &at, aws.String(r.Caller.ARN), types.TaskDefinitionStatusActive
	var stored *ecs.TaskDefinition
	err := a.store.Update(ctx, func(tx *state.Tx) error {
		key := ecs.FamilyKey(r.Scope, *in.Family)
		family := ecs.Family{Scope: key}
		if f := tx.Families.Get(key); f != nil {
			family = *f
		}
		family.LastRevision++
		d := def
		d.Revision = int32(family.LastRevision)
		d.TaskDefinitionArn = aws.String(string(r.Scope.TaskDefinition(*in.Family, family.LastRevision)))
		stored = &ecs.TaskDefinition{Definition: d, Tags: in.Tags}
		tx.Put(&family)
		tx.Put(stored)
		return nil
	})
	if err != nil {
		return nil, err
	}
	out := &awsecs.RegisterTaskDefinitionOutput{TaskDefinition: &stored.Definition}
	if len(in.Tags) > 0 {
		out.Tags = in.Tags
	}
	return out, nil
}

// newDefinition is the request's definition with AWS's defaults filled in, and what follows from it.
func newDefinition(in *awsecs.RegisterTaskDefinitionInput) types.TaskDefinition {
	d := types.TaskDefinition{
		Family: in.Family, TaskRoleArn: in.TaskRoleArn, ExecutionRoleArn: in.ExecutionRoleArn, NetworkMode: in.NetworkMode,
		Cpu: in.Cpu, Memory: in.Memory, RequiresCompatibilities: in.RequiresCompatibilities, RuntimePlatform: in.RuntimePlatform,
		EphemeralStorage: in.EphemeralStorage, ProxyConfiguration: in.ProxyConfiguration, PidMode: in.PidMode, IpcMode: in.IpcMode,
		EnableFaultInjection: in.EnableFaultInjection,
		Volumes:              orEmpty(in.Volumes), PlacementConstraints: orEmpty(in.PlacementConstraints),
	}
	if d.Cpu != nil {
		d.Cpu = numberView(aws.Int32(int32(ecs.CPUUnits(*d.Cpu))))
	}
	if d.Memory != nil {
		d.Memory = numberView(aws.Int32(int32(ecs.MemoryMiB(*d.Memory))))
	}
	for _, c := range in.ContainerDefinitions {
		d.ContainerDefinitions = append(d.ContainerDefinitions, withDefaults(c, in.NetworkMode))
	}
	d.Compatibilities = compatibilities(in)
	d.RequiresAttributes = requiredAttributes(in)
	return d
}

// withDefaults fills in what AWS fills in (shapes.md section 4). The request's own slices are not changed.
func withDefaults(c types.ContainerDefinition, mode types.NetworkMode) types.ContainerDefinition {
	if c.Essential == nil {
		c.Essential = aws.Bool(true)
	}
	mappings := make([]types.PortMapping, len(c.PortMappings))
	for i, m := range c.PortMappings {
		if m.Protocol == "" {
			m.Protocol = types.TransportProtocolTcp
		}
		if m.HostPort == nil && m.ContainerPort != nil {
			m.HostPort = aws.Int32(0)
			if mode == types.NetworkModeAwsvpc || mode == types.NetworkModeHost {
				m.HostPort = m.ContainerPort
			}
		}
		mappings[i] = m
	}
	c.PortMappings = mappings
	c.Environment, c.MountPoints = orEmpty(c.Environment), orEmpty(c.MountPoints)
	c.VolumesFrom, c.SystemControls = orEmpty(c.VolumesFrom), orEmpty(c.SystemControls)
	if h := c.HealthCheck; h != nil {
		check := *h
		check.Interval, check.Timeout, check.Retries = override(h.Interval, aws.Int32(30)), override(h.Timeout, aws.Int32(5)), override(h.Retries, aws.Int32(3))
		c.HealthCheck = &check
	}
	return c
}

// compatibilities are the launch types that the definition can be used with, as AWS derives them.
func compatibilities(in *awsecs.RegisterTaskDefinitionInput) []types.Compatibility {
	switch in.NetworkMode {
	case types.NetworkModeAwsvpc:
		if in.Cpu != nil && in.Memory != nil && fargateSize(ecs.CPUUnits(*in.Cpu), ecs.MemoryMiB(*in.Memory)) {
			return []types.Compatibility{types.CompatibilityEc2, types.CompatibilityFargate, types.CompatibilityManagedInstances}
		}
		return []types.Compatibility{types.CompatibilityEc2}
	case types.NetworkModeHost:
		return []types.Compatibility{types.CompatibilityEc2}
	}
	if in.RuntimePlatform != nil {
		return []types.Compatibility{types.CompatibilityEc2}
	}
	return []types.Compatibility{types.CompatibilityExternal, types.CompatibilityEc2}
}

// fargateSize reports whether Fargate has tasks of that size (errors.md 1.1).
func fargateSize(cpu, mib int) bool {
	within := func(low, high, step int) bool { return mib >= low && mib <= high && mib%step == 0 }
	switch cpu {
	case 256:
		return mib == 512 || mib == 1024 || mib == 2048
	case 512:
		return within(1024, 4096, 1024)
	case 1024:
		return within(2048, 8192, 1024)
	case 2048:
		return within(4096, 16384, 1024)
	case 4096:
		return within(8192, 30720, 1024)
	case 8192:
		return within(16384, 61440, 4096)
	case 16384:
		return within(32768, 122880, 8192)
	}
	return false
}
