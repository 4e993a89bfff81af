package ecs

import (
	"slices"
	"strings"

	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

const (
	capability = "com.amazonaws.ecs.capability."
	ecsAbility = "ecs.capability."
)

// requiredAttributes are the attributes that a container instance needs for the definition, as AWS derives them (shapes.md section 4).
// nil where there are none.
func requiredAttributes(in *awsecs.RegisterTaskDefinitionInput) []types.Attribute {
	var names []string
	need := func(is bool, attributes ...string) {
		for _, n := range attributes {
			if is && !slices.Contains(names, n) {
				names = append(names, n)
			}
		}
	}
	docker := func(minor string) string { return capability + "docker-remote-api.1." + minor }
	host := in.NetworkMode == types.NetworkModeHost
	need(in.NetworkMode == types.NetworkModeAwsvpc, ecsAbility+"task-eni", docker("18"))
	need(host, docker("18"))
	need(in.TaskRoleArn != nil, capability+"task-iam-role")
	need(in.TaskRoleArn != nil && host, capability+"task-iam-role-network-host")
	need(in.EphemeralStorage != nil, ecsAbility+"extensible-ephemeral-storage")
	for _, v := range in.Volumes {
		need(v.EfsVolumeConfiguration != nil, ecsAbility+"efs", ecsAbility+"efsAuth", docker("25"))
	}
	for i := range in.ContainerDefinitions {
		c := &in.ContainerDefinitions[i]
		need(c.Ulimits != nil, docker("18"))
		need(yes(c.ReadonlyRootFilesystem) || c.Links != nil || c.DnsServers != nil || c.DnsSearchDomains != nil || c.ExtraHosts != nil ||
			c.DockerSecurityOptions != nil, docker("17"))
		need(c.MemoryReservation != nil, docker("21"))
		need(c.HealthCheck != nil, ecsAbility+"container-health-check", docker("24"))
		need(len(c.DependsOn) > 0, ecsAbility+"container-ordering")
		need(len(c.EnvironmentFiles) > 0, ecsAbility+"env-files.s3")
		need(yes(c.Privileged), capability+"privileged-container")
		need(c.RepositoryCredentials != nil, ecsAbility+"private-registry-authentication.secretsmanager")
		needLogging(need, docker, c.LogConfiguration, in.ExecutionRoleArn != nil)
		for _, s := range c.Secrets {
			if strings.HasPrefix(text(s.ValueFrom), "arn:aws:secretsmanager:") {
				need(true, ecsAbility+"secrets.asm.environment-variables")
			} else {
				need(true, ecsAbility+"secrets.ssm.environment-variables")
			}
		}
	}
	var out []types.Attribute
	for i := range names {
		out = append(out, types.Attribute{Name: &names[i]})
	}
	return out
}

func needLogging(need func(bool, ...string), docker func(string) string, l *types.LogConfiguration, role bool) {
	if l == nil {
		return
	}
	need(true, capability+"logging-driver."+string(l.LogDriver))
	if l.LogDriver != types.LogDriverAwslogs {
		return
	}
	need(true, docker("19"))
	need(role, ecsAbility+"execution-role-awslogs")
	_, create := l.Options["awslogs-create-group"]
	need(create, docker("29"))
	_, mode := l.Options["mode"]
	_, buffer := l.Options["max-buffer-size"]
	need(mode || buffer, docker("28"))
}

func yes(b *bool) bool { return b != nil && *b }
