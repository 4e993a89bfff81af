package ecs

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

func TestImageDigests(t *testing.T) {
	d := &TaskDefinition{Definition: types.TaskDefinition{ContainerDefinitions: []types.ContainerDefinition{
		{Name: aws.String("web"), Image: aws.String("host:5000/web:1")}, {Name: aws.String("log"), Image: aws.String("log"), VersionConsistency: types.VersionConsistencyEnabled},
		{Name: aws.String("free"), Image: aws.String("free:1"), VersionConsistency: types.VersionConsistencyDisabled},
		{Name: aws.String("local"), Image: aws.String("local:1")}, {Name: aws.String("own"), Image: aws.String("own@sha256:9")},
	}}}
	images := func(r *ServiceRevision) (list [5]string) {
		for i := range list {
			list[i] = r.Image(&d.Definition.ContainerDefinitions[i])
		}
		return list
	}
	named := [5]string{"host:5000/web:1", "log", "free:1", "local:1", "own@sha256:9"}
	r := &ServiceRevision{}
	if got := images(r); got != named || images(nil) != named {
		t.Errorf("before anything is told: %v", got)
	}
	told := func(web string) *Task {
		return &Task{Containers: []Container{{Name: "web", ImageDigest: web}, {Name: "log", ImageDigest: "sha256:2"}, {Name: "free", ImageDigest: "sha256:3"},
			{Name: "local"}, {Name: "own", ImageDigest: "sha256:9"}}}
	}
	one := r.Learn(told(""), d)
	two := one.Learn(told("sha256:1"), d)
	if got := images(two); got != [5]string{"host:5000/web@sha256:1", "log@sha256:2", "free:1", "local:1", "own@sha256:9"} {
		t.Errorf("after two tasks: %v", got)
	}
	if got := two.Learn(told("sha256:7"), d); got != two {
		t.Errorf("another digest of a later task changed %v into %v", images(two), images(got))
	}
	if images(r) != named || len(r.ContainerImages) != 0 || images(one) == images(two) {
		t.Error("learning changed the record that it read")
	}
	if len(two.ContainerImages) != 5 || two.ContainerImages[3].ImageDigest != nil || *two.ContainerImages[0].ImageDigest != "sha256:1" {
		t.Errorf("images %+v", two.ContainerImages)
	}
}

func TestRevisionOf(t *testing.T) {
	x := &Task{Service: "arn:aws:ecs:r:1:service/c/s", StartedBy: "ecs-svc/0123"}
	if got := x.RevisionOf(); got != "arn:aws:ecs:r:1:service-revision/c/s/0123" {
		t.Errorf("got %s", got)
	}
	if got := (&Task{StartedBy: "me"}).RevisionOf(); got != "" {
		t.Errorf("a task of its own is of %s", got)
	}
}
