package ecs

import (
	"regexp"
	"slices"
	"strings"

	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/apierr"
	"berth/internal/ecs"
	"berth/internal/frontdoor"
)

// validateDefinition checks a task definition as AWS does. Errors are ClientExceptions with AWS's texts (errors.md 1.2).
func validateDefinition(r *frontdoor.Request, in *awsecs.RegisterTaskDefinitionInput) error {
	if in.Family == nil || *in.Family == "" {
		return apierr.ClientException("Family should not be null or empty.")
	}
	if err := validateName("Family", *in.Family); err != nil {
		return apierr.ClientException("Family should be 1 to 255 letters, digits, hyphens and underscores, but was '%s'.", *in.Family)
	}
	if len(in.ContainerDefinitions) == 0 {
		return apierr.ClientException("Container list cannot be empty.")
	}
	if r.Sent["tags"] && len(in.Tags) == 0 {
		return apierr.ClientException("Tags can not be empty.")
	}
	if err := validateTags(in.Tags); err != nil {
		return err
	}
	if len(in.InferenceAccelerators) > 0 {
		return apierr.ClientException("Unsupported field 'inferenceAccelerators'")
	}
	for _, check := range []func(*awsecs.RegisterTaskDefinitionInput) error{
		definitionEnums, definitionSize, definitionUnserved, definitionContainers, definitionVolumes, definitionOrder, definitionFargate,
	} {
		if err := check(in); err != nil {
			return err
		}
	}
	return nil
}

func definitionEnums(in *awsecs.RegisterTaskDefinitionInput) error {
	for _, err := range []error{
		validateEnum("networkMode", in.NetworkMode), validateEnum("pidMode", in.PidMode), validateEnum("ipcMode", in.IpcMode),
		validateEnums("requiresCompatibilities", in.RequiresCompatibilities),
	} {
		if err != nil {
			return apierr.ClientException("%s", apierr.As(err).Message)
		}
	}
	return nil
}

// definitionUnserved refuses what would have to be acted on and is not yet.
func definitionUnserved(in *awsecs.RegisterTaskDefinitionInput) error {
	switch {
	case in.ProxyConfiguration != nil:
		return notActedOn("proxyConfiguration")
	case len(in.PlacementConstraints) > 0:
		return notActedOn("placementConstraints of type memberOf")
	}
	return nil
}

// definitionSize checks the task's own cpu and memory.
func definitionSize(in *awsecs.RegisterTaskDefinitionInput) error {
	if in.Cpu != nil {
		if n := ecs.CPUUnits(*in.Cpu); n < 128 || n > 196608 {
			return apierr.ClientException("Invalid 'cpu' setting for task. For more information, see the Troubleshooting section of the Amazon ECS Developer Guide.")
		}
	}
	if in.Memory != nil && ecs.MemoryMiB(*in.Memory) < 4 {
		return apierr.ClientException("Invalid 'memory' setting for task. For more information, see the Troubleshooting section of the Amazon ECS Developer Guide.")
	}
	return nil
}

func definitionContainers(in *awsecs.RegisterTaskDefinitionInput) error {
	names, essential := map[string]bool{}, false
	ports := map[string]bool{}
	for i := range in.ContainerDefinitions {
		c := &in.ContainerDefinitions[i]
		if err := validateContainer(in, c); err != nil {
			return err
		}
		if names[*c.Name] {
			return apierr.ClientException("Container names must be unique within a task definition: '%s' is used more than once.", *c.Name)
		}
		names[*c.Name] = true
		essential = essential || c.Essential == nil || *c.Essential
		if err := validatePorts(in.NetworkMode, c, ports); err != nil {
			return err
		}
	}
	if !essential {
		return apierr.ClientException("Task definition doesn't have any essential container")
	}
	return nil
}

var (
	containerName  = regexp.MustCompile(`^[a-zA-Z0-9_-]{1,255}$`)
	imageReference = regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9._/:@+-]*$`)
)

func validateContainer(in *awsecs.RegisterTaskDefinitionInput, c *types.ContainerDefinition) error {
	name := text(c.Name)
	switch {
	case name == "":
		return apierr.ClientException("Container.name should not be null or empty.")
	case !containerName.MatchString(name):
		return apierr.ClientException("Invalid container name '%s': it should be 1 to 255 letters, digits, hyphens and underscores.", name)
	case text(c.Image) == "":
		return apierr.ClientException("Container.image should not be null or empty.")
	case !imageReference.MatchString(*c.Image):
		return apierr.ClientException("Container.image contains invalid characters.")
	case c.Memory == nil && c.MemoryReservation == nil && in.Memory == nil:
		return apierr.ClientException("Invalid setting for container '%s'. At least one of 'memory' or 'memoryReservation' must be specified.", name)
	case c.Memory != nil && *c.Memory < 4:
		return apierr.ClientException("Invalid 'memory' setting for container '%s': it must be at least 4 MiB.", name)
	case c.MemoryReservation != nil && *c.MemoryReservation < 1:
		return apierr.ClientException("Invalid 'memoryReservation' setting for container '%s': it must be positive.", name)
	case c.Memory != nil && c.MemoryReservation != nil && *c.MemoryReservation > *c.Memory:
		return apierr.ClientException("Invalid setting for container '%s'. 'memory' must be greater than or equal to 'memoryReservation'", name)
	case c.Memory != nil && in.Memory != nil && int(*c.Memory) > ecs.MemoryMiB(*in.Memory):
		return apierr.ClientException("The 'memory' setting for container '%s' is greater than for the task", name)
	case c.Cpu < 0:
		return apierr.ClientException("Invalid 'cpu' setting for container '%s': it must not be negative.", name)
	case c.StopTimeout != nil && (*c.StopTimeout < 0 || *c.StopTimeout > 86400) || c.StartTimeout != nil && *c.StartTimeout < 0:
		return apierr.ClientException("Invalid 'startTimeout' or 'stopTimeout' setting for container '%s'.", name)
	}
	if err := containerUnserved(c); err != nil {
		return err
	}
	if err := vpcContainer(in.NetworkMode, c); err != nil {
		return err
	}
	return validateHealthCheck(name, c.HealthCheck)
}

// containerUnserved refuses by name what the agents do not act on yet.
func containerUnserved(c *types.ContainerDefinition) error {
	for _, m := range []struct {
		name string
		is   bool
	}{
		{"secrets", len(c.Secrets) > 0}, {"environmentFiles", len(c.EnvironmentFiles) > 0}, {"repositoryCredentials", c.RepositoryCredentials != nil},
		{"firelensConfiguration", c.FirelensConfiguration != nil}, {"resourceRequirements", len(c.ResourceRequirements) > 0},
		{"restartPolicy", c.RestartPolicy != nil && yes(c.RestartPolicy.Enabled)}, {"credentialSpecs", len(c.CredentialSpecs) > 0},
	} {
		if m.is {
			return notActedOn("containerDefinitions." + m.name)
		}
	}
	for _, p := range c.PortMappings {
		if p.ContainerPortRange != nil {
			return notActedOn("containerDefinitions.portMappings.containerPortRange")
		}
	}
	return nil
}

func vpcContainer(mode types.NetworkMode, c *types.ContainerDefinition) error {
	if mode != types.NetworkModeAwsvpc {
		return nil
	}
	switch {
	case len(c.Links) > 0:
		return apierr.ClientException("Links are not supported when networkMode=awsvpc.")
	case c.Hostname != nil:
		return apierr.ClientException("hostname is not supported on container when networkMode=awsvpc")
	case len(c.ExtraHosts) > 0:
		return apierr.ClientException("Extra hosts are not supported on container when networkMode=awsvpc")
	case len(c.DnsServers) > 0:
		return apierr.ClientException("DNS servers are not supported on container when networkMode=awsvpc")
	case yes(c.DisableNetworking):
		return apierr.ClientException("Disable Networking is not supported on container when networkMode=awsvpc")
	}
	return nil
}

func validateHealthCheck(container string, h *types.HealthCheck) error {
	if h == nil {
		return nil
	}
	within := func(p *int32, low, high int32) bool { return p == nil || *p >= low && *p <= high }
	switch {
	case len(h.Command) == 0 || !slices.Contains([]string{"CMD", "CMD-SHELL", "NONE"}, h.Command[0]):
		return apierr.ClientException("Invalid 'healthCheck' setting for container '%s': command must begin with CMD, CMD-SHELL or NONE.", container)
	case !within(h.Interval, 5, 300):
		return apierr.ClientException("Invalid 'healthCheck' setting for container '%s': interval must be between 5 and 300 seconds.", container)
	case !within(h.Timeout, 2, 60):
		return apierr.ClientException("Invalid 'healthCheck' setting for container '%s': timeout must be between 2 and 60 seconds.", container)
	case !within(h.Retries, 1, 10):
		return apierr.ClientException("Invalid 'healthCheck' setting for container '%s': retries must be between 1 and 10.", container)
	case !within(h.StartPeriod, 0, 300):
		return apierr.ClientException("Invalid 'healthCheck' setting for container '%s': startPeriod must be between 0 and 300 seconds.", container)
	}
	return nil
}

func validatePorts(mode types.NetworkMode, c *types.ContainerDefinition, taken map[string]bool) error {
	for _, m := range c.PortMappings {
		if m.ContainerPort == nil || *m.ContainerPort < 1 || *m.ContainerPort > 65535 {
			return apierr.ClientException("Invalid 'containerPort' setting for container '%s': it must be between 1 and 65535.", *c.Name)
		}
		if err := validateEnum("protocol", m.Protocol); err != nil {
			return apierr.ClientException("Invalid 'protocol' setting for container '%s': it must be tcp or udp.", *c.Name)
		}
		host := m.HostPort
		if host != nil && (*host < 0 || *host > 65535) {
			return apierr.ClientException("Invalid 'hostPort' setting for container '%s': it must be between 0 and 65535.", *c.Name)
		}
		same := mode == types.NetworkModeAwsvpc || mode == types.NetworkModeHost
		if same && host != nil && *host != 0 && *host != *m.ContainerPort {
			return apierr.ClientException("When networkMode=%s, the host ports and container ports in port mappings must match.", mode)
		}
		if same {
			host = m.ContainerPort
		}
		if host == nil || *host == 0 {
			continue
		}
		key := strings.ToLower(string(m.Protocol)) + "/" + *numberView(host)
		if key[0] == '/' {
			key = "tcp" + key
		}
		if taken[key] {
			return apierr.ClientException("Invalid 'portMappings' setting for container '%s': host port %d is used more than once.", *c.Name, *host)
		}
		taken[key] = true
	}
	return nil
}

func definitionVolumes(in *awsecs.RegisterTaskDefinitionInput) error {
	volumes := map[string]bool{}
	for _, v := range in.Volumes {
		switch {
		case text(v.Name) == "":
			return apierr.ClientException("Volume name should not be null or empty.")
		case v.DockerVolumeConfiguration != nil:
			return notActedOn("volumes.dockerVolumeConfiguration")
		case v.EfsVolumeConfiguration != nil, v.FsxWindowsFileServerVolumeConfiguration != nil:
			return notActedOn("volumes.efsVolumeConfiguration")
		case yes(v.ConfiguredAtLaunch):
			return notActedOn("volumes.configuredAtLaunch")
		case volumes[*v.Name]:
			return apierr.ClientException("Volume names must be unique within a task definition: '%s' is used more than once.", *v.Name)
		}
		volumes[*v.Name] = true
	}
	for i := range in.ContainerDefinitions {
		c := &in.ContainerDefinitions[i]
		for _, m := range c.MountPoints {
			if !volumes[text(m.SourceVolume)] {
				return apierr.ClientException("Unknown volume '%s'.", text(m.SourceVolume))
			}
		}
		for _, v := range c.VolumesFrom {
			if !has(in, text(v.SourceContainer)) {
				return apierr.ClientException("Invalid 'volumesFrom' setting. Unknown container: '%s'", text(v.SourceContainer))
			}
		}
	}
	return nil
}

func has(in *awsecs.RegisterTaskDefinitionInput, container string) bool {
	return find(in, container) != nil
}

func find(in *awsecs.RegisterTaskDefinitionInput, container string) *types.ContainerDefinition {
	for i := range in.ContainerDefinitions {
		if text(in.ContainerDefinitions[i].Name) == container {
			return &in.ContainerDefinitions[i]
		}
	}
	return nil
}

// definitionOrder checks dependsOn: known containers, conditions that can be met, and no cycle.
func definitionOrder(in *awsecs.RegisterTaskDefinitionInput) error {
	for i := range in.ContainerDefinitions {
		c := &in.ContainerDefinitions[i]
		for _, d := range c.DependsOn {
			on := find(in, text(d.ContainerName))
			switch {
			case on == nil:
				return apierr.ClientException("Cannot depend on container %s because it does not exist", text(d.ContainerName))
			case validateEnum("condition", d.Condition) != nil || d.Condition == "":
				return apierr.ClientException("Invalid 'dependsOn' setting for container '%s': condition should be one of [START,COMPLETE,SUCCESS,HEALTHY].", *c.Name)
			case (d.Condition == types.ContainerConditionSuccess || d.Condition == types.ContainerConditionComplete) && (on.Essential == nil || *on.Essential):
				return apierr.ClientException("A dependency container with SUCCESS or COMPLETE condition cannot be an essential container")
			case d.Condition == types.ContainerConditionHealthy && on.HealthCheck == nil:
				return apierr.ClientException("A dependency container with HEALTHY condition must have health check configured")
			}
		}
	}
	done, open := map[string]bool{}, map[string]bool{}
	var visit func(name string) error
	visit = func(name string) error {
		if open[name] {
			return apierr.ClientException("Container dependencies must not be a cycle: '%s' depends on itself.", name)
		}
		if done[name] {
			return nil
		}
		open[name] = true
		for _, d := range find(in, name).DependsOn {
			if err := visit(text(d.ContainerName)); err != nil {
				return err
			}
		}
		open[name], done[name] = false, true
		return nil
	}
	for i := range in.ContainerDefinitions {
		if err := visit(*in.ContainerDefinitions[i].Name); err != nil {
			return err
		}
	}
	return nil
}

// definitionFargate checks what Fargate asks of a definition that says it is for Fargate.
func definitionFargate(in *awsecs.RegisterTaskDefinitionInput) error {
	if !slices.Contains(in.RequiresCompatibilities, types.CompatibilityFargate) {
		if in.EphemeralStorage != nil {
			return apierr.ClientException("Tasks using the EC2 launch type do not support EphemeralStorage")
		}
		return nil
	}
	switch {
	case in.NetworkMode != types.NetworkModeAwsvpc:
		return apierr.ClientException("Fargate only supports network mode ‘awsvpc’.")
	case in.Cpu == nil:
		return apierr.ClientException("Fargate requires that 'cpu' be defined at the task level.")
	case in.Memory == nil:
		return apierr.ClientException("Fargate requires that 'memory' be defined at the task level.")
	case !fargateSize(ecs.CPUUnits(*in.Cpu), ecs.MemoryMiB(*in.Memory)):
		return apierr.ClientException("No Fargate configuration exists for given values: %d CPU, %d memory. See the Amazon ECS documentation for the valid values.",
			ecs.CPUUnits(*in.Cpu), ecs.MemoryMiB(*in.Memory))
	case in.EphemeralStorage != nil && in.EphemeralStorage.SizeInGiB < 21:
		return apierr.ClientException("EphemeralStorage size should be at least 21")
	case in.EphemeralStorage != nil && in.EphemeralStorage.SizeInGiB > 200:
		return apierr.ClientException("EphemeralStorage size should be at most 200")
	case in.IpcMode != "":
		return apierr.ClientException("Fargate compatible task definitions do not support ipcMode")
	case in.PidMode == types.PidModeHost:
		return apierr.ClientException("Tasks using the Fargate launch type do not support pidMode 'host'. The supported value for pidMode is 'task'.")
	}
	for i := range in.ContainerDefinitions {
		if yes(in.ContainerDefinitions[i].Privileged) {
			return apierr.ClientException("Fargate requires that the 'privileged' setting be 'false'.")
		}
	}
	return nil
}
