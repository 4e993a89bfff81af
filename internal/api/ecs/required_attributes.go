package ecs

import (
	"regexp"
	"slices"
	"strings"

	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/ecr"
	"berth/internal/ecs"
)

const (
	capability = "com.amazonaws.ecs.capability."
	ecsAbility = "ecs.capability."
)

// needs collects the names of attributes, each once.
type needs struct{ names []string }

// when adds attributes where is holds.
func (n *needs) when(is bool, attributes ...string) {
	for _, a := range attributes {
		if is && !slices.Contains(n.names, a) {
			n.names = append(n.names, a)
		}
	}
}

// docker is the attribute for a version of the engine's API, 1.minor.
func docker(minor string) string { return capability + "docker-remote-api.1." + minor }

// requiredAttributes are the attributes that a container instance needs for the definition, as AWS derives them. nil where there are none.
func requiredAttributes(in *awsecs.RegisterTaskDefinitionInput) []types.Attribute {
	n := &needs{}
	n.ofTask(in)
	for i := range in.ContainerDefinitions {
		c := &in.ContainerDefinitions[i]
		n.ofEngine(c)
		n.ofContainer(c, !blank(in.ExecutionRoleArn))
		n.ofLogs(c.LogConfiguration, !blank(in.ExecutionRoleArn))
	}
	var out []types.Attribute
	for i := range n.names {
		out = append(out, types.Attribute{Name: &n.names[i]})
	}
	return out
}

func (n *needs) ofTask(in *awsecs.RegisterTaskDefinitionInput) {
	host := in.NetworkMode == types.NetworkModeHost
	n.when(in.NetworkMode == types.NetworkModeAwsvpc, ecsAbility+"task-eni", docker("18"))
	n.when(host, docker("18"))
	n.when(!blank(in.TaskRoleArn), capability+"task-iam-role")
	n.when(!blank(in.TaskRoleArn) && host, capability+"task-iam-role-network-host")
	n.when(in.PidMode != "" || in.IpcMode != "", ecsAbility+"pid-ipc-namespace-sharing")
	n.when(in.EphemeralStorage != nil, ecsAbility+"extensible-ephemeral-storage")
	for _, v := range in.Volumes {
		n.when(v.EfsVolumeConfiguration != nil, ecsAbility+"efs", ecsAbility+"efsAuth", docker("25"))
		if d := v.DockerVolumeConfiguration; d != nil {
			n.when(true, ecsAbility+"docker-plugin."+volumeDriver(d), docker("25"))
		}
	}
}

// volumeDriver is the name of a volume's driver as attributes have it.
func volumeDriver(d *types.DockerVolumeConfiguration) string {
	if blank(d.Driver) {
		return "local"
	}
	return strings.ReplaceAll(*d.Driver, ":", ".")
}

// ofEngine adds what a container asks of the container engine.
func (n *needs) ofEngine(c *types.ContainerDefinition) {
	n.when(c.Ulimits != nil, docker("18"))
	n.when(yes(c.ReadonlyRootFilesystem) || c.Links != nil || c.DnsServers != nil || c.DnsSearchDomains != nil || c.ExtraHosts != nil ||
		c.DockerSecurityOptions != nil, docker("17"))
	n.when(c.MemoryReservation != nil, docker("21"))
	n.when(yes(c.Privileged), capability+"privileged-container", docker("17"))
	if l := c.LinuxParameters; l != nil {
		n.when(l.SharedMemorySize != nil || len(l.Tmpfs) > 0, docker("22"))
		n.when(l.InitProcessEnabled != nil, docker("25"))
	}
	for _, o := range c.DockerSecurityOptions {
		n.when(strings.HasPrefix(o, "label:"), capability+"selinux")
		n.when(strings.HasPrefix(o, "apparmor:"), capability+"apparmor")
	}
}

// ofContainer adds what a container asks of the agent; role says whether the task has an execution role.
func (n *needs) ofContainer(c *types.ContainerDefinition, role bool) {
	n.when(c.HealthCheck != nil, ecsAbility+"container-health-check", docker("24"))
	n.when(len(c.DependsOn) > 0, ecsAbility+"container-ordering")
	n.when(ranges(c) > 0, ecsAbility+"network.container-port-range")
	n.when(c.RestartPolicy != nil && yes(c.RestartPolicy.Enabled), ecsAbility+"container-restart-policy")
	n.when(len(c.EnvironmentFiles) > 0, ecsAbility+"env-files.s3")
	n.when(c.RepositoryCredentials != nil, ecsAbility+"private-registry-authentication.secretsmanager")
	ecr := privateECR(text(c.Image))
	n.when(ecr, capability+"ecr-auth")
	n.when(ecr && role, ecsAbility+"execution-role-ecr-pull")
	for _, s := range c.Secrets {
		n.when(true, ecsAbility+"secrets."+secretStore(s)+".environment-variables")
	}
	if f := c.FirelensConfiguration; f != nil {
		kind := f.Options["config-file-type"]
		n.when(true, ecsAbility+"firelens."+string(f.Type))
		n.when(kind != "", ecsAbility+"firelens.options.config."+kind)
	}
}

func (n *needs) ofLogs(l *types.LogConfiguration, role bool) {
	if l == nil {
		return
	}
	n.when(true, capability+"logging-driver."+string(l.LogDriver))
	for _, s := range l.SecretOptions {
		n.when(true, ecsAbility+"secrets."+secretStore(s)+".bootstrap.log-driver")
	}
	_, limit := l.Options["log-driver-buffer-limit"]
	n.when(l.LogDriver == types.LogDriverAwsfirelens && limit, ecsAbility+"logging-driver.awsfirelens.log-driver-buffer-limit")
	if l.LogDriver == types.LogDriverAwsfirelens {
		return
	}
	n.when(l.LogDriver != types.LogDriverAwslogs, docker("18"))
	if l.LogDriver != types.LogDriverAwslogs {
		return
	}
	n.when(true, docker("19"))
	n.when(role, ecsAbility+"execution-role-awslogs")
	_, create := l.Options["awslogs-create-group"]
	n.when(create, docker("29"))
	_, mode := l.Options["mode"]
	_, buffer := l.Options["max-buffer-size"]
	n.when(mode || buffer, docker("28"))
}

// secretStore is "asm" for a secret of Secrets Manager and "ssm" for a parameter.
func secretStore(s types.Secret) string { return ecs.SecretProvider(text(s.ValueFrom)) }

// ecrHost is the registry of an account in Amazon ECR.
var ecrHost = regexp.MustCompile(`^[0-9]{12}\.dkr[.-]ecr(-fips)?\.[a-z0-9-]+\.(amazonaws\.com(\.cn)?|on\.aws)/`)

// privateECR reports whether an image is in a private ECR registry, AWS's or Berth's.
func privateECR(image string) bool {
	_, here := ecr.ParseImage(image)
	return here || ecrHost.MatchString(image)
}

func yes(b *bool) bool { return b != nil && *b }
