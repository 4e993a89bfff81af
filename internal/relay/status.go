package relay

import (
	"cmp"
	"slices"
	"time"

	"berth/internal/arn"
)

// mostPast is how many sessions that have ended are remembered. AWS shows those of 30 days.
const mostPast = 1000

// Status is a session as lists show it.
type Status struct {
	Request
	ID           string
	Began, Ended time.Time // Ended is zero for one that is open
	Joined       bool      // its client is, or was, there
}

// Key is what lists of sessions are in the order of: when they began.
func (s Status) Key() string {
	return s.Began.UTC().Format("2006-01-02T15:04:05.000000000") + " " + s.ID
}

// List lists the sessions in tasks of an account and region, those that began last first: those that are open, or those that have ended.
func (r *Relay) List(s arn.Scope, ended bool) (list []Status) {
	r.mu.Lock()
	defer r.mu.Unlock()
	mine := func(one Status) bool {
		of := arn.ScopeOf(one.Task)
		return of.Account == s.Account && of.Region == s.Region
	}
	if ended {
		for _, one := range r.past {
			if mine(one) {
				list = append(list, one)
			}
		}
	} else {
		for _, one := range r.sessions {
			if st := one.status(); mine(st) {
				list = append(list, st)
			}
		}
	}
	slices.SortFunc(list, func(a, b Status) int { return cmp.Compare(b.Key(), a.Key()) })
	return list
}

// Find finds a session that is open.
func (r *Relay) Find(id string) (Status, bool) {
	s := r.find(id)
	if s == nil {
		return Status{}, false
	}
	return s.status(), true
}

func (s *session) status() Status {
	return Status{Request: s.Request, ID: s.id, Began: s.began, Joined: s.taken()}
}

// remember keeps a session that has ended for lists.
func (r *Relay) remember(s Status) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.past) >= mostPast {
		r.past = slices.Delete(r.past, 0, len(r.past)-mostPast+1)
	}
	r.past = append(r.past, s)
}
