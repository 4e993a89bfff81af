package deployment

import (
	"fmt"
	"slices"
	"strings"

	"berth/internal/ecs"
)

// kept are tasks of a deployment that would stop now and are protected.
type kept struct {
	deployment string
	tasks      int
}

// aboutProtection begins the topics of what a service says while protected tasks keep it from scaling in.
const aboutProtection = "protection "

// BlockedByProtection reports whether protected tasks keep a service from its target status.
func BlockedByProtection(s *ecs.Service) bool {
	return slices.ContainsFunc(s.Said, func(x ecs.Said) bool { return strings.HasPrefix(x.Topic, aboutProtection) })
}

// keeps reports whether a task is protected, and has the service looked at again when its protection ends.
func (d *decision) keeps(t *ecs.Task) bool {
	if !t.Protected(d.now) {
		return false
	}
	d.again(*t.ProtectedUntil)
	return true
}

// sayProtected tells of the protected tasks that would stop now, and forgets it where there are none any more.
func (d *decision) sayProtected() {
	topics := map[string]bool{}
	for _, k := range d.kept {
		topics[aboutProtection+k.deployment] = true
		d.say(aboutProtection+k.deployment, fmt.Sprintf("was unable to reach steady state because (taskSet %s) was unable to scale in due to "+
			"(reason %d tasks under protection)", k.deployment, k.tasks))
	}
	if d.plan.More {
		return // not all was looked at
	}
	for _, said := range slices.Clone(d.service.Said) {
		if strings.HasPrefix(said.Topic, aboutProtection) && !topics[said.Topic] {
			d.changed = Unsay(d.service, said.Topic) || d.changed
		}
	}
}
