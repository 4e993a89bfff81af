package ecstest

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/ecs"
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
	case RunTask:
		return w.runTask
	case StopTask:
		return w.stopTask
	case Drain:
		return w.drain
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

// settleWithin is how long a healed system has until everything is as it should be: longer than instances need to be lost and starts are throttled.
const settleWithin = 40 * time.Minute

// conclude waits until the services are as they should be, and checks what can be checked only at the end.
func (w *world) conclude(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, settleWithin)
	defer cancel()
	var left string
	if !w.watch.await(ctx, func() bool { left = w.watch.unsettled(w.hopeless); return left == "" }) {
		w.watch.wrong("settled", "%s", left)
	}
	time.Sleep(2 * time.Minute) // what still runs and should not has time to show
	w.watch.mu.Lock()
	defer w.watch.mu.Unlock()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.checkPromises()
	w.checkStarts()
	w.checkStops()
	w.checkMachines()
	if len(w.watch.instances) < len(w.agents) {
		w.watch.violated("agents", "%d of %d instances registered", len(w.watch.instances), len(w.agents))
	}
}

// hopeless services never come to rest: what they run ends by itself, has failed too often, or finds no place.
func (w *world) hopeless(s *ecs.Service) bool {
	if least, most := percents(s); least >= most && len(s.Deployments) > 1 {
		return true // its percentages leave no room to replace a task
	}
	for _, d := range s.Deployments {
		if f := d.TaskDefinition.Family(); f == "crash" || f == "job" || f == "port" {
			return true
		}
		if d.RolloutState == types.DeploymentRolloutStateFailed {
			return true
		}
	}
	for _, i := range w.watch.instances {
		if i.Status == ecs.Draining {
			return s.Status == ecs.Active // there may be no room
		}
	}
	return false
}

// checkPromises holds the records to what was acknowledged (I5).
func (w *world) checkPromises() {
	for _, a := range slices.Sorted(maps.Keys(w.services)) {
		p, s := w.services[a], w.watch.services[scope.Cluster("default").Service(*serviceName(a))]
		switch {
		case p.unsure:
		case s == nil && !p.deleted:
			w.watch.violated("I5", "%s was acknowledged and is gone", *serviceName(a))
		case s != nil && p.deleted && s.Status == ecs.Active:
			w.watch.violated("I5", "the deletion of %s was acknowledged and is gone", *serviceName(a))
		case s != nil && !p.deleted && (s.Status != ecs.Active || s.DesiredCount != int(p.desired)):
			w.watch.violated("I5", "%s is %s with %d tasks, %d were acknowledged", *serviceName(a), s.Status, s.DesiredCount, p.desired)
		}
	}
	for t := range w.ran {
		if w.watch.tasks[t] == nil {
			w.watch.violated("I5", "task %s was acknowledged and is gone", t.ID()[:8])
		}
	}
	for t := range w.stopped {
		if x := w.watch.tasks[t]; x != nil && x.DesiredStatus != ecs.Stopped {
			w.watch.violated("I5", "the stop of task %s was acknowledged and is gone", t.ID()[:8])
		}
	}
}

// checkStarts: no container was started twice (I1).
func (w *world) checkStarts() {
	starts := w.starts()
	for _, name := range slices.Sorted(maps.Keys(starts)) {
		if starts[name] > 1 {
			w.watch.violated("I1", "container %s was started %d times", name, starts[name])
		}
	}
}

// checkStops: an agent stopped only what was to stop (I6).
func (w *world) checkStops() {
	for _, m := range w.agents {
		for _, labels := range m.engine.Stops() {
			for a, t := range w.watch.tasks {
				if string(a) == labels[taskLabel] && t.DesiredStatus != ecs.Stopped {
					w.watch.violated("I6", "task %s was stopped and should run", a.ID()[:8])
				}
			}
		}
	}
}

// checkMachines: what runs is what is said to run, where the machines' agents are in touch.
func (w *world) checkMachines() {
	running := map[string]bool{}
	for _, c := range w.containers() {
		running[c.task] = true
	}
	for a, t := range w.watch.tasks {
		i := w.watch.instances[t.ContainerInstanceArn]
		if i == nil || !i.Connected {
			continue
		}
		family := t.TaskDefinitionArn.Family()
		if family == "job" || family == "crash" {
			continue
		}
		if said := t.LastStatus == ecs.Running && t.DesiredStatus == ecs.Running; said && !running[string(a)] {
			w.watch.violated("I6", "task %s is said to run and does not", a.ID()[:8])
		}
		if t.Over() && running[string(a)] {
			w.watch.violated("I1", "task %s has stopped and runs", a.ID()[:8])
		}
	}
}
