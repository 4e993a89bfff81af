package ecs

import (
	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// unservedMember is a member of a request and whether the request has it.
type unservedMember struct {
	member string
	is     bool
}

// definitionUnserved refuses by name what a task would not be right without and what is not acted on yet. What a task only lacks where it
// runs (a role's credentials, a log driver) is left to placement, which finds no instance that can do it.
func definitionUnserved(in *awsecs.RegisterTaskDefinitionInput) error {
	list := []unservedMember{
		{"proxyConfiguration", in.ProxyConfiguration != nil},
		{"enableFaultInjection", yes(in.EnableFaultInjection)},
	}
	for _, v := range in.Volumes {
		list = append(list, unservedVolume(v)...)
	}
	for i := range in.ContainerDefinitions {
		list = append(list, unservedContainer(&in.ContainerDefinitions[i])...)
	}
	for _, u := range list {
		if u.is {
			return notActedOn(u.member)
		}
	}
	return nil
}

func firelensFromS3(c *types.ContainerDefinition) bool {
	return c.FirelensConfiguration != nil && c.FirelensConfiguration.Options["config-file-type"] == "s3"
}

// secretAwslogs says whether options of awslogs are secrets: nothing of it is one, and they say at registration what is to be.
func secretAwslogs(l *types.LogConfiguration) bool {
	return l != nil && l.LogDriver == types.LogDriverAwslogs && len(l.SecretOptions) > 0
}

func unservedVolume(v types.Volume) []unservedMember {
	return []unservedMember{
		{"volumes.efsVolumeConfiguration", v.EfsVolumeConfiguration != nil},
		{"volumes.fsxWindowsFileServerVolumeConfiguration", v.FsxWindowsFileServerVolumeConfiguration != nil},
		{"volumes.s3filesVolumeConfiguration", v.S3filesVolumeConfiguration != nil},
		{"volumes.configuredAtLaunch", yes(v.ConfiguredAtLaunch)},
	}
}

func unservedContainer(c *types.ContainerDefinition) []unservedMember {
	list := []unservedMember{
		{"containerDefinitions.firelensConfiguration.options config-file-type s3", firelensFromS3(c)},
		{"containerDefinitions.credentialSpecs", len(c.CredentialSpecs) > 0},
		{"containerDefinitions.logConfiguration.secretOptions of the log driver awslogs", secretAwslogs(c.LogConfiguration)},
	}
	return list
}
