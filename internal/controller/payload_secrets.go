package controller

import (
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/acsproto"
	"berth/internal/arn"
	"berth/internal/ecs"
)

// payloadSecrets names the secrets of a container and of its log driver: where they are, not what they are.
func payloadSecrets(t *ecs.Task, c *types.ContainerDefinition) (list []acsproto.Secret) {
	add := func(secrets []types.Secret, target string) {
		for _, s := range secrets {
			from := text(s.ValueFrom)
			list = append(list, acsproto.Secret{Name: text(s.Name), ValueFrom: from, Region: secretRegion(t, from), Type: acsproto.EnvironmentVariable,
				Provider: ecs.SecretProvider(from), Target: target})
		}
	}
	add(c.Secrets, acsproto.TargetContainer)
	if c.LogConfiguration != nil {
		add(c.LogConfiguration.SecretOptions, acsproto.TargetLogDriver)
	}
	return list
}

// secretRegion is the region of an ARN. A name is one of the task's own region.
func secretRegion(t *ecs.Task, from string) string {
	if a, err := arn.Parse(from); err == nil && a.Region != "" {
		return a.Region
	}
	return arn.ScopeOf(t.TaskArn).Region
}
