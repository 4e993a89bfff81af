package ecs

import (
	"strings"
	"testing"
)

func TestQuotas(t *testing.T) {
	var q Quotas
	for name, want := range map[string]string{
		"clusters": "", "services-per-cluster": "", "container-instances-per-cluster": "", "tasks-per-service": "",
		"tags-per-resource": "the quota tags-per-resource is fixed at 50, as on AWS",
		"tasks":             `there is no quota "tasks", but clusters, services-per-cluster, container-instances-per-cluster, tasks-per-service`,
	} {
		if err := q.Set(name, 7); err == nil && want != "" || err != nil && err.Error() != want {
			t.Errorf("%s: %v, want %q", name, err, want)
		}
	}
	if err := q.Set("clusters", 0); err == nil || !strings.Contains(err.Error(), "at least 1") {
		t.Errorf("%v", err)
	}
	for _, one := range q.List() {
		if one.Adjustable != (one.Value == 7) || one.Default == 7 || one.Adjustable == (one.Value == one.Default) {
			t.Errorf("%+v", one)
		}
	}
	if q.Filled() != (Quotas{7, 7, 7, 7}) || (Quotas{}).Filled() != (Quotas{10_000, 5000, 5000, 5000}) {
		t.Errorf("%+v, %+v", q.Filled(), Quotas{}.Filled())
	}
}
