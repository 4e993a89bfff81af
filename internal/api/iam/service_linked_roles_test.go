package iam

import (
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"berth/internal/ecs"
)

var taskOfDeletion = regexp.MustCompile(`<DeletionTaskId>(.*?)</DeletionTaskId>`)

// The role of ECS stays for as long as there is a cluster, and how its deletion ended is known for a day.
func TestDeleteServiceLinkedRole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cluster := &ecs.Cluster{ClusterArn: "arn:aws:ecs:us-east-1:123456789012:cluster/web", Status: ecs.Active}
		a := newAccount(t, cluster, &ecs.Cluster{ClusterArn: "arn:aws:ecs:us-east-1:210987654321:cluster/other", Status: ecs.Active})
		a.must(t, "CreateServiceLinkedRole AWSServiceName=ecs.amazonaws.com")
		deletion := func() string {
			return taskOfDeletion.FindStringSubmatch(a.must(t, "DeleteServiceLinkedRole RoleName=AWSServiceRoleForECS"))[1]
		}
		first := deletion()
		status := a.must(t, "GetServiceLinkedRoleDeletionStatus DeletionTaskId="+first)
		if !strings.Contains(status, "<Status>FAILED</Status>") || !strings.Contains(status, "<Region>us-east-1</Region>") ||
			!strings.Contains(status, "<member>"+string(cluster.ClusterArn)+"</member>") || strings.Contains(status, "210987654321") {
			t.Errorf("with a cluster: %s", status)
		}
		a.must(t, "GetRole RoleName=AWSServiceRoleForECS")

		gone := *cluster
		gone.Status = ecs.Inactive
		a.put(t, &gone)
		second := deletion()
		if status := a.must(t, "GetServiceLinkedRoleDeletionStatus DeletionTaskId="+second); !strings.Contains(status, "<Status>SUCCEEDED</Status>") {
			t.Errorf("without a cluster: %s", status)
		}
		if got, want := a.tell(t, "GetRole RoleName=AWSServiceRoleForECS"), none+": The role with name AWSServiceRoleForECS cannot be found.\n"; got != want {
			t.Errorf("the role after its deletion: %s", got)
		}

		time.Sleep(deletionKept + time.Second)
		a.must(t, "CreateServiceLinkedRole AWSServiceName=ecs.amazonaws.com")
		deletion()
		if got, want := a.tell(t, "GetServiceLinkedRoleDeletionStatus DeletionTaskId="+first), none+": Deletion task "+first+" cannot be found.\n"; got != want {
			t.Errorf("a deletion of the day before: %s", got)
		}
		if n := a.store.View().RoleDeletions.Len(); n != 1 {
			t.Errorf("%d deletions are kept", n)
		}
	})
}
