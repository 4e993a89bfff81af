package ecstest

import (
	"context"
	"maps"
	"slices"
	"time"

	"berth/internal/ecs"
)

// settleWithin is how long a healed system has until everything is as it should be: longer than instances need to be lost and starts are throttled.
const settleWithin = 40 * time.Minute

// conclude waits until the services are as they should be, and checks what can be checked only at the end.
func (w *world) conclude(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, settleWithin)
	defer cancel()
	var left string
	if !w.watch.await(ctx, func() bool { left = w.watch.unsettled(len(w.agents)); return left == "" }) {
		w.watch.wrong("settled", "%s", left)
	}
	time.Sleep(2 * time.Minute) // what still runs and should not has time to show
	w.watch.mu.Lock()
	defer w.watch.mu.Unlock()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.checkPromises()
	w.checkRollouts()
	w.checkStarts()
	w.checkStops()
	w.checkMachines()
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

// checkRollouts: each service deployment is over, but for the one that its service is about, and that one too if the service is at rest (I13).
func (w *world) checkRollouts() {
	current := map[string]bool{}
	for _, s := range w.watch.services {
		if s.ServiceDeployment != "" {
			current[s.ServiceDeployment] = true
		}
		if s.SteadyAt != nil && s.ServiceDeployment != "" {
			w.watch.violated("I13", "service %s is steady and its service deployment goes on", s.ServiceArn.Name())
		}
	}
	for _, a := range slices.Sorted(maps.Keys(w.watch.rollouts)) {
		if d := w.watch.rollouts[a]; !d.Over() && !current[a] {
			w.watch.violated("I13", "service deployment %s is %s for ever", a, d.Status)
		}
	}
}
