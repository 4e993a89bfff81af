package ecs

import (
	"strings"

	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/apierr"
)

// definitionVolumes checks the volumes and that containers mount only what there is.
func definitionVolumes(in *awsecs.RegisterTaskDefinitionInput) error {
	volumes, mounted := map[string]bool{}, map[string]bool{}
	for _, v := range in.Volumes {
		if err := volumeFault(v); err != nil {
			return err
		}
		if volumes[*v.Name] {
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
			if blank(m.ContainerPath) {
				return apierr.ClientException("Invalid 'mountPoints' setting for container '%s': containerPath should not be null or empty.", *c.Name)
			}
			mounted[*m.SourceVolume] = true
		}
		for _, v := range c.VolumesFrom {
			if findContainer(in, text(v.SourceContainer)) == nil {
				return apierr.ClientException("Invalid 'volumesFrom' setting. Unknown container: '%s'", text(v.SourceContainer))
			}
		}
	}
	return volumesAtLaunch(in.Volumes, mounted)
}

// volumeFault checks one volume by itself.
func volumeFault(v types.Volume) error {
	if blank(v.Name) {
		return apierr.ClientException("Volume name should not be null or empty.")
	}
	if len(*v.Name) > mostName || !nameText(*v.Name) {
		return apierr.ClientException("Volume name should be 1 to 255 letters, digits, hyphens and underscores, but was '%s'.", *v.Name)
	}
	kinds := 0
	for _, is := range []bool{
		v.Host != nil, v.DockerVolumeConfiguration != nil, v.EfsVolumeConfiguration != nil, v.FsxWindowsFileServerVolumeConfiguration != nil,
		v.S3filesVolumeConfiguration != nil,
	} {
		if is {
			kinds++
		}
	}
	if kinds > 1 || kinds > 0 && yes(v.ConfiguredAtLaunch) {
		return apierr.ClientException("Volume '%s' can have only one configuration.", *v.Name)
	}
	if h := v.Host; h != nil && text(h.SourcePath) != "" && !strings.HasPrefix(*h.SourcePath, "/") {
		return apierr.ClientException("Invalid 'sourcePath' setting for volume '%s': it should be an absolute path.", *v.Name)
	}
	if err := dockerVolumeFault(*v.Name, v.DockerVolumeConfiguration); err != nil {
		return err
	}
	return efsFault(*v.Name, v.EfsVolumeConfiguration)
}

func dockerVolumeFault(volume string, d *types.DockerVolumeConfiguration) error {
	if d == nil {
		return nil
	}
	if yes(d.Autoprovision) && d.Scope == types.ScopeTask {
		return apierr.ClientException("Invalid 'autoprovision' setting for volume '%s': it is supported only when scope is shared.", volume)
	}
	return clientException(validateEnum("dockerVolumeConfiguration.scope", d.Scope))
}

func efsFault(volume string, e *types.EFSVolumeConfiguration) error {
	if e == nil {
		return nil
	}
	if blank(e.FileSystemId) {
		return apierr.ClientException("Invalid 'efsVolumeConfiguration' setting for volume '%s': fileSystemId should not be null or empty.", volume)
	}
	if err := validateEnum("efsVolumeConfiguration.transitEncryption", e.TransitEncryption); err != nil {
		return clientException(err)
	}
	a, root := e.AuthorizationConfig, text(e.RootDirectory)
	encrypted := e.TransitEncryption == types.EFSTransitEncryptionEnabled
	switch {
	case a == nil:
		return nil
	case a.Iam == types.EFSAuthorizationConfigIAMEnabled && !encrypted:
		return apierr.ClientException("EFS IAM authorization requires TransitEncryption to be enabled.")
	case !blank(a.AccessPointId) && root != "" && root != "/":
		return apierr.ClientException(`When using an EFS access point, the root directory must either be set to "/" or be omitted.`)
	case !blank(a.AccessPointId) && !encrypted:
		return apierr.ClientException("EFS access points require TransitEncryption to be enabled.")
	}
	return clientException(validateEnum("efsVolumeConfiguration.authorizationConfig.iam", a.Iam))
}

// volumesAtLaunch checks the volumes that a service or RunTask configures: there can be one, and a container must mount it.
func volumesAtLaunch(volumes []types.Volume, mounted map[string]bool) error {
	count := 0
	for _, v := range volumes {
		if !yes(v.ConfiguredAtLaunch) {
			continue
		}
		if count++; count > 1 {
			return apierr.ClientException("A task definition can have only one volume that is configured at launch.")
		}
		if !mounted[*v.Name] {
			return apierr.ClientException("Volumes [%s] are not referenced by any of the containers in the task definition.", *v.Name)
		}
	}
	return nil
}
