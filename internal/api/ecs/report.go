package ecs

import (
	"context"
	"slices"
	"strings"
	"unicode/utf8"

	"berth/internal/access"
	"berth/internal/apierr"
	"berth/internal/arn"
	"berth/internal/ecs"
	"berth/internal/frontdoor"
	"berth/internal/state"
)

// acknowledged is what agents are answered; they do not look at it.
const acknowledged = "OK"

// The lengths to which an agent's texts are kept.
const (
	mostReason     = 1024
	mostIdentifier = 255 // of a runtime id and an image's digest
)

// report takes an agent's report into a task. What is late, repeated, or about a task that has stopped or is not known changes nothing and is
// acknowledged all the same: an agent says it again for ever otherwise. It returns when what it saw is durable. action is what the policy
// calls the report, "ecs:SubmitTaskStateChange".
func (a *API) report(ctx context.Context, r *frontdoor.Request, action string, task arn.Task, report ecs.Report) error {
	r.Tasks = []arn.Task{task}
	return a.store.Update(ctx, func(tx *state.Tx) error {
		t := tx.Tasks.Get(task)
		if t == nil || t.Over() {
			return nil
		}
		// For a machine the policy has asked the same of the last commit; here it is asked of what is true now.
		if e := maySpeak(tx.Tables, r, action, t.ContainerInstanceArn); e != nil {
			return e
		}
		d := tx.Definitions.Get(t.TaskDefinitionArn)
		if next := t.Report(report, d, now()); next != t {
			tx.Put(next)
			learnDigests(tx, next, d)
		}
		return nil
	})
}

// learnDigests settles the images of a service's revision by what its task has told.
func learnDigests(tx *state.Tx, t *ecs.Task, d *ecs.TaskDefinition) {
	if d == nil || !slices.ContainsFunc(t.Containers, func(c ecs.Container) bool { return c.ImageDigest != "" }) {
		return
	}
	r := tx.Revisions.Get(t.RevisionOf())
	if r == nil {
		return
	}
	if next := r.Learn(t, d); next != r {
		tx.Put(next)
	}
}

// reporter are the resources that the policy is asked about when an agent reports on a task: the task's container instance, or the agent's
// own where the task has stopped or is not known.
func (a *API) reporter(r *frontdoor.Request, cluster, task *string) []string {
	v := a.store.View()
	if t, err := taskARN(r, cluster, task); err == nil {
		if t := v.Tasks.Get(t); t != nil && !t.Over() {
			return []string{string(t.ContainerInstanceArn)}
		}
	}
	return a.ownInstance(r)
}

// ownInstance is the container instance whose credential signed the request, nil if it is none's.
func (a *API) ownInstance(r *frontdoor.Request) []string {
	if c := access.Machine(a.store.View().Tables, r.AccessKeyID, &r.Caller); c != nil && c.Instance != "" {
		return []string{string(c.Instance)}
	}
	return nil
}

// taskARN reads the task that a request names by id or ARN; an id belongs to the request's cluster. What is neither is an error.
func taskARN(r *frontdoor.Request, cluster, task *string) (arn.Task, error) {
	name := text(task)
	if name == "" {
		return "", apierr.InvalidParameter("Task can not be blank.")
	}
	if arn.Is(name) {
		_, err := identify(arn.ScopeOf(name), "task", name) // of whatever account and region: the store knows it or not
		return arn.Task(name), err
	}
	return taskIn(r, cluster, name)
}

// taskIn reads the task that a request names by id or ARN, which is in the cluster that the request names.
func taskIn(r *frontdoor.Request, cluster *string, name string) (arn.Task, error) {
	c, err := clusterARN(r, cluster)
	if err != nil {
		return "", err
	}
	id, err := name, error(nil)
	switch {
	case name == "":
		return "", apierr.InvalidParameter("Task can not be blank.")
	case arn.Is(name):
		id, err = inCluster(c, "task", name)
	default:
		id, err = short(name)
	}
	if err == nil && len(id) > mostTaskID {
		err = apierr.InvalidParameter("taskId longer than %d.", mostTaskID)
	}
	return c.Task(id), err
}

// mostTaskID is the length of the longest id of a task: it was a UUID once.
const mostTaskID = 36

// reportedStatus reads a status of a report: PENDING, RUNNING, STOPPED, or none.
func reportedStatus(what string, s *string) (ecs.TaskStatus, error) {
	switch status := ecs.TaskStatus(text(s)); status {
	case "", ecs.Pending, ecs.Running, ecs.Stopped:
		return status, nil
	}
	return "", apierr.InvalidParameter("%s should be one of [PENDING,RUNNING,STOPPED], but was '%s'", what, *s)
}

// cut shortens a text to at most n bytes, not within a character.
func cut(s *string, n int) string {
	t := text(s)
	if len(t) <= n {
		return strings.ToValidUTF8(t, "\ufffd")
	}
	for n > 0 && !utf8.RuneStart(t[n]) {
		n--
	}
	return strings.ToValidUTF8(t[:n], "\ufffd")
}
