package main

import (
	"slices"
	"testing"

	"berth/internal/ecs"
)

func TestQuotaFlag(t *testing.T) {
	for _, c := range []struct{ given, want string }{
		{"clusters=1", ""}, {"clusters=1,services-per-cluster=2", ""}, {"", ""},
		{"clusters", `"clusters" is not NAME=VALUE`}, {"clusters=many", `the quota clusters: "many" is no number`},
		{"clusters=0", "the quota clusters must be at least 1, but was 0"},
		{"tasks-per-service=9", "that quota has a flag of its own, --tasks-per-service"},
		{"tags-per-resource=60", "the quota tags-per-resource is fixed at 50, as on AWS"},
		{"pods=9", `there is no quota "pods", but clusters, services-per-cluster, container-instances-per-cluster, tasks-per-service`},
	} {
		var q quotas
		if err := q.Set(c.given); err == nil && c.want != "" || err != nil && err.Error() != c.want {
			t.Errorf("%q: %v, want %q", c.given, err, c.want)
		}
	}
}

func TestQuotasOfAllFlags(t *testing.T) {
	c := serverCommand()
	if err := c.ParseFlags([]string{"--quota", "clusters=20000", "--quota", "services-per-cluster=7", "--tasks-per-service", "9"}); err != nil {
		t.Fatal(err)
	}
	if got := c.Flags().Lookup("quota").Value.String(); got != "clusters=20000,services-per-cluster=7" {
		t.Errorf("got %q", got)
	}
	l := limits{tasksPerService: 9, quotas: quotas{ecs.Quotas{Clusters: 3}}}
	if got := l.all(); got != (ecs.Quotas{Clusters: 3, TasksPerService: 9}) {
		t.Errorf("got %+v", got)
	}
}

func TestUpHandsItsQuotasOn(t *testing.T) {
	var in installation
	first := upOptions{limits: defaultLimits()}
	first.quotas.Clusters = 3
	if err := first.keepIn(said("quota"), &in); err != nil {
		t.Fatal(err)
	}
	again := upOptions{limits: defaultLimits()}
	if err := again.keepIn(said(), &in); err != nil {
		t.Fatal(err)
	}
	args, err := (&supervisor{data: dataDir(t.TempDir()), in: in, options: again}).serverArgs()
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(args, "--quota=clusters=3") {
		t.Errorf("not in %q", args)
	}
	c := serverCommand()
	if err := c.ParseFlags(args[1:]); err != nil {
		t.Errorf("the server does not take %q: %v", args, err)
	}
}
