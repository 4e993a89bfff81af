package controller

import (
	"time"

	"berth/internal/deployment"
	"berth/internal/ecs"
	"berth/internal/state"
)

// follow keeps the service deployment that is going on in step with the service.
func (w *writer) follow() {
	if w.service.ServiceDeployment == "" {
		return
	}
	a := w.service.ServiceArn
	counts := func(id string) ecs.Counts { return w.tx.Tasks.Counts(a, id) }
	d := w.tx.Rollouts.Get(w.service.ServiceDeployment)
	if d != nil && !d.Over() {
		n := d.Clone()
		if deployment.Follow(w.service, n, counts, w.now) {
			w.tx.Put(n)
		}
		d = n
	}
	if d == nil || d.Over() {
		w.change().ServiceDeployment = ""
	}
}

// keepDeployments is how long service deployments and revisions are kept, as on AWS.
const keepDeployments = 90 * 24 * time.Hour

// oldDeployments are service deployments that ended long ago, and revisions that no deployment and no service deployment refers to.
func oldDeployments(v *state.Snapshot, now time.Time) (due []ecs.Record) {
	used := map[string]bool{}
	for s := range v.Services.All() {
		for i := range s.Deployments {
			used[s.Revision(s.Deployments[i].ID)] = true
		}
	}
	for d := range v.Rollouts.All() {
		if d.Over() && d.FinishedAt != nil && now.Sub(*d.FinishedAt) >= keepDeployments {
			due = append(due, d)
		}
	}
	for r := range v.Revisions.All() {
		if !used[r.ServiceRevisionArn] && now.Sub(r.CreatedAt) >= keepDeployments {
			due = append(due, r)
		}
	}
	return due
}
