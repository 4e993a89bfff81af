package deployment

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/arn"
	"berth/internal/ecs"
)

const troubleshooting = "For more information, see the Troubleshooting section of the Amazon ECS Developer Guide."

// NoCapacity is the text for tasks that Fargate has no room for.
const NoCapacity = "was unable to place a task. Reason: " + ecs.CapacityUnavailable + "."

// NotLaunched begins the text for tasks that cannot be made, because something that they need is gone.
const NotLaunched = "failed to launch a task with (error "

// Event is the whole text of a service event.
func Event(s arn.Service, text string) string { return fmt.Sprintf("(service %s) %s", s.Name(), text) }

// SetEvent is the whole text of a service event about one of its task sets.
func SetEvent(s arn.Service, set, text string) string {
	return fmt.Sprintf("(service %s, taskSet %s) %s", s.Name(), set, text)
}

// ReadEvent takes the text of a service event apart: the task set that it is about, "" if none, and what it says.
func ReadEvent(s arn.Service, event string) (set, text string) {
	begins := "(service " + s.Name()
	if said, ok := strings.CutPrefix(event, begins+", taskSet "); ok {
		set, text, _ = strings.Cut(said, ") ")
		return set, text
	}
	return "", strings.TrimPrefix(event, begins+") ")
}

// Say adds text to what the service has said, and reports whether it is to be said: a text with a topic is left out while the topic's last
// text is the same and younger than six hours.
func Say(s *ecs.Service, topic, text string, now time.Time) bool {
	for i, said := range s.Said {
		if said.Topic != topic {
			continue
		}
		if said.Text == text && now.Sub(said.At) < steadyAgain {
			return false
		}
		s.Said[i] = ecs.Said{Topic: topic, Text: text, At: now}
		return true
	}
	s.Said = append(s.Said, ecs.Said{Topic: topic, Text: text, At: now})
	return true
}

// Unsay forgets a topic: its cause is gone, and the next time it is said again. It reports whether there was one.
func Unsay(s *ecs.Service, topic string) bool {
	n := len(s.Said)
	s.Said = slices.DeleteFunc(s.Said, func(x ecs.Said) bool { return x.Topic == topic })
	return len(s.Said) != n
}

// say puts a text into the events; one without a topic always.
func (d *decision) say(topic, text string) {
	if topic != "" {
		if !Say(d.service, topic, text, d.now) {
			return
		}
		d.changed = true
	}
	d.plan.Events = append(d.plan.Events, Event(d.service.ServiceArn, text))
}

// sayStopped tells which tasks the plan stops.
func (d *decision) sayStopped() {
	for _, text := range stopped(d.plan.Stop) {
		d.say("", text)
	}
}

// stopped are the texts for tasks that stop: those that run by their ids, the others by their number, as ECS says it.
func stopped(stops []Stop) (texts []string) {
	var running []arn.Task
	pending := 0
	for _, s := range stops {
		if s.Pending {
			pending++
		} else {
			running = append(running, s.Task)
		}
	}
	if len(running) > 0 {
		texts = append(texts, fmt.Sprintf("has stopped %d running tasks: %s.", len(running), taskList(running)))
	}
	if pending > 0 {
		texts = append(texts, fmt.Sprintf("stopped %d pending tasks.", pending))
	}
	return texts
}

// Started is the text for tasks that were started, of which some replace unhealthy ones.
func Started(tasks []arn.Task, sick int) string {
	text := fmt.Sprintf("has started %d tasks: %s.", len(tasks), taskList(tasks))
	if sick = min(sick, len(tasks)); sick > 0 {
		text += fmt.Sprintf(" Amazon ECS replaced %d tasks due to an unhealthy status.", sick)
	}
	return text
}

// sayBlocked tells when the percentages let nothing move.
func (d *decision) sayBlocked(need, room int, all ecs.Counts) {
	moving := all.Pending > 0 || all.Stopping > 0 || d.plan.Start > 0 || len(d.plan.Stop) > 0
	if need == 0 || room > 0 || moving {
		if need == 0 && Unsay(d.service, "blocked") {
			d.changed = true
		}
		return
	}
	d.say("blocked", "was unable to stop or start tasks during a deployment because of the service deployment configuration. "+
		"Update the minimumHealthyPercent or maximumPercent value and try again.")
}

// settle notices that the service is where it should be: the deployment is completed, older ones go, and the service says that it is steady.
func (d *decision) settle() {
	p := d.service.Primary()
	if !d.steady() {
		d.forget()
		if d.service.SteadyAt != nil {
			d.service.SteadyAt = nil
			d.changed = true
		}
		return
	}
	if p.RolloutState == types.DeploymentRolloutStateInProgress {
		p.RolloutState = types.DeploymentRolloutStateCompleted
		p.RolloutStateReason = "ECS deployment " + p.ID + " completed."
		p.UpdatedAt = d.now
		p.FailedTasks = 0
		d.changed = true
		d.say("", "(deployment "+p.ID+") deployment completed.")
	}
	if len(d.service.Deployments) > 1 && p.RolloutState == types.DeploymentRolloutStateCompleted {
		d.service.Deployments = d.service.Deployments[:1]
		d.changed = true
	}
	d.saySteady()
}

func (d *decision) saySteady() {
	for _, topic := range []string{"placement", "unable to start"} {
		if Unsay(d.service, topic) {
			d.changed = true
		}
	}
	if d.service.SteadyAt == nil || d.now.Sub(*d.service.SteadyAt) >= steadyAgain {
		now := d.now
		d.service.SteadyAt = &now
		d.changed = true
		d.say("", "has reached a steady state.")
	}
	d.again(d.service.SteadyAt.Add(steadyAgain))
}

// steady: the primary has exactly what it wants, all of it healthy, and nothing else is left of the service.
func (d *decision) steady() bool {
	if d.plan.Start > 0 || len(d.plan.Stop) > 0 || d.plan.More {
		return false
	}
	for i, dep := range d.service.Deployments {
		c := d.Counts(dep.ID)
		if i > 0 && c.Tasks() > 0 {
			return false
		}
		if i == 0 && (c.WantHealthy != d.service.DesiredCount || c.Running != d.service.DesiredCount || c.Pending > 0 || c.Stopping > 0) {
			return false
		}
	}
	return true
}

// forget removes old deployments that have no tasks, but for the newest completed one: a rollback would need it.
func (d *decision) forget() {
	kept, target := d.service.Deployments[:1:1], false
	for _, dep := range d.service.Deployments[1:] {
		completed := dep.RolloutState == types.DeploymentRolloutStateCompleted && !target
		if d.Counts(dep.ID).Tasks() > 0 || completed {
			kept = append(kept, dep)
		}
		target = target || completed
	}
	if len(kept) != len(d.service.Deployments) {
		d.service.Deployments = kept
		d.changed = true
	}
}
