package controller

import (
	"encoding/json"
	"reflect"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/awswire"
	"berth/internal/ecs"
	"berth/internal/golden"
)

// TestPayloadStories reads a task definition, and a task's overrides, as AWS writes them, and wants the task of the agent's payload.
func TestPayloadStories(t *testing.T) {
	plans := awswire.NewCompiler(awswire.LowerCamel)
	definitions, overrides := plans.Plan(reflect.TypeFor[types.TaskDefinition]()), plans.Plan(reflect.TypeFor[types.TaskOverride]())
	golden.Run(t, "testdata/payload/*.txtar", func(t *testing.T, in map[string]string) string {
		d, o := &ecs.TaskDefinition{}, &types.TaskOverride{}
		if _, err := definitions.DecodeJSON([]byte(in["definition"]), &d.Definition); err != nil {
			t.Fatal(err)
		}
		if _, err := overrides.DecodeJSON([]byte(in["overrides"]), o); err != nil {
			t.Fatal(err)
		}
		d.Definition.TaskDefinitionArn = aws.String("arn:aws:ecs:us-east-1:123456789012:task-definition/web:7")
		i := &ecs.Instance{ContainerInstanceArn: demo.Instance("i"), Registered: ecs.Resources{GPUs: []string{"GPU-1", "GPU-2", "GPU-3"}}}
		p, err := payloadTask(ecs.NewTask(ecs.TaskSpec{Task: demo.Task("1"), Definition: d, Instance: i, Overrides: o, Group: "family:web", LaunchType: types.LaunchTypeEc2}), d)
		if err != nil {
			t.Fatal(err)
		}
		text, err := json.MarshalIndent(p, "", " ")
		if err != nil {
			t.Fatal(err)
		}
		return string(text) + "\n"
	})
}
