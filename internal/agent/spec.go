package agent

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/network"

	"berth/internal/acsproto"
	"berth/internal/arn"
)

const (
	mib       = 1 << 20
	minShares = 2       // the kernel's
	minMemory = 6 * mib // the engine's
)

// place is where a container is created.
type place struct {
	Installation string
	InstanceARN  string
	HostAddress  string    // "" publishes ports on all addresses
	CgroupParent string    // "" leaves it to the engine
	NVIDIA       bool      // the engine has NVIDIA's runtime
	Runtime      string    // for containers of Fargate tasks, "" for the engine's default
	Front        string    // where the task's containers reach the agent, "http://HOST[:PORT]"; "" where they do not
	Endpoint     string    // the id under which this one does
	Guest        bool      // it finds the container instance's role in instance metadata
	Names        NameFiles // of the pause container of a task with a network interface
	Router       RouterFiles
	RouterIP     string // the log router's address on the bridge, for the containers there that log through it
	Secrets      map[secretKey]string
	Files        map[string]map[string]string // the variables of environment files, by the files' ARNs
	Logs         bool                         // the agent sends the logs of the driver awslogs
	OldFluentd   bool                         // the engine's log driver fluentd has the option of engines before 20.10
}

// AsyncOption is the option of the log driver fluentd with which a container starts whether or not the router listens.
func (p place) AsyncOption() string {
	if p.OldFluentd {
		return "fluentd-async-connect"
	}
	return "fluentd-async"
}

// specOf generates a container's configuration and lays what the order says in the engine's own words over it.
func specOf(r *Record, c acsproto.Container, at place) (Spec, error) {
	labels, err := labelsOf(r, c, at)
	if err != nil {
		return Spec{}, err
	}
	config := &container.Config{
		Image: c.Image, Cmd: c.Command, Entrypoint: c.EntryPoint, Env: environment(c.Environment), Labels: maps.Clone(labels),
	}
	host := &container.HostConfig{NetworkMode: container.NetworkMode(r.Network)}
	if hidden(c.Name) {
		host.NetworkMode = "none"
	}
	if err := overlay(config, c.DockerConfig.Config); err != nil {
		return Spec{}, fmt.Errorf("read dockerConfig.config: %w", err)
	}
	if err := overlay(host, c.DockerConfig.HostConfig); err != nil {
		return Spec{}, fmt.Errorf("read dockerConfig.hostConfig: %w", err)
	}
	if err := namespaces(r, c, host); err != nil {
		return Spec{}, err
	}
	if err := networkOf(r, c, at.Names, config, host); err != nil {
		return Spec{}, err
	}
	maps.Copy(config.Labels, labels) // adoption depends on them
	if c.HealthCheckType != "" && config.Healthcheck == nil {
		return Spec{}, fmt.Errorf("health check type %q without a health check", c.HealthCheckType)
	}
	host.CPUShares = max(c.CPUUnits, minShares)
	if c.MemoryMiB > 0 {
		host.Memory = max(c.MemoryMiB*mib, minMemory)
	}
	host.CgroupParent = at.CgroupParent
	host.RestartPolicy, host.AutoRemove = container.RestartPolicy{}, false // a container runs once
	mounts(r, c, host)
	giveFiles(c, at.Files, config)
	giveSecrets(r, c, at.Secrets, config, host)
	routing(r, c, at, config, host)
	if at.Logs {
		keepLog(host)
	}
	gpus(r, c, at, config, host)
	if err := confine(r, c, at.Runtime, host); err != nil {
		return Spec{}, err
	}
	frontVariables(c, at, config)
	credentialsVariables(r, c, at, config)
	if err := ports(r, c, at, config, host); err != nil {
		return Spec{}, err
	}
	return Spec{Name: containerName(r.Task, c.Name), Config: config, HostConfig: host}, nil
}

// overlay lays JSON text in the engine's spelling over generated values.
func overlay(over any, text string) error {
	if strings.TrimSpace(text) == "" {
		return nil
	}
	d := json.NewDecoder(bytes.NewReader([]byte(text)))
	if err := d.Decode(over); err != nil {
		return err
	}
	if d.More() {
		return fmt.Errorf("text after the JSON value")
	}
	return nil
}

func environment(env map[string]string) (list []string) {
	for _, k := range slices.Sorted(maps.Keys(env)) {
		list = append(list, k+"="+env[k])
	}
	return list
}

// setVariable gives a container an environment variable of the agent's own, whatever the order says of it.
func setVariable(config *container.Config, name, value string) {
	config.Env = slices.DeleteFunc(config.Env, func(v string) bool { return strings.HasPrefix(v, name+"=") })
	config.Env = append(config.Env, name+"="+value)
}

// nvidia is the name of NVIDIA's runtime, and of its driver for devices.
const nvidia = "nvidia"

// gpus gives a container its GPUs: by NVIDIA's runtime, which reads them from the environment, or else as a request for devices.
func gpus(r *Record, c acsproto.Container, at place, config *container.Config, host *container.HostConfig) {
	ids := r.gpus(c.Name)
	if len(ids) == 0 {
		return
	}
	const visible = "NVIDIA_VISIBLE_DEVICES"
	setVariable(config, visible, strings.Join(ids, ","))
	if at.NVIDIA {
		host.Runtime = nvidia
		return
	}
	host.DeviceRequests = append(host.DeviceRequests, container.DeviceRequest{Driver: nvidia, DeviceIDs: ids, Capabilities: [][]string{{"gpu"}}})
}

// gpus are the ids of a container's GPUs.
func (r *Record) gpus(container string) (ids []string) {
	for _, a := range r.Task.Associations {
		if slices.Contains(a.Containers, container) {
			ids = append(ids, a.Name)
		}
	}
	return ids
}

// mounts adds the task's volumes, links and the volumes of other containers.
func mounts(r *Record, c acsproto.Container, host *container.HostConfig) {
	for _, m := range c.MountPoints {
		source := ""
		for _, v := range r.Task.Volumes {
			if v.Name == m.SourceVolume {
				source = volumeSource(r.Task, v)
			}
		}
		host.Binds = append(host.Binds, source+":"+m.ContainerPath+readOnly(m.ReadOnly))
	}
	for _, v := range c.VolumesFrom {
		host.VolumesFrom = append(host.VolumesFrom, containerName(r.Task, v.SourceContainer)+readOnly(v.ReadOnly))
	}
	for _, l := range c.Links {
		name, alias, ok := strings.Cut(l, ":")
		if !ok {
			alias = name
		}
		host.Links = append(host.Links, containerName(r.Task, name)+":"+alias)
	}
}

func readOnly(yes bool) string {
	if yes {
		return ":ro"
	}
	return ""
}

// ports publishes a container's ports. Only bridge mode has any.
func ports(r *Record, c acsproto.Container, at place, config *container.Config, host *container.HostConfig) error {
	if r.Network != "bridge" {
		return nil
	}
	var ip netip.Addr
	if at.HostAddress != "" {
		var err error
		if ip, err = netip.ParseAddr(at.HostAddress); err != nil {
			return fmt.Errorf("host address: %w", err)
		}
	}
	for n, m := range c.PortMappings {
		if config.ExposedPorts == nil {
			config.ExposedPorts, host.PortBindings = network.PortSet{}, network.PortMap{}
		}
		span, first := containerPorts(m), r.hostPort(c, n)
		for i := range span.size() {
			p, ok := network.PortFrom(uint16(span.first+i), network.IPProtocol(m.Protocol))
			if !ok {
				return fmt.Errorf("port %d/%s is not valid", span.first+i, m.Protocol)
			}
			b := network.PortBinding{HostIP: ip}
			if first != 0 {
				b.HostPort = strconv.Itoa(int(first + i))
			}
			config.ExposedPorts[p] = struct{}{}
			host.PortBindings[p] = append(host.PortBindings[p], b)
		}
	}
	return nil
}

// staticBindings are the bindings of a container whose host ports are all ordered, or chosen by the agent; ok is false where the engine chooses one.
func staticBindings(r *Record, c acsproto.Container, hostAddress string) (list []Binding, ok bool) {
	if r.Network != "bridge" {
		return nil, true
	}
	for n, m := range c.PortMappings {
		first := r.hostPort(c, n)
		if first == 0 {
			return nil, false
		}
		span := containerPorts(m)
		for i := range span.size() {
			list = append(list, Binding{HostIP: hostAddress, ContainerPort: span.first + i, HostPort: first + i, Protocol: m.Protocol})
		}
	}
	return list, true
}

// containerName is the name of a container, or of a volume of its own, in the engine. It is derived from the task, so that creating is
// idempotent.
func containerName(t acsproto.Task, name string) string {
	sum := sha256.Sum256([]byte(t.ARN))
	clean := strings.Map(func(c rune) rune {
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.ContainsRune("_.-", c) {
			return c
		}
		return '-'
	}, fmt.Sprintf("ecs-%s-%s-%s", t.Family, t.Version, name))
	return clean + "-" + hex.EncodeToString(sum[:10])
}

// groupOf is the control group of a task with its limits.
func groupOf(r *Record) Group {
	g := Group{Instance: r.Instance, Task: arn.Task(r.Task.ARN).ID(), MemoryBytes: r.Task.MemoryMiB * mib, CPUUnits: int64(r.Task.CPU * 1024),
		NoSwap: fargate(r.Task)}
	g.CPUShares = g.CPUUnits
	if g.CPUShares == 0 {
		for _, c := range r.Task.Containers {
			g.CPUShares += max(c.CPUUnits, minShares)
		}
	}
	g.CPUShares = max(g.CPUShares, minShares)
	return g
}
