package clients

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// differences compares a service's definition with what is there, as ecspresso does: both as the request that would update the service, with
// tags, without what is null or empty. Each is said in a line.
func (e *ecspresso) differences(want, have *definition) []string {
	sides := make([]any, 2)
	for i, d := range []*definition{want, have} {
		tags := slices.SortedFunc(slices.Values(d.Tags), func(a, b types.Tag) int { return strings.Compare(*a.Key, *b.Key) })
		in := e.update(d)
		if want.DesiredCount == nil {
			in.DesiredCount = nil
		}
		sides[i] = plain(struct {
			*awsecs.UpdateServiceInput
			Tags []types.Tag
		}{in, tags})
	}
	return append(missing("", sides[0], sides[1]), missing("", sides[1], sides[0])...)
}

// taskDefinitionDifferences compares a task definition with the one of an ARN.
func (e *ecspresso) taskDefinitionDifferences(ctx context.Context, td *awsecs.RegisterTaskDefinitionInput, arn string) ([]string, error) {
	have, err := e.taskDefinition(ctx, arn)
	if err != nil {
		return nil, err
	}
	return append(missing("", plain(td), plain(have)), missing("", plain(have), plain(td))...), nil
}

// taskDefinition is a registered task definition as a file that registers it again.
func (e *ecspresso) taskDefinition(ctx context.Context, arn string) (*awsecs.RegisterTaskDefinitionInput, error) {
	out, err := e.api.DescribeTaskDefinition(ctx, &awsecs.DescribeTaskDefinitionInput{
		TaskDefinition: &arn, Include: []types.TaskDefinitionField{types.TaskDefinitionFieldTags},
	})
	if err != nil {
		return nil, err
	}
	d := out.TaskDefinition
	in := &awsecs.RegisterTaskDefinitionInput{
		Family: d.Family, ContainerDefinitions: d.ContainerDefinitions, Cpu: d.Cpu, Memory: d.Memory, EphemeralStorage: d.EphemeralStorage,
		ExecutionRoleArn: d.ExecutionRoleArn, TaskRoleArn: d.TaskRoleArn, NetworkMode: d.NetworkMode, PlacementConstraints: d.PlacementConstraints,
		RequiresCompatibilities: d.RequiresCompatibilities, RuntimePlatform: d.RuntimePlatform, ProxyConfiguration: d.ProxyConfiguration, Volumes: d.Volumes,
		PidMode: d.PidMode, IpcMode: d.IpcMode, EnableFaultInjection: d.EnableFaultInjection,
	}
	if len(out.Tags) > 0 {
		in.Tags = out.Tags
	}
	return in, nil
}

// plain is a value as JSON reads it, without what is null, an empty list or an empty text.
func plain(v any) any {
	b, err := json.Marshal(v)
	var out any
	if err == nil {
		err = json.Unmarshal(b, &out)
	}
	if err != nil {
		panic(err)
	}
	return withoutNothing(out)
}

func withoutNothing(v any) any {
	switch v := v.(type) {
	case string:
		if v == "" {
			return nil
		}
	case map[string]any:
		for k, x := range v {
			if x = withoutNothing(x); x == nil {
				delete(v, k)
			} else {
				v[k] = x
			}
		}
	case []any:
		if len(v) == 0 {
			return nil
		}
		for i := range v {
			v[i] = withoutNothing(v[i])
		}
	}
	return v
}

// missing says what a value of JSON has and another has not, or not so. Lists are compared item by item.
func missing(path string, a, b any) (lines []string) {
	switch x := a.(type) {
	case map[string]any:
		y, _ := b.(map[string]any)
		for k := range x {
			lines = append(lines, missing(path+"."+k, x[k], y[k])...)
		}
		return lines
	case []any:
		y, _ := b.([]any)
		if len(x) == len(y) {
			for i := range x {
				lines = append(lines, missing(fmt.Sprintf("%s[%d]", path, i), x[i], y[i])...)
			}
			return lines
		}
	}
	if !reflect.DeepEqual(a, b) {
		lines = append(lines, fmt.Sprintf("%s is %v, and not %v", path, a, b))
	}
	return lines
}

// written is a service's definition as somebody writes it by hand.
func written() *definition {
	d := &definition{DesiredCount: aws.Int32(2)}
	d.LaunchType, d.SchedulingStrategy = types.LaunchTypeEc2, types.SchedulingStrategyReplica
	d.DeploymentController = &types.DeploymentController{Type: types.DeploymentControllerTypeEcs}
	d.DeploymentConfiguration = &types.DeploymentConfiguration{
		MinimumHealthyPercent: aws.Int32(50), MaximumPercent: aws.Int32(200),
		DeploymentCircuitBreaker: &types.DeploymentCircuitBreaker{Enable: false, Rollback: false},
	}
	d.PlacementStrategy = []types.PlacementStrategy{
		{Type: types.PlacementStrategyTypeSpread, Field: aws.String("attribute:ecs.availability-zone")}, {Type: types.PlacementStrategyTypeSpread, Field: aws.String("instanceId")},
	}
	d.PlacementConstraints = []types.PlacementConstraint{{Type: types.PlacementConstraintTypeMemberOf, Expression: aws.String("attribute:ecs.os-type == linux")}}
	d.EnableECSManagedTags, d.PropagateTags = true, types.PropagateTagsService
	d.Tags = []types.Tag{{Key: aws.String("stage"), Value: aws.String("test")}, {Key: aws.String("team"), Value: aws.String("web")}}
	return d
}
