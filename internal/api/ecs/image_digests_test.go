package ecs

import (
	"testing"

	"berth/internal/ecs"
)

// The digest that a service's first task tells is the revision's; a later task's is not.
func TestReportSettlesImages(t *testing.T) {
	service := padCluster.Service("s")
	task := func(id string) *ecs.Task {
		return &ecs.Task{TaskArn: padCluster.Task(id), TaskDefinitionArn: padScope.TaskDefinition("web", 1), ContainerInstanceArn: padCluster.Instance("i1"),
			Service: service, StartedBy: "ecs-svc/1", Group: "service:s", DesiredStatus: ecs.Running, LastStatus: ecs.Pending}
	}
	revision := (&ecs.Service{ServiceArn: service}).Revision("ecs-svc/1")
	p := newLaunchPad(t, task("t1"), task("t2"), &ecs.ServiceRevision{ServiceRevisionArn: revision, TaskDefinition: padScope.TaskDefinition("web", 1)})
	for _, id := range []string{"t1", "t2"} {
		p.must(t, "SubmitTaskStateChange", `{"cluster":"demo","task":"`+string(padCluster.Task(id))+`","status":"RUNNING","containers":[
			{"containerName":"web","status":"RUNNING","imageDigest":"sha256:of-`+id+`"},{"containerName":"log","status":"RUNNING"}]}`)
		images := p.store.View().Revisions.Get(revision).ContainerImages
		if len(images) != 2 || images[0].ImageDigest == nil || *images[0].ImageDigest != "sha256:of-t1" || images[1].ImageDigest != nil {
			t.Errorf("after the report of %s the revision has %+v", id, images)
		}
	}
}
