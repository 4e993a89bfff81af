package acs

import (
	"context"
	crand "crypto/rand"
	"maps"
	"math/rand/v2"
	"time"

	"berth/internal/acsproto"
	"berth/internal/arn"
)

// renewal is what a session knows of the credentials of its instance's tasks: when all are sent again, and which were sent and not acked.
type renewal struct {
	timer *time.Timer
	all   time.Time // when all are sent next
	acks  chan acsproto.IAMRoleCredentialsAck
	sent  map[string]string // credentials id -> the expiration that an ack must name
}

func newRenewal() renewal {
	return renewal{timer: stoppedTimer(), acks: make(chan acsproto.IAMRoleCredentialsAck), sent: map[string]string{}}
}

// beginRenewal plans the first sending: at once to an agent that has just started, for it has none; else when it is due. Where that is not known, because
// another replica led before, it is some time in the first tenth of the time between two: all agents come at once then, and all have credentials that are
// good for longer.
func (s *session) beginRenewal(asked bool) {
	due, known := s.hub.renewalOf(s.instance)
	switch {
	case asked:
		due = time.Now()
	case !known:
		due = time.Now().Add(time.Duration(rand.Int64N(int64(s.hub.Renew/10)) + 1))
	}
	s.renewal.all = due
	s.renewal.timer.Reset(time.Until(due))
}

// renewalOf is when all credentials of an instance's tasks are due, as this leader knows.
func (h *Hub) renewalOf(i arn.Instance) (due time.Time, known bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	due, known = h.renewals[i]
	return due, known
}

// renewing notes when they are due next. What is overdue is of instances that are away: it is forgotten when there is much of it.
func (h *Hub) renewing(i arn.Instance, due time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.renewals) > 2*len(h.sessions)+100 {
		now := time.Now()
		maps.DeleteFunc(h.renewals, func(_ arn.Instance, due time.Time) bool { return due.Before(now) })
	}
	h.renewals[i] = due
}

// renewCredentials sends new credentials of all tasks where it is time for that, and else of those whose last ones were not acked.
func (s *session) renewCredentials(ctx context.Context) error {
	now, r := time.Now(), &s.renewal
	all := !now.Before(r.all)
	if all {
		r.all = now.Add(s.hub.Renew)
		s.hub.renewing(s.instance, r.all)
	}
	again := r.sent
	r.sent = map[string]string{} // what is not sent now is of a task that needs none any more
	if all || len(again) > 0 {
		wanted := func(id string) bool { return all || again[id] != "" }
		for c := range s.hub.Control.Credentials(s.instance, wanted) {
			c.MessageID = crand.Text()
			r.sent[c.Credentials.CredentialsID] = c.Credentials.Expiration
			if err := s.send(ctx, c); err != nil {
				return err
			}
		}
	}
	wait := r.all.Sub(now)
	if len(r.sent) > 0 {
		wait = min(wait, s.hub.Resend)
	}
	r.timer.Reset(wait)
	return nil
}

// renewed notes that an agent has credentials. Those that came with a payload are acked with it.
func (s *session) renewed(a acsproto.IAMRoleCredentialsAck) {
	if s.renewal.sent[a.CredentialsID] == a.Expiration {
		delete(s.renewal.sent, a.CredentialsID)
	}
}
