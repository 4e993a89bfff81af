package ecs

import (
	"context"
	"slices"

	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/access"
	"berth/internal/apierr"
	"berth/internal/arn"
	"berth/internal/ecs"
	"berth/internal/frontdoor"
	"berth/internal/launch"
	"berth/internal/state"
)

// registration is the request of RegisterContainerInstance: the SDK's shape, and the clientToken that agents send and the shape lacks.
type registration struct {
	Attributes                        []types.Attribute
	ClientToken                       *string
	Cluster                           *string
	ContainerInstanceArn              *string
	InstanceIdentityDocument          *string
	InstanceIdentityDocumentSignature *string
	PlatformDevices                   []types.PlatformDevice
	Tags                              []types.Tag
	TotalResources                    []types.Resource
	VersionInfo                       *types.VersionInfo
}

// registerContainerInstance takes in an agent's machine: a new container instance, or one that registered before and may have changed. The
// same clientToken, and the same container instance's credential, are the same instance.
func (a *API) registerContainerInstance(ctx context.Context, r *frontdoor.Request, in *registration) (
	*awsecs.RegisterContainerInstanceOutput, error,
) {
	m, err := in.machine()
	if err != nil {
		return nil, err
	}
	id := launch.NewID()
	var out types.ContainerInstance
	err = a.store.Update(ctx, func(tx *state.Tx) error {
		c, err := cluster(tx.Tables, r, in.Cluster)
		if err != nil {
			return err
		}
		if err := authorizeTags(tx.Tables, r, in.Tags, newInstancesOf(c)); err != nil {
			return err
		}
		k, err := machineCredential(tx.Tables, r, c.ClusterArn)
		if err != nil {
			return err
		}
		before, err := registeredBefore(tx.Tables, r, c.ClusterArn, k, in)
		if err != nil {
			return err
		}
		if before == nil {
			if err := a.roomForInstance(tx.Tables, c.ClusterArn); err != nil {
				return err
			}
		}
		m := m // an update may run again
		if k != nil && k.Cluster == access.AnyCluster {
			m.external, m.identity.InstanceID = true, k.AccessKeyID
		}
		i, err := m.register(before, c.ClusterArn.Instance(id), r, in)
		if err != nil {
			return err
		}
		if k == nil && before == nil {
			i.Registrar = r.Caller.Stem()
		}
		tx.Put(i)
		access.Bind(tx, k, &r.Caller, i.ContainerInstanceArn)
		out = instanceView(tx.Tables, i, true)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &awsecs.RegisterContainerInstanceOutput{ContainerInstance: &out}, nil
}

// machine is what a registration says, checked.
type machine struct {
	resources ecs.Resources
	identity  identity
	external  bool // it is outside of EC2, and its agent says so
}

func (in *registration) machine() (m machine, err error) {
	if m.resources, err = registeredResources(in.TotalResources); err != nil {
		return m, err
	}
	if m.resources.GPUs, err = registeredGPUs(in.PlatformDevices); err != nil {
		return m, err
	}
	if m.identity, err = parseIdentity(in.InstanceIdentityDocument); err != nil {
		return m, err
	}
	if err := validateAttributes(in.Attributes); err != nil {
		return m, err
	}
	if m.resources.ENIs, err = registeredInterfaces(in.Attributes); err != nil {
		return m, err
	}
	m.external = m.identity.InstanceID == "" && slices.ContainsFunc(in.Attributes, func(a types.Attribute) bool { return text(a.Name) == ecs.AttributeExternal })
	if len(text(in.ClientToken)) > mostToken {
		return m, apierr.InvalidParameter("clientToken can be at most %d characters long.", mostToken)
	}
	return m, validateTags(in.Tags)
}

// machineCredential is the credential of the machine that signed a request, nil where another principal did. A key serves its own cluster only; a managed
// instance is in one cluster at a time.
func machineCredential(t *state.Tables, r *frontdoor.Request, c arn.Cluster) (*ecs.Credential, error) {
	k := access.Machine(t, r.AccessKeyID, &r.Caller)
	switch {
	case k == nil:
		return nil, nil
	case k.Cluster == access.AnyCluster:
		if i := t.Instances.Get(k.Instance); i != nil && i.Status != ecs.Inactive && i.ContainerInstanceArn.Cluster() != c {
			return nil, apierr.ClientException("Managed instance %s is registered as container instance %s. Deregister that first.", k.AccessKeyID, k.Instance)
		}
	case k.Cluster != c:
		return nil, apierr.AccessDenied(r.Caller.ARN, "ecs:RegisterContainerInstance", string(c))
	}
	return k, nil
}

// registeredBefore finds the instance that a request is about, nil for a new one. One that it names must be there, not INACTIVE, and the
// credential's own.
func registeredBefore(t *state.Tables, r *frontdoor.Request, c arn.Cluster, k *ecs.Credential, in *registration) (*ecs.Instance, error) {
	if name := text(in.ContainerInstanceArn); name != "" {
		x, err := instanceARN(c, name)
		if err != nil {
			return nil, err
		}
		i := t.Instances.Get(x)
		if i == nil || i.Status == ecs.Inactive || !access.SpeaksFor(t, r.AccessKeyID, &r.Caller, x) {
			return nil, apierr.ClientException("The container instance is inactive or was not registered by this caller.")
		}
		return i, nil
	}
	if k != nil {
		if i := t.Instances.Get(k.Instance); i != nil && i.Status != ecs.Inactive {
			return i, nil
		}
		return nil, nil
	}
	if token := text(in.ClientToken); token != "" {
		for i := range t.Instances.Under(string(c.Instance("")), "") {
			if i.ClientToken == token && access.SpeaksFor(t, r.AccessKeyID, &r.Caller, i.ContainerInstanceArn) && i.Status != ecs.Inactive {
				return i, nil
			}
		}
	}
	return nil, nil
}

// register is the instance with what the machine has now: before, which stays as it is, changed, or a new one with the given identity. Custom
// attributes, tags and status stay.
func (m *machine) register(before *ecs.Instance, as arn.Instance, r *frontdoor.Request, in *registration) (*ecs.Instance, error) {
	at := now()
	i := &ecs.Instance{
		ContainerInstanceArn: as, Ec2InstanceID: m.identity.InstanceID, Status: ecs.Active, RegisteredAt: at, Tags: orNone(in.Tags),
		AccessKeyID: r.AccessKeyID,
	}
	if before != nil {
		*i = *before
		if err := m.sameKind(before); err != nil {
			return nil, err
		}
		if m.external && !before.External() {
			i.Ec2InstanceID = ""
		}
		if was, _ := before.Attribute(ecs.AttributeInstanceType); was != "" && m.identity.InstanceType != "" && was != m.identity.InstanceType {
			return nil, changedType(before, was)
		}
	}
	if i.Ec2InstanceID == "" {
		i.Ec2InstanceID = ecs.MachineID(as, m.external)
	}
	if !i.Connected {
		i.DisconnectedAt = &at // it is about to connect: until now it is not lost
	}
	i.Registered = m.resources
	i.Attributes = mergeAttributes(i.Attributes, in.Attributes, m.identity.attributes(), m.defaultZone(r))
	i.ClientToken = text(in.ClientToken)
	if v := in.VersionInfo; v != nil {
		i.AgentVersion, i.AgentHash, i.DockerVersion = text(v.AgentVersion), text(v.AgentHash), text(v.DockerVersion)
	}
	i.Version++
	return i, nil
}

// sameKind checks that an external instance stays one, and that no other becomes one. Records of versions that knew no launch type EXTERNAL have
// what the agent said, and not yet the id.
func (m *machine) sameKind(before *ecs.Instance) error {
	_, said := before.Attribute(ecs.AttributeExternal)
	if was := before.External() || said; was != m.external {
		return changedType(before, map[bool]string{true: "EXTERNAL", false: "EC2"}[was])
	}
	return nil
}

// changedType is the error for a machine that is another one than before, in the words by which the official agent gives up.
func changedType(i *ecs.Instance, was string) error {
	return apierr.ClientException("Container instance type changes are not supported. Container instance %s was previously registered as %s.",
		i.ContainerInstanceArn.ID(), was)
}

// defaultZone is the availability zone of a machine that does not say its own: the region's first, or "" for an external one, which is in none.
func (m *machine) defaultZone(r *frontdoor.Request) string {
	if m.external {
		return ""
	}
	return r.Scope.Region + "a"
}
