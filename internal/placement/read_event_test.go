package placement

import (
	"testing"

	"berth/internal/arn"
)

// TestReadServiceEvent reads every text that ServiceEvent can write.
func TestReadServiceEvent(t *testing.T) {
	i := arn.Scope{Region: "r", Account: "1"}.Cluster("c").Instance("0123")
	for r := Attribute; r <= PortsUDP; r++ {
		want := r
		if r == PortsUDP {
			want = PortsTCP
		}
		id, got, ok := ReadServiceEvent(Plan{Refused: 1, Closest: Verdict{Instance: i, Reason: r}}.ServiceEvent())
		if !ok || got != want || id != "0123" {
			t.Errorf("%v: read %q %v %v", r, id, got, ok)
		}
	}
	if id, r, ok := ReadServiceEvent(Plan{Refused: 1}.ServiceEvent()); !ok || id != "" || r != None {
		t.Errorf("no instances: read %q %v %v", id, r, ok)
	}
	if _, _, ok := ReadServiceEvent("has reached a steady state."); ok {
		t.Error("another event was taken for one")
	}
}
