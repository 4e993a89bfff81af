package controller

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/acsproto"
	"berth/internal/arn"
	"berth/internal/ecs"
)

// payloadTask says a task to run as the agent's payload has it: the definition with the overrides merged in (agent-protocol.md section 4).
func payloadTask(t *ecs.Task, d *ecs.TaskDefinition) (acsproto.Task, error) {
	def := &d.Definition
	p := acsproto.Task{
		ARN: string(t.TaskArn), Cluster: string(t.TaskArn.Cluster()), DesiredStatus: "RUNNING",
		Family: d.ARN().Family(), Version: strconv.Itoa(d.ARN().Revision()),
		NetworkMode: networkMode(def), PidMode: string(def.PidMode), IpcMode: string(def.IpcMode),
		LaunchType: string(t.LaunchType), ServiceName: t.Service.Name(), Group: t.Group, Overrides: "{}",
	}
	if t.Service == "" {
		p.ServiceName = ""
	}
	p.EphemeralStorageGiB = int64(t.EphemeralStorageGiB)
	for i := range def.ContainerDefinitions {
		name := text(def.ContainerDefinitions[i].Name)
		for _, id := range t.ContainerGPUs(d, name) {
			p.Associations = append(p.Associations, acsproto.Association{Name: id, Type: "gpu", Containers: []string{name}})
		}
	}
	p.CPU, p.MemoryMiB = taskSize(def, t.Overrides)
	for _, v := range def.Volumes {
		p.Volumes = append(p.Volumes, volume(v))
	}
	for i := range def.ContainerDefinitions {
		c, err := payloadContainer(t, d, &def.ContainerDefinitions[i])
		if err != nil {
			return p, fmt.Errorf("container %s: %w", text(def.ContainerDefinitions[i].Name), err)
		}
		p.Containers = append(p.Containers, c)
	}
	return p, nil
}

func networkMode(def *types.TaskDefinition) string {
	if def.NetworkMode == "" {
		return string(types.NetworkModeBridge)
	}
	return string(def.NetworkMode)
}

// taskSize returns the task's own limits: vCPUs and MiB, 0 for none.
func taskSize(def *types.TaskDefinition, o *types.TaskOverride) (vcpu float64, mib int64) {
	cpu, memory := text(def.Cpu), text(def.Memory)
	if o != nil && o.Cpu != nil {
		cpu = *o.Cpu
	}
	if o != nil && o.Memory != nil {
		memory = *o.Memory
	}
	return float64(ecs.CPUUnits(cpu)) / 1024, int64(ecs.MemoryMiB(memory))
}

func volume(v types.Volume) acsproto.Volume {
	p := acsproto.Volume{Name: text(v.Name), Type: "host"}
	if v.Host != nil {
		p.Host.SourcePath = text(v.Host.SourcePath)
	}
	if d := v.DockerVolumeConfiguration; d != nil {
		p.Type = "docker"
		p.Docker = &acsproto.DockerVolume{Scope: string(d.Scope), Autoprovision: yes(d.Autoprovision), Driver: text(d.Driver),
			DriverOpts: d.DriverOpts, Labels: d.Labels}
	}
	return p
}

func payloadContainer(t *ecs.Task, d *ecs.TaskDefinition, c *types.ContainerDefinition) (acsproto.Container, error) {
	def := &d.Definition
	o := ecs.ContainerOverride(t.Overrides, c.Name)
	p := acsproto.Container{
		Name: text(c.Name), Image: text(c.Image), Essential: c.Essential == nil || *c.Essential,
		Command: c.Command, EntryPoint: c.EntryPoint, CPUUnits: int64(c.Cpu), MemoryMiB: int64(number(c.Memory)),
		Environment: environment(t, c, o), Overrides: "{}", Links: c.Links,
		StartTimeout: int64(number(c.StartTimeout)), StopTimeout: int64(number(c.StopTimeout)),
		ContainerARN: t.TaskArn.Container(ecs.ContainerID(t.TaskArn, text(c.Name))),
	}
	reservation := c.MemoryReservation
	if o != nil {
		if o.Command != nil {
			p.Command = o.Command
		}
		if o.Cpu != nil {
			p.CPUUnits = int64(*o.Cpu)
		}
		if o.Memory != nil {
			p.MemoryMiB = int64(*o.Memory)
		}
		if o.MemoryReservation != nil {
			reservation = o.MemoryReservation
		}
	}
	p.Secrets, p.RegistryAuthentication = payloadSecrets(t, c), payloadRegistry(t, d, c)
	p.EnvironmentFiles = environmentFiles(c, o)
	mounts(&p, c)
	if networkMode(def) != string(types.NetworkModeAwsvpc) {
		p.PortMappings = ports(c)
	}
	for _, d := range c.DependsOn {
		p.DependsOn = append(p.DependsOn, acsproto.DependsOn{ContainerName: text(d.ContainerName), Condition: string(d.Condition)})
	}
	if c.HealthCheck != nil {
		p.HealthCheckType = "docker"
	}
	if f := c.FirelensConfiguration; f != nil {
		p.Firelens = &acsproto.Firelens{Type: string(f.Type), Options: f.Options}
	}
	if r := c.RestartPolicy; r != nil && yes(r.Enabled) {
		p.RestartPolicy = &acsproto.RestartPolicy{Enabled: true, IgnoredExitCodes: r.IgnoredExitCodes, RestartAttemptPeriod: int64(number(r.RestartAttemptPeriod))}
	}
	var err error
	p.DockerConfig, err = dockerConfig(def, c, p.MemoryMiB, reservation)
	return p, err
}

// environment merges the definition's and the override's variables and adds what ECS adds.
func environment(t *ecs.Task, c *types.ContainerDefinition, o *types.ContainerOverride) map[string]string {
	env := map[string]string{"AWS_EXECUTION_ENV": "AWS_ECS_EC2"}
	if t.Fargate() {
		region := arn.ScopeOf(t.TaskArn).Region
		env["AWS_REGION"], env["AWS_DEFAULT_REGION"] = region, region
		env["AWS_EXECUTION_ENV"] = "AWS_ECS_FARGATE"
	}
	for _, kv := range c.Environment {
		env[text(kv.Name)] = text(kv.Value)
	}
	if o != nil {
		for _, kv := range o.Environment {
			env[text(kv.Name)] = text(kv.Value)
		}
	}
	return env
}

// environmentFiles are the definition's, or the override's instead.
func environmentFiles(c *types.ContainerDefinition, o *types.ContainerOverride) (out []acsproto.EnvironmentFile) {
	list := c.EnvironmentFiles
	if o != nil && len(o.EnvironmentFiles) > 0 {
		list = o.EnvironmentFiles
	}
	for _, f := range list {
		out = append(out, acsproto.EnvironmentFile{Value: text(f.Value), Type: string(f.Type)})
	}
	return out
}

func mounts(p *acsproto.Container, c *types.ContainerDefinition) {
	for _, m := range c.MountPoints {
		p.MountPoints = append(p.MountPoints, acsproto.MountPoint{SourceVolume: text(m.SourceVolume), ContainerPath: text(m.ContainerPath), ReadOnly: yes(m.ReadOnly)})
	}
	for _, v := range c.VolumesFrom {
		p.VolumesFrom = append(p.VolumesFrom, acsproto.VolumeFrom{SourceContainer: text(v.SourceContainer), ReadOnly: yes(v.ReadOnly)})
	}
}

func ports(c *types.ContainerDefinition) (out []acsproto.PortMapping) {
	for _, m := range c.PortMappings {
		protocol := strings.ToLower(string(m.Protocol))
		if protocol == "" {
			protocol = "tcp"
		}
		out = append(out, acsproto.PortMapping{ContainerPort: number(m.ContainerPort), ContainerPortRange: text(m.ContainerPortRange),
			HostPort: number(m.HostPort), Protocol: protocol})
	}
	return out
}

// dockerConfig says in Docker's own spelling what has no field in the payload.
func dockerConfig(def *types.TaskDefinition, c *types.ContainerDefinition, memoryMiB int64, reservation *int32) (acsproto.DockerConfig, error) {
	config := dockerProcess(c)
	host := map[string]any{}
	if networkMode(def) != string(types.NetworkModeAwsvpc) { // where the agent makes it
		host["NetworkMode"] = networkMode(def)
	}
	set := func(name string, v any, is bool) {
		if is {
			host[name] = v
		}
	}
	set("MemoryReservation", int64(number(reservation))<<20, reservation != nil)
	set("Privileged", true, yes(c.Privileged))
	set("ReadonlyRootfs", true, yes(c.ReadonlyRootFilesystem))
	set("Dns", c.DnsServers, len(c.DnsServers) > 0)
	set("DnsSearch", c.DnsSearchDomains, len(c.DnsSearchDomains) > 0)
	set("SecurityOpt", c.DockerSecurityOptions, len(c.DockerSecurityOptions) > 0)
	var hosts []string
	for _, h := range c.ExtraHosts {
		hosts = append(hosts, text(h.Hostname)+":"+text(h.IpAddress))
	}
	set("ExtraHosts", hosts, len(hosts) > 0)
	var limits []map[string]any
	for _, u := range c.Ulimits {
		limits = append(limits, map[string]any{"Name": string(u.Name), "Soft": u.SoftLimit, "Hard": u.HardLimit})
	}
	set("Ulimits", limits, len(limits) > 0)
	if l := c.LogConfiguration; l != nil {
		host["LogConfig"] = map[string]any{"Type": string(l.LogDriver), "Config": l.Options}
	}
	if l := c.LinuxParameters; l != nil {
		linux(set, l, memoryMiB)
	}
	sysctls := map[string]string{}
	for _, s := range c.SystemControls {
		sysctls[text(s.Namespace)] = text(s.Value)
	}
	set("Sysctls", sysctls, len(sysctls) > 0)
	return marshal(config, host)
}

func dockerProcess(c *types.ContainerDefinition) map[string]any {
	config := map[string]any{}
	set := func(name string, v any, is bool) {
		if is {
			config[name] = v
		}
	}
	set("User", text(c.User), c.User != nil)
	set("WorkingDir", text(c.WorkingDirectory), c.WorkingDirectory != nil)
	set("Hostname", text(c.Hostname), c.Hostname != nil)
	set("Labels", c.DockerLabels, len(c.DockerLabels) > 0)
	set("NetworkDisabled", true, yes(c.DisableNetworking))
	set("OpenStdin", true, yes(c.Interactive))
	set("Tty", true, yes(c.PseudoTerminal))
	if h := c.HealthCheck; h != nil {
		check := map[string]any{"Test": h.Command}
		for name, seconds := range map[string]*int32{"Interval": h.Interval, "Timeout": h.Timeout, "StartPeriod": h.StartPeriod} {
			if seconds != nil {
				check[name] = int64(*seconds) * int64(time.Second)
			}
		}
		if h.Retries != nil {
			check["Retries"] = *h.Retries
		}
		config["Healthcheck"] = check
	}
	return config
}

// linux says a container's Linux parameters. Docker counts swap with the memory; without maxSwap, swappiness is not acted on, as on ECS.
func linux(set func(string, any, bool), l *types.LinuxParameters, memoryMiB int64) {
	set("MemorySwap", (memoryMiB+int64(number(l.MaxSwap)))<<20, l.MaxSwap != nil)
	if l.Capabilities != nil {
		set("CapAdd", l.Capabilities.Add, len(l.Capabilities.Add) > 0)
		set("CapDrop", l.Capabilities.Drop, len(l.Capabilities.Drop) > 0)
	}
	set("Init", true, yes(l.InitProcessEnabled))
	set("ShmSize", int64(number(l.SharedMemorySize))<<20, l.SharedMemorySize != nil)
	set("MemorySwappiness", number(l.Swappiness), l.Swappiness != nil && l.MaxSwap != nil)
	tmpfs := map[string]string{}
	for _, m := range l.Tmpfs {
		tmpfs[text(m.ContainerPath)] = strings.Join(append([]string{fmt.Sprintf("size=%dm", m.Size)}, m.MountOptions...), ",")
	}
	set("Tmpfs", tmpfs, len(tmpfs) > 0)
	var devices []map[string]string
	for _, d := range l.Devices {
		inside, permissions := text(d.ContainerPath), ""
		if inside == "" {
			inside = text(d.HostPath)
		}
		for _, p := range d.Permissions {
			permissions += string(p[0])
		}
		if permissions == "" {
			permissions = "rwm"
		}
		devices = append(devices, map[string]string{"PathOnHost": text(d.HostPath), "PathInContainer": inside, "CgroupPermissions": permissions})
	}
	set("Devices", devices, len(devices) > 0)
}

func marshal(config, host map[string]any) (acsproto.DockerConfig, error) {
	c, err := json.Marshal(config)
	if err != nil {
		return acsproto.DockerConfig{}, fmt.Errorf("docker config: %w", err)
	}
	h, err := json.Marshal(host)
	if err != nil {
		return acsproto.DockerConfig{}, fmt.Errorf("docker host config: %w", err)
	}
	return acsproto.DockerConfig{Config: string(c), HostConfig: string(h), Version: "1.18"}, nil
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

func number(n *int32) int32 {
	if n == nil {
		return 0
	}
	return *n
}

func yes(b *bool) bool { return b != nil && *b }
