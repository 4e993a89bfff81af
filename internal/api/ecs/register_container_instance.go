package ecs

import (
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/access"
	"berth/internal/apierr"
	"berth/internal/arn"
	"berth/internal/ecs"
	"berth/internal/frontdoor"
	"berth/internal/state"
)

// registerContainerInstance takes in an agent's instance: a new one, or one that it had registered before (agent-protocol.md 2.1 and 12).
// A repeat by a credential that has registered already is the same instance.
func (a *API) registerContainerInstance(ctx context.Context, r *frontdoor.Request, in *awsecs.RegisterContainerInstanceInput) (*awsecs.RegisterContainerInstanceOutput, error) {
	resources, err := registeredResources(in.TotalResources)
	if err != nil {
		return nil, err
	}
	if err := validateTags(in.Tags); err != nil {
		return nil, err
	}
	for _, at := range in.Attributes {
		if text(at.Name) == "" || len(*at.Name) > 128 || len(text(at.Value)) > 128 {
			return nil, apierr.InvalidParameter("attributes should have a name of 1 to 128 characters and a value of at most 128, but one is '%s'", text(at.Name))
		}
	}
	id := newID()
	var out types.ContainerInstance
	err = a.store.Update(ctx, func(tx *state.Tx) error {
		c, err := cluster(tx.Tables, r, in.Cluster)
		if err != nil {
			return err
		}
		i, credential, err := registering(tx.Tables, r, in, c.ClusterArn, id)
		if err != nil {
			return err
		}
		i.Registered = resources
		i.Attributes = mergedAttributes(i.Attributes, in.Attributes, r.Scope.Region)
		i.Version++
		tx.Put(i)
		if credential != nil && credential.Instance != i.ContainerInstanceArn {
			k := *credential
			k.Instance = i.ContainerInstanceArn
			tx.Put(&k)
		}
		out = instanceView(tx.Tables, i, true)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &awsecs.RegisterContainerInstanceOutput{ContainerInstance: &out}, nil
}

// registering returns a copy of the instance that a request is about, or a new one, and the container instance's credential that signed it
// (nil for any other caller).
func registering(t *state.Tables, r *frontdoor.Request, in *awsecs.RegisterContainerInstanceInput, c arn.Cluster, id string) (*ecs.Instance, *ecs.Credential, error) {
	k := t.Credentials.Get(r.AccessKeyID)
	if k != nil && k.Principal != access.ContainerInstance {
		k = nil
	}
	if named := text(in.ContainerInstanceArn); named != "" {
		x, err := instanceARN(c, named)
		if err != nil {
			return nil, nil, err
		}
		i := t.Instances.Get(x)
		if i == nil || i.Status == ecs.Inactive || k != nil && k.Instance != x {
			return nil, nil, apierr.ClientException("The container instance is inactive or was not registered by this caller.")
		}
		n := *i
		return &n, k, nil
	}
	if before := registeredBefore(t, k); before != nil {
		n := *before
		return &n, k, nil
	}
	i := &ecs.Instance{
		ContainerInstanceArn: c.Instance(id), Ec2InstanceID: instanceID(in, id), Status: ecs.Active, RegisteredAt: now(), Tags: in.Tags,
		AccessKeyID: r.AccessKeyID,
	}
	return i, k, nil
}

// registeredBefore finds the instance that a credential has registered already.
func registeredBefore(t *state.Tables, k *ecs.Credential) *ecs.Instance {
	if k == nil {
		return nil
	}
	if i := t.Instances.Get(k.Instance); i != nil && i.Status != ecs.Inactive {
		return i
	}
	return nil
}

// instanceID is the EC2 instance's id of the identity document, or one made of the container instance's.
func instanceID(in *awsecs.RegisterContainerInstanceInput, id string) string {
	var document struct {
		InstanceID string `json:"instanceId"`
	}
	if json.Unmarshal([]byte(text(in.InstanceIdentityDocument)), &document) == nil && strings.HasPrefix(document.InstanceID, "i-") {
		return document.InstanceID
	}
	return "i-" + id[:17]
}

// mergedAttributes are the capabilities and values that the agent says now, and the custom ones that the instance had. All that were said
// come back, or the agent gives up.
func mergedAttributes(had, said []types.Attribute, region string) []types.Attribute {
	out := slices.Clone(said)
	knows := func(name string) bool {
		return slices.ContainsFunc(out, func(a types.Attribute) bool { return text(a.Name) == name })
	}
	for _, a := range had {
		if n := text(a.Name); !knows(n) && !strings.HasPrefix(n, "ecs.") && !strings.HasPrefix(n, "com.amazonaws.ecs.") {
			out = append(out, a)
		}
	}
	if !knows(ecs.AttributeZone) {
		out = append(out, types.Attribute{Name: new(ecs.AttributeZone), Value: new(region + "a")})
	}
	return out
}

// registeredResources reads what an agent says that its machine has. Ports are those that are taken.
func registeredResources(list []types.Resource) (out ecs.Resources, err error) {
	for _, r := range list {
		switch text(r.Name) {
		case "CPU":
			out.CPUUnits = int(r.IntegerValue)
		case "MEMORY":
			out.MemoryMiB = int(r.IntegerValue)
		case "PORTS":
			out.PortsTCP, err = portSet(r)
		case "PORTS_UDP":
			out.PortsUDP, err = portSet(r)
		}
		if err != nil {
			return out, err
		}
	}
	if out.CPUUnits < 0 || out.MemoryMiB < 0 {
		return out, apierr.InvalidParameter("totalResources must not be negative.")
	}
	return out, nil
}

func portSet(r types.Resource) ([]int32, error) {
	var out []int32
	for _, s := range r.StringSetValue {
		n, err := strconv.ParseUint(s, 10, 16)
		if err != nil {
			return nil, apierr.InvalidParameter("totalResources: '%s' of %s is no port.", s, text(r.Name))
		}
		out = append(out, int32(n))
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}
