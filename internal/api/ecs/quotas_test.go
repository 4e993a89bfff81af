package ecs

import (
	"fmt"
	"testing"

	"berth/internal/ecs"
	"berth/internal/state"
)

// limited is a launch pad with quotas.
func limited(t *testing.T, q ecs.Quotas, records ...ecs.Record) *launchPad {
	t.Helper()
	p := newLaunchPad(t, records...)
	for _, o := range New(Config{State: p.store, Quotas: q}).Service().Operations {
		p.ops[o.Name] = o
	}
	return p
}

func (p *launchPad) exceeds(t *testing.T, operation, body, message string) {
	t.Helper()
	before := p.store.View().N
	_, err := p.ask(t, "ADMIN", operation, body)
	if err == nil || err.Code != "LimitExceededException" || err.Message != message || p.store.View().N != before {
		t.Errorf("%s: got %v, want %s", operation, err, message)
	}
}

func TestQuotaOfClusters(t *testing.T) {
	p := limited(t, ecs.Quotas{Clusters: 3}) // demo and empty are there
	p.must(t, "CreateCluster", `{"clusterName":"third"}`)
	const message = "The limit for the resource was exceeded: there can be at most 3 clusters of an account in a region."
	p.exceeds(t, "CreateCluster", `{"clusterName":"fourth"}`, message)
	p.exceeds(t, "CreateCluster", `{"clusterName":"gone"}`, message)
	p.must(t, "CreateCluster", `{"clusterName":"third"}`)
	p.must(t, "DeleteCluster", `{"cluster":"third"}`)
	p.must(t, "CreateCluster", `{"clusterName":"fourth"}`)
}

func TestQuotaOfServices(t *testing.T) {
	create := func(name string) string {
		return fmt.Sprintf(`{"cluster":"demo","serviceName":%q,"taskDefinition":"port","desiredCount":0}`, name)
	}
	p := limited(t, ecs.Quotas{ServicesPerCluster: 5}, shop()...) // web, quiet and sets are ACTIVE, leaving is DRAINING
	p.must(t, "CreateService", create("one"))
	p.exceeds(t, "CreateService", create("two"), "The limit for the resource was exceeded: there can be at most 5 services of a cluster.")
	p.must(t, "CreateService", create("one"))
}

func TestQuotaOfTasksOfAService(t *testing.T) {
	p := limited(t, ecs.Quotas{TasksPerService: 2})
	_, err := p.ask(t, "ADMIN", "CreateService", `{"cluster":"demo","serviceName":"s","taskDefinition":"port","desiredCount":3}`)
	if err == nil || err.Message != "desiredCount must be at most 2, the quota of tasks of a service, but was 3" {
		t.Errorf("got %v", err)
	}
}

func TestQuotaOfInstances(t *testing.T) {
	p := limited(t, ecs.Quotas{InstancesPerCluster: 4}) // i1, i2 and i3 are there
	p.must(t, "RegisterContainerInstance", `{"cluster":"demo",`+size+`,"clientToken":"four"}`)
	p.exceeds(t, "RegisterContainerInstance", `{"cluster":"demo",`+size+`}`,
		"The limit for the resource was exceeded: there can be at most 4 container instances of a cluster.")
	p.must(t, "RegisterContainerInstance", `{"cluster":"demo",`+size+`,"clientToken":"four"}`)
	if _, err := p.ask(t, "AKIAi1", "RegisterContainerInstance", `{"cluster":"demo",`+size+`}`); err != nil {
		t.Errorf("one that is there: %v", err)
	}
}

func TestQuotaOfRevisions(t *testing.T) {
	p := newLaunchPad(t)
	err := p.store.Update(t.Context(), func(tx *state.Tx) error {
		tx.Put(&ecs.Family{Scope: ecs.FamilyKey(padScope, "f"), LastRevision: ecs.RevisionsPerFamily - 1})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	p.must(t, "RegisterTaskDefinition", newRevision("f"))
	p.exceeds(t, "RegisterTaskDefinition", newRevision("f"), "The limit for the resource was exceeded: there can be at most 1000000 revisions of a family.")
}
