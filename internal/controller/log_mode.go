package controller

import (
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/arn"
	"berth/internal/ecs"
	"berth/internal/state"
)

// defaultLogMode is how log drivers are written to where a definition does not say: as the account has chosen.
func defaultLogMode(t *state.Tables, task arn.Task) string {
	scope := arn.ScopeOf(task)
	return t.Chosen(scope, ecs.Root(scope), types.SettingNameDefaultLogDriverMode).Value
}

// withLogMode returns the definition with a mode for every log driver that takes one and has none.
func withLogMode(d *ecs.TaskDefinition, mode string) *ecs.TaskDefinition {
	filled, copied := d, false
	for i := range d.Definition.ContainerDefinitions {
		l := d.Definition.ContainerDefinitions[i].LogConfiguration
		if l == nil || l.Options["mode"] != "" || l.LogDriver == types.LogDriverAwsfirelens || l.LogDriver == "none" {
			continue
		}
		if !copied {
			n := *d
			n.Definition.ContainerDefinitions = slices.Clone(d.Definition.ContainerDefinitions)
			filled, copied = &n, true
		}
		c := *l
		c.Options = maps.Clone(l.Options)
		if c.Options == nil {
			c.Options = map[string]string{}
		}
		c.Options["mode"] = mode
		filled.Definition.ContainerDefinitions[i].LogConfiguration = &c
	}
	return filled
}
