package agentwire

import (
	"testing"

	"berth/internal/arn"
)

var scope = arn.Scope{Partition: "aws", Region: "us-east-1", Account: testAccount}

// statement is a test of the suite. Its name is what the checklist names.
type statement struct {
	name string
	test func(s *stage)
}

// suite is everything that is asked of any server.
func suite() []statement {
	var all []statement
	for _, part := range [][]statement{registering(), connecting(), telling(), reporting(), framing(), publishing(), living()} {
		all = append(all, part...)
	}
	return all
}

// hold runs the suite against a world, each test in a cluster of its own.
func hold(t *testing.T, w *world) {
	for _, x := range suite() {
		t.Run(x.name, func(t *testing.T) {
			t.Parallel()
			x.test(w.stage(t))
		})
	}
}

// TestPlane holds a control plane in this process to the protocol.
func TestPlane(t *testing.T) { hold(t, onPlane(t)) }
