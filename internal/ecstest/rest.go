package ecstest

import (
	"fmt"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/arn"
	"berth/internal/ecs"
)

// unsettled says what is not as it should be when nothing disturbs any more, "" if all is. machines is how many agents there are. The caller
// holds mu.
func (w *watcher) unsettled(machines int) string {
	connected := 0
	for _, i := range w.instances {
		switch {
		case i.Status == ecs.Inactive:
		case !i.Connected:
			return "instance " + i.ContainerInstanceArn.ID()[:8] + " is not connected"
		default:
			connected++
		}
	}
	if connected != machines {
		return fmt.Sprintf("%d instances of %d machines", connected, machines)
	}
	for _, k := range slices.Sorted(maps.Keys(w.services)) {
		s := w.services[k]
		left := ""
		switch {
		case s.Status == ecs.Draining:
			left = "is still DRAINING"
		case s.Status == ecs.Active && s.IsExternal():
			left = w.unsettledSets(s)
		case s.Status != ecs.Active || hopeless(s):
		case s.IsDaemon():
			left = w.unsettledDaemon(s)
		default:
			left = w.unsettledReplica(s)
		}
		if left != "" {
			return "service " + k.Name() + " " + left
		}
	}
	return ""
}

// hopeless services never come to rest: what they run ends by itself, cannot start, needs a port that only few have, or has failed.
func hopeless(s *ecs.Service) bool {
	p := s.Primary()
	if p == nil || p.RolloutState == types.DeploymentRolloutStateFailed {
		return true
	}
	switch p.TaskDefinition.Family() {
	case "crash", "job":
		return true
	case "port":
		return !s.IsDaemon()
	case "broken":
		c := s.DeploymentConfiguration.DeploymentCircuitBreaker
		return c == nil || !c.Enable || s.DesiredCount == 0 || p.RolloutState != types.DeploymentRolloutStateInProgress
	}
	return false
}

// standing counts the tasks of a service: those of the newest deployment that run and should, and all others that are not over.
func (w *watcher) standing(s *ecs.Service) (running, other int, leaving bool) {
	for _, t := range w.tasks {
		if t.Service != s.ServiceArn || t.Over() {
			continue
		}
		if t.LastStatus == ecs.Running && t.DesiredStatus == ecs.Running && t.StartedBy == s.Deployments[0].ID {
			running++
		} else {
			other++
		}
		if i := w.instances[t.ContainerInstanceArn]; i != nil && i.Status == ecs.Draining {
			leaving = true
		}
	}
	return running, other, leaving
}

func (w *watcher) unsettledReplica(s *ecs.Service) string {
	running, other, leaving := w.standing(s)
	whole := running == s.DesiredCount && other == 0
	least, most := percents(s)
	switch {
	case whole && !leaving:
		return w.unbalanced(s)
	case (len(s.Deployments) > 1 || leaving) && least >= most:
		return "" // its percentages leave no room to replace a task
	case running <= s.DesiredCount && !w.someTakes(s, ""):
		return "" // there is no place for another task
	case leaving:
		return fmt.Sprintf("has tasks on draining instances, %d of %d run, %d others are left", running, s.DesiredCount, other)
	}
	return fmt.Sprintf("has %d of %d tasks running, %d others are left", running, s.DesiredCount, other)
}

// unbalanced says so where availability zones differ by more than one task and the emptier one has room.
func (w *watcher) unbalanced(s *ecs.Service) string {
	if _, most := percents(s); s.AvailabilityZoneRebalancing != types.AvailabilityZoneRebalancingEnabled || most <= s.DesiredCount {
		return ""
	}
	tasks := map[string]int{}
	for _, i := range w.instances {
		if i.Status == ecs.Active {
			tasks[i.Zone()] += 0
		}
	}
	for _, t := range w.tasks {
		if t.Service == s.ServiceArn && !t.Over() {
			tasks[t.AvailabilityZone]++
		}
	}
	for _, zone := range slices.Sorted(maps.Keys(tasks)) {
		if most := slices.Max(slices.Collect(maps.Values(tasks))); most-tasks[zone] > 1 && w.someTakes(s, zone) {
			return fmt.Sprintf("has %d tasks in %s, which has room, and %d in another zone", tasks[zone], zone, most)
		}
	}
	return ""
}

// unsettledDaemon looks at each instance: one task where it suits and has room, none elsewhere, but for draining ones that others have not left (I10).
func (w *watcher) unsettledDaemon(s *ecs.Service) string {
	suitable, running, lacking := 0, 0, 0
	var wrong string
	for _, a := range slices.Sorted(maps.Keys(w.instances)) {
		i, n := w.instances[a], w.tasksOn(a, s)
		switch {
		case i.Status == ecs.Inactive:
			continue
		case suits(s, i):
			suitable++
			running += n.current
			if n.current == 0 && n.other == 0 && !w.takes(s, i) {
				lacking++
				continue
			}
			if n.current != 1 || n.other != 0 {
				wrong = fmt.Sprintf("has %d tasks and %d others on instance %s", n.current, n.other, a.ID()[:8])
			}
		case i.Status == ecs.Draining && n.strangers > 0:
		case n.current+n.other > 0:
			return fmt.Sprintf("has %d tasks on instance %s, which does not suit it", n.current+n.other, a.ID()[:8])
		}
	}
	if s.DesiredCount != suitable {
		return fmt.Sprintf("wants %d tasks, there are %d suitable instances", s.DesiredCount, suitable)
	}
	if least, most := percents(s); wrong != "" && len(s.Deployments) > 1 && (least >= most || lacking > 0 && least > 0) {
		return "" // its percentages keep it from replacing a task
	}
	return wrong
}

// onInstance are the tasks on an instance that are not over: a daemon's, of its newest deployment and running or not, and those of no daemon.
type onInstance struct{ current, other, strangers int }

func (w *watcher) tasksOn(a arn.Instance, s *ecs.Service) (n onInstance) {
	for _, t := range w.tasks {
		if t.ContainerInstanceArn != a || t.Over() {
			continue
		}
		of := w.services[t.Service]
		switch {
		case of == nil || !of.IsDaemon():
			n.strangers++
		case of != s:
		case t.LastStatus == ecs.Running && t.DesiredStatus == ecs.Running && t.StartedBy == s.Deployments[0].ID:
			n.current++
		default:
			n.other++
		}
	}
	return n
}

// someTakes reports whether an instance, of one availability zone unless that is "", takes another task of a service.
func (w *watcher) someTakes(s *ecs.Service, zone string) bool {
	for _, i := range w.instances {
		if (zone == "" || i.Zone() == zone) && w.takes(s, i) {
			return true
		}
	}
	return false
}

// takes reports whether an instance takes another task of a service: it is there, has room, and the constraints hold.
func (w *watcher) takes(s *ecs.Service, i *ecs.Instance) bool {
	if i.Status != ecs.Active || !i.Connected {
		return false
	}
	cpu, mib, port := i.Registered.CPUUnits, i.Registered.MemoryMiB, s.TaskDefinition.Family() != "port"
	held := false
	for _, t := range w.tasks {
		if t.ContainerInstanceArn == i.ContainerInstanceArn && !t.Over() {
			cpu, mib, held = cpu-t.Reserved.CPUUnits, mib-t.Reserved.MemoryMiB, held || slices.Contains(t.Reserved.PortsTCP, taskPort)
		}
	}
	all := append(slices.Clone(s.PlacementConstraints), familyConstraints(s.TaskDefinition)...)
	next := &ecs.Task{ContainerInstanceArn: i.ContainerInstanceArn, Group: "service:" + s.ServiceArn.Name()}
	return cpu >= taskCPU && mib >= taskMiB && (port || !held) && allowed(all, i, next.Group, w.beside(next, false))
}
