package ecs

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/ecs"
)

// TestOverriddenSecrets: an override cannot make a variable of what is a secret of the same container.
func TestOverriddenSecrets(t *testing.T) {
	d := &ecs.TaskDefinition{Definition: types.TaskDefinition{ContainerDefinitions: []types.ContainerDefinition{
		{Name: aws.String("c"), Secrets: []types.Secret{{Name: aws.String("S"), ValueFrom: aws.String("/p")}}}, {Name: aws.String("d")}}}}
	for _, c := range []struct{ container, variable, want string }{
		{"c", "S", "ClientException: The secret name must be unique and not shared with any new or existing environment variables set on the container, such as 'S'."},
		{"c", "T", ""},
		{"d", "S", ""},
	} {
		o := &types.TaskOverride{ContainerOverrides: []types.ContainerOverride{{Name: &c.container, Environment: []types.KeyValuePair{{Name: &c.variable, Value: aws.String("v")}}}}}
		got := ""
		if err := overridesSuit(o, d); err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("variable %s of container %s: %q, want %q", c.variable, c.container, got, c.want)
		}
	}
}
