package clients

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/e2e/site"
)

// TestSilinternational deploys as the shell script ecs-deploy of that name does, which is the CLI and jq: the same commands in the same order,
// and its two conditions: one task of the new definition runs, and one deployment is left.
func TestSilinternational(t *testing.T) {
	t.Parallel()
	in, name := here(t), "silinternational"
	serve(t, in.client(), name, 1, sleeper(name))
	ecs := func(into any, args ...string) {
		t.Helper()
		if err := json.Unmarshal([]byte(in.aws(t, append([]string{"--output", "json", "ecs"}, args...)...)), into); err != nil {
			t.Fatalf("%v: %v", args, err)
		}
	}
	var service struct{ Services []types.Service }
	ecs(&service, "describe-services", "--services", name, "--cluster", "default", "--query", "{services: services[].{taskDefinition: taskDefinition}}")
	old := *service.Services[0].TaskDefinition
	var now struct{ TaskDefinition map[string]any }
	ecs(&now, "describe-task-definition", "--task-def", old)
	kept := map[string]any{}
	for _, member := range []string{"family", "volumes", "containerDefinitions", "placementConstraints"} {
		kept[member] = now.TaskDefinition[member]
	}
	kept["containerDefinitions"].([]any)[0].(map[string]any)["environment"] = []any{map[string]any{"name": "VERSION", "value": "2"}}
	b, err := json.Marshal(kept)
	if err != nil {
		t.Fatal(err)
	}
	var made struct {
		TaskDefinition struct{ TaskDefinitionArn string }
	}
	ecs(&made, "register-task-definition", "--cli-input-json", string(b))
	arn := made.TaskDefinition.TaskDefinitionArn
	in.aws(t, "ecs", "update-service", "--cluster", "default", "--service", name, "--desired-count", "1", "--task-definition", arn,
		"--deployment-configuration", "maximumPercent=200,minimumHealthyPercent=100")

	eventually(t, "a task of the new definition runs", func() error {
		var list struct{ TaskArns []string }
		ecs(&list, "list-tasks", "--cluster", "default", "--service-name", name, "--desired-status", "RUNNING")
		var tasks struct {
			Tasks []struct{ TaskDefinitionArn, LastStatus string }
		}
		ecs(&tasks, append([]string{"describe-tasks", "--cluster", "default", "--tasks"}, list.TaskArns...)...)
		for _, task := range tasks.Tasks {
			if task.TaskDefinitionArn == arn && task.LastStatus == "RUNNING" {
				return nil
			}
		}
		return fmt.Errorf("there are %v", tasks.Tasks)
	})
	var revisions struct{ TaskDefinitionArns []string }
	ecs(&revisions, "list-task-definitions", "--family-prefix", name, "--status", "ACTIVE", "--sort", "ASC")
	if !slices.Equal(revisions.TaskDefinitionArns, []string{old, arn}) {
		t.Errorf("the revisions are %v", revisions.TaskDefinitionArns)
	}
	in.aws(t, "ecs", "deregister-task-definition", "--task-definition", revisions.TaskDefinitionArns[0])
	eventually(t, "one deployment is left", func() error {
		left := in.aws(t, "ecs", "describe-services", "--services", name, "--cluster", "default", "--query", "length(services[].deployments[])")
		if left != "1" {
			return fmt.Errorf("%s are", left)
		}
		return nil
	})
}

// eventually is site.Eventually for what costs a process at each look.
func eventually(t *testing.T, what string, is func() error) {
	t.Helper()
	site.Eventually(t, what, func() error {
		err := is()
		if err != nil {
			time.Sleep(time.Second)
		}
		return err
	})
}
