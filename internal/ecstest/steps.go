package ecstest

import (
	"context"
	"errors"
	"time"

	"berth/internal/state/mem"
)

// operation is what clients do for an action, nil if it is a fault.
func (w *world) operation(a Action) func(context.Context, Step) {
	switch a {
	case CreateService:
		return w.createService
	case UpdateService:
		return w.updateService
	case DeleteService:
		return w.deleteService
	case StopDeployment:
		return w.stopDeployment
	case TaskSet:
		return w.taskSet
	case RunTask:
		return w.runTask
	case StopTask:
		return w.stopTask
	case Protect:
		return w.protect
	case Drain:
		return w.drain
	case Deregister:
		return w.deregister
	case PutAttribute, DeleteAttribute:
		return w.changeAttribute
	case ChooseSetting:
		return w.chooseSetting
	case Tag:
		return w.tag
	case Wrong:
		return w.wrongCall
	}
	return nil
}

// step does one step of the script. Operations go on beside what comes next.
func (w *world) step(x Step) {
	if do := w.operation(x.Do); do != nil {
		w.call(func(ctx context.Context) { do(ctx, x) })
		return
	}
	m := w.agents[max(0, x.A)%len(w.agents)]
	switch x.Do {
	case ClientLoses:
		w.client.loseNext(x.B)
	case CutWire:
		m.wire.cut()
	case FreezeWire:
		m.wire.freeze()
	case LoseAnswers:
		m.wire.loseNext(x.B)
	case RepeatCalls:
		m.wire.repeatNext(x.B)
	case KillAgent:
		m.kill(x.B)
	case StartAgent:
		m.start()
	case LoseLedger:
		if m.down() {
			m.ledger.Lose()
		}
	case SlowEngine:
		m.engine.SetPace(time.Duration(x.B) * time.Millisecond)
	case StopEngine:
		m.engine.Down(true)
	case StartEngine:
		m.engine.Down(false)
	case Exit, Unhealthy:
		w.harm(x)
	default:
		w.harmReplica(x)
	}
}

// harm does something to a running container.
func (w *world) harm(x Step) {
	all := w.containers()
	if len(all) == 0 {
		return
	}
	c := all[x.A%len(all)]
	if x.Do == Exit {
		c.machine.engine.Exit(c.name, x.B)
	} else {
		c.machine.engine.SetHealth(c.name, "UNHEALTHY")
	}
}

func (w *world) harmReplica(x Step) {
	if x.Do == KillReplica || x.Do == CutStore || x.Do == BadCommit {
		w.client.doubt()
	}
	n, r := w.pick(x.A)
	switch {
	case x.Do == StartReplica:
		w.startReplica(n)
	case x.Do == BadCommit:
		if _, leader := w.pick(-1); leader != nil {
			leader.backend.Faults.Next(commitFaults[x.A%len(commitFaults)])
		}
	case r == nil:
	case x.Do == Latency:
		r.net.SetLatency(time.Duration(x.B) * time.Millisecond)
	case x.Do == KillReplica:
		w.killReplica(n)
	case x.Do == CutStore:
		r.backend.Faults.Cut()
	case x.Do == HealStore:
		r.backend.Faults.Heal()
	}
}

var commitFaults = []mem.Fault{
	{Outcome: mem.Refused}, {Outcome: mem.Failed, Err: errors.New("the script says so")}, {Outcome: mem.LostAnswer}, {Outcome: mem.LostRequest},
	{Outcome: mem.Late, After: 300 * time.Millisecond}, {Outcome: mem.Slow, After: 700 * time.Millisecond},
}
