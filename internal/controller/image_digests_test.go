package controller

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/ecs"
)

func TestPayloadHasDigests(t *testing.T) {
	d := &ecs.TaskDefinition{Definition: types.TaskDefinition{TaskDefinitionArn: aws.String("arn:aws:ecs:us-east-1:123456789012:task-definition/web:7"),
		ContainerDefinitions: []types.ContainerDefinition{{Name: aws.String("a"), Image: aws.String("a:1"), Memory: aws.Int32(10)}}}}
	r := &ecs.ServiceRevision{ContainerImages: []types.ContainerImage{{ContainerName: aws.String("a"), Image: aws.String("a:1"), ImageDigest: aws.String("sha256:1")}}}
	x := ecs.NewTask(ecs.TaskSpec{Task: demo.Task("1"), Definition: d})
	for want, of := range map[string]*ecs.TaskDefinition{"a:1": withDigests(d, nil), "a@sha256:1": withDigests(d, r)} {
		p, err := payloadTask(x, of)
		if err != nil || p.Containers[0].Image != want {
			t.Errorf("image %s, %v, want %s", p.Containers[0].Image, err, want)
		}
	}
	if *d.Definition.ContainerDefinitions[0].Image != "a:1" {
		t.Error("the definition itself was changed")
	}
}
