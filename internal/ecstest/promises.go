package ecstest

import (
	"cmp"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/arn"
	"berth/internal/ecs"
)

// fact is one thing that clients set: an attribute of an instance, an account setting of a principal, a tag of a resource.
type fact struct{ kind, of, name string }

// said is what was last acknowledged of a fact: its value, "" where there is none. unsure: a call after it failed, and may have been done.
type said struct {
	value  string
	unsure bool
}

// keep remembers what a call made of a fact, and reports whether it was acknowledged.
func (w *world) keep(f fact, value string, err error) bool {
	if refused(err) && w.client.lossless() {
		return false
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.facts[f] = said{value, err != nil}
	return err == nil
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
		case s != nil && !p.deleted && (s.Status != ecs.Active || s.IsDaemon() != p.daemon || s.DesiredCount != int(p.desired) && !p.daemon):
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
	for i := range w.gone {
		if x := w.watch.instances[i]; x != nil && x.Status != ecs.Inactive {
			w.watch.violated("I5", "the deregistration of instance %s was acknowledged and is gone", i.ID()[:8])
		}
	}
	for d := range w.halted {
		if x := w.watch.rollouts[d]; x != nil && x.Status == types.ServiceDeploymentStatusSuccessful {
			w.watch.violated("I5", "the stop of the service deployment %s was acknowledged and is gone", d)
		}
	}
	w.checkFacts()
}

func (w *world) checkFacts() {
	order := func(a, b fact) int {
		return cmp.Or(cmp.Compare(a.kind, b.kind), cmp.Compare(a.of, b.of), cmp.Compare(a.name, b.name))
	}
	for _, f := range slices.SortedFunc(maps.Keys(w.facts), order) {
		value, known := w.watch.fact(f)
		if want := w.facts[f]; known && !want.unsure && value != want.value {
			w.watch.violated("I5", "the %s %s is %q, %q was acknowledged", f.kind, f.name, value, want.value)
		}
	}
}

// fact is what the records say of a fact; known is false where what it belongs to is gone. The caller holds mu.
func (w *watcher) fact(f fact) (value string, known bool) {
	switch f.kind {
	case "attribute":
		i := w.instances[arn.Instance(f.of)]
		if i == nil || i.Status == ecs.Inactive {
			return "", false
		}
		value, _ = i.Attribute(f.name)
	case "setting":
		if s := w.settings[types.SettingName(f.name)]; s != nil && s.PrincipalArn == f.of {
			value = s.Value
		}
	case "tag":
		value = tagOf(w.cluster.Tags, f.name)
	}
	return value, true
}
