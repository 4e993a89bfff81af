package ecs

import (
	"reflect"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/arn"
	"berth/internal/ecs"
	"berth/internal/frontdoor"
	"berth/internal/policy"
	"berth/internal/state"
)

// conditionKeys are ECS's own condition keys of a request, as the Service Authorization Reference lists them: what it names of clusters, services, task
// definitions and container instances, and of what kind its tasks are. They are worked out when a policy asks for one.
func (a *API) conditionKeys(r *frontdoor.Request, in any) policy.Context {
	return policy.Func(func(key string) []string { return a.conditionKey(r, reflect.ValueOf(in).Elem(), key) })
}

func (a *API) conditionKey(r *frontdoor.Request, in reflect.Value, key string) []string {
	switch key {
	case "ecs:cluster":
		if c, ok := clusterOf(r, in); ok {
			return []string{string(c)}
		}
	case "ecs:service":
		return askedService(r, in)
	case "ecs:container-instances":
		return instancesOf(r, in)
	case "ecs:enable-execute-command":
		if f := in.FieldByName("EnableExecuteCommand"); f.IsValid() {
			return []string{strconv.FormatBool(truth(f))}
		}
	case "ecs:task-definition", "ecs:task-cpu", "ecs:task-memory", "ecs:privileged":
		return a.definitionKey(r, in, key)
	case "ecs:subnet", "ecs:auto-assign-public-ip":
		return networkKey(in, key)
	}
	return nil
}

// textOf is a member of the input that is a text, "" where it has none.
func textOf(in reflect.Value, name string) (value string, there bool) {
	f := in.FieldByName(name)
	if !f.IsValid() {
		return "", false
	}
	if p, ok := f.Interface().(*string); ok {
		return text(p), true
	}
	return "", false
}

func truth(f reflect.Value) bool {
	if f.Kind() == reflect.Pointer {
		return !f.IsNil() && f.Elem().Bool()
	}
	return f.Bool()
}

func clusterOf(r *frontdoor.Request, in reflect.Value) (arn.Cluster, bool) {
	name, there := textOf(in, "Cluster")
	if !there {
		return "", false
	}
	c, err := clusterARN(r, &name)
	return c, err == nil
}

func askedService(r *frontdoor.Request, in reflect.Value) []string {
	cluster, _ := textOf(in, "Cluster")
	for _, name := range []string{"Service", "ServiceName"} {
		if s, ok := textOf(in, name); ok && s != "" {
			return serviceResources(r, &cluster, s)
		}
	}
	return nil
}

func instancesOf(r *frontdoor.Request, in reflect.Value) (list []string) {
	f := in.FieldByName("ContainerInstances")
	c, ok := clusterOf(r, in)
	if !f.IsValid() || !ok {
		return nil
	}
	names, _ := f.Interface().([]string)
	for _, name := range names {
		if x, err := instanceARN(c, name); err == nil {
			list = append(list, string(x))
		}
	}
	return list
}

// definitionKey tells of the task definition that a request names or registers.
func (a *API) definitionKey(r *frontdoor.Request, in reflect.Value, key string) []string {
	name, named := textOf(in, "TaskDefinition")
	var containers []types.ContainerDefinition
	var cpu, memory string
	switch {
	case named && name != "":
		d, err := resolveDefinition(a.store.View().Tables, r, name)
		if err != nil {
			return nil
		}
		if key == "ecs:task-definition" {
			return []string{string(d.ARN())}
		}
		containers, cpu, memory = d.Definition.ContainerDefinitions, text(d.Definition.Cpu), text(d.Definition.Memory)
	case in.FieldByName("ContainerDefinitions").IsValid():
		containers, _ = in.FieldByName("ContainerDefinitions").Interface().([]types.ContainerDefinition)
		cpu, _ = textOf(in, "Cpu")
		memory, _ = textOf(in, "Memory")
	default:
		return nil
	}
	switch key {
	case "ecs:task-cpu":
		return count(ecs.CPUUnits(cpu))
	case "ecs:task-memory":
		return count(ecs.MemoryMiB(memory))
	case "ecs:privileged":
		for i := range containers {
			if p := containers[i].Privileged; p != nil && *p {
				return []string{"true"}
			}
		}
		return []string{"false"}
	}
	return nil
}

func count[N int | int32 | int64](n N) []string {
	if n == 0 {
		return nil
	}
	return []string{strconv.FormatInt(int64(n), 10)}
}

func networkKey(in reflect.Value, key string) []string {
	f := in.FieldByName("NetworkConfiguration")
	if !f.IsValid() {
		return nil
	}
	n, _ := f.Interface().(*types.NetworkConfiguration)
	if n == nil || n.AwsvpcConfiguration == nil {
		return nil
	}
	if key == "ecs:subnet" {
		return n.AwsvpcConfiguration.Subnets
	}
	return []string{strconv.FormatBool(n.AwsvpcConfiguration.AssignPublicIp == types.AssignPublicIpEnabled)}
}

// resourceTags are the tags of a resource of ECS's by its ARN, nil for none.
func (a *API) resourceTags(resource string) map[string]string {
	return tagMap(a.store.View().Tables, resource)
}

func tagMap(t *state.Tables, resource string) map[string]string {
	r := &frontdoor.Request{Scope: arn.ScopeOf(resource)}
	x, err := findTaggable(t, r, &resource)
	if err != nil {
		return nil
	}
	all := make(map[string]string, len(x.tags))
	for _, tag := range x.tags {
		all[text(tag.Key)] = text(tag.Value)
	}
	return all
}
