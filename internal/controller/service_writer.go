package controller

import (
	"iter"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/apierr"
	"berth/internal/arn"
	"berth/internal/deployment"
	"berth/internal/ecs"
	"berth/internal/launch"
	"berth/internal/placement"
	"berth/internal/state"
)

type taskSeq = iter.Seq[*ecs.Task]

// writer applies a plan within one closure of Update.
type writer struct {
	services *Services
	tx       *state.Tx
	was      *ecs.Service    // as it is stored
	service  *ecs.Service    // as it will be; was itself until something changes
	network  *launch.Network // of the deployment whose spec was made last; nil in modes without network interfaces
	now      time.Time
}

// change returns the service to be changed.
func (w *writer) change() *ecs.Service {
	if w.service == w.was {
		w.service = w.was.Clone()
	}
	return w.service
}

func (w *writer) flush() {
	w.follow()
	if w.service != w.was {
		w.tx.Put(w.service)
	}
}

// start places n tasks of a deployment, of which more are to come and some replace unhealthy ones, and reports whether some found no place.
func (w *writer) start(d *ecs.Deployment, n, more, sick int) (unplaced bool) {
	spec, ok := w.ready(d)
	if !ok {
		return spec.Definition != nil
	}
	a := w.service.ServiceArn
	if spec.PlatformVersion != "" {
		return w.startOnFargate(d, spec, n, sick)
	}
	r := placement.ServiceRequest(w.service, spec.Definition)
	r.Seed, r.LaunchType, r.Zones = uint64(w.now.UnixNano()), spec.LaunchType, w.network.Zones()
	var started []arn.Task
	began := time.Now()
	plan := w.services.place(w.tx, a, spec.StartedBy, r, n, more, w.now, func(i *ecs.Instance) {
		spec.Instance = i
		started = append(started, w.put(spec))
	})
	if w.services.Placed != nil {
		w.services.Placed(len(started), n-len(started), time.Since(began))
	}
	if len(started) > 0 {
		w.sayStarted(d, started, sick)
	}
	if len(started) == n || plan == nil || plan.Refused == 0 {
		return false
	}
	w.sayOnce("placement", plan.ServiceEvent())
	return true
}

// startSets places tasks of task sets, and reports whether some found no place.
func (w *writer) startSets(sets []deployment.SetStart) (unplaced bool) {
	for _, set := range sets {
		if w.start(w.service.Deployment(set.TaskSet), set.Start, set.Ahead, set.Sick) {
			unplaced = true
		}
	}
	return unplaced
}

func (w *writer) sayStarted(d *ecs.Deployment, tasks []arn.Task, sick int) {
	a, text := w.service.ServiceArn, deployment.Started(tasks, sick)
	if d.TaskSet != nil {
		w.say(deployment.SetEvent(a, d.ID, text))
		return
	}
	w.say(deployment.Event(a, text))
}

// dependsOnTasks reports whether it depends on other tasks where tasks of the service find a place, and not only on room.
func (w *writer) dependsOnTasks() bool {
	for i := range w.service.Deployments {
		d := w.tx.Definitions.Get(w.service.Deployments[i].TaskDefinition)
		if d != nil && placement.DependOnTasks(placement.Constraints(w.service.PlacementConstraints, d)) {
			return true
		}
	}
	return false
}

// ready is spec with the deployment's network. ok is false where the tasks cannot be made: their definition or what their network needs is gone, which is
// said.
func (w *writer) ready(d *ecs.Deployment) (spec ecs.TaskSpec, ok bool) {
	spec = w.spec(d)
	if spec.Definition == nil {
		return spec, false
	}
	if err := w.assume(spec); err != nil {
		w.sayOnce("launch", deployment.NotLaunched+err.Error()+").")
		return spec, false
	}
	if w.network = nil; spec.Definition.Definition.NetworkMode != types.NetworkModeAwsvpc {
		return spec, true
	}
	if err := w.mayAttach(); err != nil {
		w.sayOnce("launch", deployment.NotLaunched+err.Error()+").")
		return spec, false
	}
	n, err := launch.ReadNetwork(w.tx.Tables, arn.ScopeOf(spec.Service), d.NetworkConfiguration, spec.PlatformVersion != "")
	if err != nil {
		w.sayOnce("launch", deployment.NotLaunched+apierr.As(err).Message+").")
		return spec, false
	}
	w.network = n
	return spec, true
}

// assume checks that ECS can assume the roles of a deployment's tasks.
func (w *writer) assume(spec ecs.TaskSpec) error {
	if w.services.Assume == nil {
		return nil
	}
	for _, role := range spec.Definition.Roles(nil) {
		if err := w.services.Assume(w.tx.Tables, w.service.ServiceArn.Cluster(), role); err != nil {
			return err
		}
	}
	return nil
}

// mayAttach checks that ECS may make the tasks' network interfaces.
func (w *writer) mayAttach() error {
	if w.services.MayAttach == nil {
		return nil
	}
	return w.services.MayAttach(w.tx.Tables, arn.ScopeOf(w.service.ServiceArn).Account)
}

// startOnFargate starts n tasks of a deployment on Fargate, some of which may have to wait for capacity, and reports whether some are of a platform that it
// does not have.
func (w *writer) startOnFargate(d *ecs.Deployment, spec ecs.TaskSpec, n, sick int) (unplaced bool) {
	a := w.service.ServiceArn
	var started []arn.Task
	refused := 0
	has := func(p string) int { return w.tx.Tasks.FromProvider(a, d.ID, p) }
	for _, share := range launch.Shares(d.CapacityProviderStrategy, has, n) {
		zones := map[string]int{}
		for z, tasks := range w.tx.Tasks.Zones(a, d.ID) {
			zones[z] = tasks
		}
		spec.CapacityProvider = share.Provider
		f := launch.Fargate{Spec: spec, Network: w.network, Count: share.Count, InZone: func(z string) int { return zones[z] }, Wait: true, NewID: launch.NewID}
		tasks, left := f.Start(w.tx)
		refused += left
		for _, t := range tasks {
			started = append(started, t.TaskArn)
		}
	}
	if w.services.Placed != nil {
		w.services.Placed(len(started), refused, 0)
	}
	if len(started) > 0 {
		w.sayStarted(d, started, sick)
	}
	if refused > 0 {
		w.sayOnce("platform", deployment.NoCapacity)
	}
	return refused > 0
}

// sayCapacity says that tasks of the service wait for capacity that is not to be had, or forgets that it has said so.
func (w *writer) sayCapacity() {
	s := w.service
	for in := range w.tx.Tasks.WaitingIn(s.ServiceArn) {
		if zone, architecture := in[0], in[1]; w.tx.Pool().Unavailable(zone, architecture) {
			w.sayOnce("capacity", deployment.NoCapacity)
			return
		}
	}
	if slices.ContainsFunc(s.Said, func(x ecs.Said) bool { return x.Topic == "capacity" }) {
		deployment.Unsay(w.change(), "capacity")
	}
}

// spec is what the deployment's tasks are made of, but for their instances. Its Definition is nil where there is none.
func (w *writer) spec(p *ecs.Deployment) ecs.TaskSpec {
	s := w.service
	spec := ecs.TaskSpec{
		Definition: w.tx.Definitions.Get(p.TaskDefinition), Group: "service:" + s.ServiceArn.Name(), StartedBy: p.ID, Service: s.ServiceArn,
		LaunchType: launchType(p.LaunchType), EnableExecuteCommand: s.EnableExecuteCommand, Now: w.now,
		PlatformVersion: p.PlatformVersion, Task: s.ServiceArn.Cluster().Task(""),
	}
	if spec.Definition != nil {
		spec.Tags = serviceTags(s, spec.Definition)
	}
	return spec
}

// put stores a new task.
func (w *writer) put(spec ecs.TaskSpec) arn.Task {
	spec.Task = spec.Service.Cluster().Task(launch.NewID())
	if i := spec.Instance; i != nil && len(i.Registered.GPUs) > 0 {
		spec.Held = w.tx.Tasks.Usage(i.ContainerInstanceArn).Reserved
	}
	launch.Put(w.tx, spec, w.network)
	return spec.Task
}

// sayOnce says a text with a topic unless it was said lately.
func (w *writer) sayOnce(topic, text string) {
	s := w.service.Clone()
	if deployment.Say(s, topic, text, w.now) {
		w.service = s
		w.say(deployment.Event(s.ServiceArn, text))
	}
}

func (w *writer) sayAll(texts []string) {
	for _, text := range texts {
		w.say(text)
	}
}

// say appends an event and drops the one that is one too many.
func (w *writer) say(text string) {
	s := w.change()
	s.EventSeq++
	w.tx.Put(&ecs.Event{ServiceArn: s.ServiceArn, Seq: s.EventSeq, ID: launch.NewUUID(), CreatedAt: w.now, Message: text})
	if old := w.tx.Events.Get(ecs.EventKey(s.ServiceArn, s.EventSeq-ecs.EventsKept)); old != nil {
		w.tx.Delete(old)
	}
}

func launchType(l types.LaunchType) types.LaunchType {
	if l == "" {
		return types.LaunchTypeEc2
	}
	return l
}

// serviceTags are the tags of a service's task: propagated ones, and ECS's own where the service says so.
func serviceTags(s *ecs.Service, d *ecs.TaskDefinition) []types.Tag {
	var out []types.Tag
	switch s.PropagateTags {
	case types.PropagateTagsService:
		out = append(out, s.Tags...)
	case types.PropagateTagsTaskDefinition:
		out = append(out, d.Tags...)
	}
	if s.EnableECSManagedTags {
		out = append(out, tag("aws:ecs:clusterName", s.ServiceArn.Cluster().Name()), tag("aws:ecs:serviceName", s.ServiceArn.Name()))
	}
	return out
}

func tag(k, v string) types.Tag { return types.Tag{Key: &k, Value: &v} }
