package ecs

import "time"

// Protected reports whether the task is under scale-in protection: its service stops it for no scaling activity and no deployment. Whoever
// stops a task by name, and a health check that fails, ends it all the same.
func (t *Task) Protected(now time.Time) bool {
	return t.ProtectedUntil != nil && now.Before(*t.ProtectedUntil)
}
