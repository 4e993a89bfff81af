package network

import (
	"testing"
)

// TestTasksReachEachOther is the first thing that a VPC is for: in one subnet and across subnets, with the addresses that the state says.
func TestTasksReachEachOther(t *testing.T) {
	t.Parallel()
	k := newKeeper(t, Config{})
	w := newWorld()
	w.nic("eni-a", "10.0.1.10", "sg-open")
	w.nic("eni-b", "10.0.1.11", "sg-open")
	w.nic("eni-c", "10.0.2.10", "sg-open")
	apply(t, k, w)
	a, b, c := attach(t, k, "eni-a"), attach(t, k, "eni-b"), attach(t, k, "eni-c")
	b.serveTCP(t, 80)
	c.serveTCP(t, 80)
	if seen := a.reaches(t, "10.0.1.11:80"); seen[:len("10.0.1.10:")] != "10.0.1.10:" {
		t.Errorf("seen as %s", seen)
	}
	a.reaches(t, "10.0.2.10:80")
}
