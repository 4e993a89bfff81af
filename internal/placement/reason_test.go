package placement

import (
	"testing"

	"berth/internal/arn"
)

// The words of each reason: in the failures of RunTask and StartTask, and in the service event that names the closest container instance.
func TestReasonWords(t *testing.T) {
	i := arn.Scope{Region: "r", Account: "1"}.Cluster("c").Instance("0123")
	words := map[Reason][2]string{
		Attribute:        {"ATTRIBUTE", "is missing an attribute required by your task."},
		Agent:            {"AGENT", "doesn't have the agent connected."},
		MemberOf:         {"MemberOf placement constraint unsatisfied.", `encountered error "MemberOf placement constraint unsatisfied.".`},
		DistinctInstance: {"DistinctInstance placement constraint unsatisfied.", `encountered error "DistinctInstance placement constraint unsatisfied.".`},
		CPU:              {"RESOURCE:CPU", "has insufficient CPU units available."},
		Memory:           {"RESOURCE:MEMORY", "has insufficient memory available."},
		ENI:              {"RESOURCE:ENI", `encountered error "RESOURCE:ENI".`},
		GPU:              {"RESOURCE:GPU", "has insufficient GPU resource available."},
		PortsTCP:         {"RESOURCE:PORTS", "is already using a port required by your task."},
		PortsUDP:         {"RESOURCE:PORTS_UDP", "is already using a port required by your task."},
	}
	for r := Attribute; r <= PortsUDP; r++ {
		w := words[r]
		if got := r.String(); got != w[0] {
			t.Errorf("%d in failures: got %q, want %q", r, got, w[0])
		}
		want := "was unable to place a task because no container instance met all of its requirements. The closest matching (container-instance 0123) " + w[1] +
			" For more information, see the Troubleshooting section of the Amazon ECS Developer Guide."
		if got := (Plan{Refused: 1, Closest: Verdict{Instance: i, Reason: r}}).ServiceEvent(); got != want {
			t.Errorf("%d in events:\ngot  %s\nwant %s", r, got, want)
		}
	}
	if got := Inactive.String(); got != "INACTIVE" {
		t.Errorf("got %q, want INACTIVE", got)
	}
}
