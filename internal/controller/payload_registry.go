package controller

import (
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/acsproto"
	"berth/internal/ecr"
	"berth/internal/ecs"
)

// payloadRegistry says how to log in to the registry of a container's image, nil where that needs none.
func payloadRegistry(t *ecs.Task, d *ecs.TaskDefinition, c *types.ContainerDefinition) *acsproto.RegistryAuthentication {
	if r := c.RepositoryCredentials; r != nil {
		from := text(r.CredentialsParameter)
		return &acsproto.RegistryAuthentication{Type: acsproto.AuthSecretsManager, ASM: &acsproto.SecretAuthData{CredentialsParameter: from, Region: secretRegion(t, from)}}
	}
	i, ok := ecr.ParseImage(text(c.Image))
	if !ok {
		return nil
	}
	return &acsproto.RegistryAuthentication{Type: acsproto.AuthECR,
		ECR: &acsproto.ECRAuthData{RegistryID: i.Scope.Account, Region: i.Scope.Region, UseExecutionRole: t.RoleArn(d, true) != ""}}
}
