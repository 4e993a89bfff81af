package agent_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"berth/internal/agent"
)

// TestNames: a task with an interface has its files before its pause container is there, and until its containers are removed.
func TestNames(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newVPCWorld(t)
		w.tell("demo", inVPC(1, eni))
		w.start()
		defer func() { w.kill() }()
		one := networked(1, eni, essential("a", "app"))
		one.Interfaces[0].DomainNameServers = []string{"10.0.0.2"}
		w.control.Run(one)
		w.expect(one.ARN, "RUNNING a:RUNNING")
		id := one.ARN[len(one.ARN)-32:]
		if got := w.names.Texts(); len(got) != 1 || got[id].Resolver != "nameserver 10.0.0.2\n" {
			t.Errorf("the files are %v", got)
		}
		w.control.Stop(one.ARN)
		w.expect(one.ARN, "STOPPED a:STOPPED(143)")
		if len(w.names.Texts()) != 1 {
			t.Error("the files went before the containers")
		}
		w.names.Fail(errors.New("the disk stands still"))
		time.Sleep(2 * time.Hour)
		if len(w.names.Texts()) != 1 {
			t.Error("the files went, which cannot be")
		}
		w.names.Fail(nil)
		time.Sleep(10 * time.Minute)
		if got := w.names.Texts(); len(got) != 0 || len(w.ledger.Keys()) != 1 {
			t.Errorf("left are the files %v, and %d values in the ledger, want the instance's alone", got, len(w.ledger.Keys()))
		}
	})
}

// TestNamesCannotBeWritten: a task that would not know any names is not run.
func TestNamesCannotBeWritten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newVPCWorld(t)
		w.names.Fail(errors.New("no space left on device"))
		w.tell("demo", inVPC(1, eni))
		w.start()
		defer func() { w.kill() }()
		one := networked(1, eni, essential("a", "app"))
		w.control.Run(one)
		w.expect(one.ARN, "STOPPED a:STOPPED CannotCreateContainerError: write the task's hosts and resolv.conf: no space left on device")
		w.nothingLeft()
		if n := w.engine.Containers(agent.Created); n > 1 {
			t.Errorf("%d containers were created", n)
		}
	})
}
