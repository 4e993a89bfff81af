package controller

import (
	"encoding/json"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/google/go-cmp/cmp"

	"berth/internal/arn"
	"berth/internal/ecs"
	"berth/internal/state/statetest"
)

// logged is a definition with a container a driver, which is its name.
func logged(drivers ...types.LogConfiguration) *ecs.TaskDefinition {
	d := &ecs.TaskDefinition{}
	d.Definition.TaskDefinitionArn = aws.String("arn:aws:ecs:us-east-1:123456789012:task-definition/web:1")
	for _, l := range drivers {
		d.Definition.ContainerDefinitions = append(d.Definition.ContainerDefinitions, types.ContainerDefinition{
			Name: aws.String(string(l.LogDriver)), Image: aws.String("web"), LogConfiguration: &l,
		})
	}
	d.Definition.ContainerDefinitions = append(d.Definition.ContainerDefinitions, types.ContainerDefinition{Name: aws.String("plain"), Image: aws.String("web")})
	return d
}

func TestDefaultLogMode(t *testing.T) {
	d := logged(
		types.LogConfiguration{LogDriver: "json-file"}, types.LogConfiguration{LogDriver: "syslog", Options: map[string]string{"tag": "t"}},
		types.LogConfiguration{LogDriver: "fluentd", Options: map[string]string{"mode": "blocking"}},
		types.LogConfiguration{LogDriver: "awsfirelens", Options: map[string]string{"Name": "stdout"}}, types.LogConfiguration{LogDriver: "none"},
	)
	before, _ := json.Marshal(d)
	task := &ecs.Task{TaskArn: demo.Task("1"), TaskDefinitionArn: d.ARN()}
	chosen := func(region, value string) *ecs.AccountSetting {
		scope := arn.ScopeOf(demo)
		return &ecs.AccountSetting{Region: region, PrincipalArn: ecs.Root(scope), Name: types.SettingNameDefaultLogDriverMode, Value: value}
	}
	for want, setting := range map[string]*ecs.AccountSetting{"non-blocking": chosen("eu-west-1", "blocking"), "blocking": chosen("us-east-1", "blocking")} {
		p, err := (&Instances{}).build(statetest.Open(t, d, task, setting).View(), task)
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]any{}
		for _, c := range p.Containers {
			var host struct {
				LogConfig *struct{ Config map[string]string }
			}
			if err := json.Unmarshal([]byte(c.DockerConfig.HostConfig), &host); err != nil {
				t.Fatal(err)
			}
			if host.LogConfig != nil {
				got[c.Name] = host.LogConfig.Config["mode"]
			}
		}
		all := map[string]any{"json-file": want, "syslog": want, "fluentd": "blocking", "awsfirelens": "", "none": ""}
		if diff := cmp.Diff(all, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", want, diff)
		}
	}
	if after, _ := json.Marshal(d); string(after) != string(before) {
		t.Errorf("the record has changed: %s", after)
	}
}
