package main

import (
	"context"
	"net/http"
	"time"

	"github.com/spf13/pflag"

	"berth/internal/access"
	"berth/internal/acsproto"
	"berth/internal/api/cloudtrail"
	iamapi "berth/internal/api/iam"
	"berth/internal/arn"
	"berth/internal/ecs"
	"berth/internal/frontdoor"
	"berth/internal/state"
	"berth/internal/trail"
)

// auditPath is where the audit log is read.
const auditPath = "/berth/v1/audit"

// auditOptions are the flags of the audit log.
type auditOptions struct {
	on, frequent bool
	keep         time.Duration
	size         int64 // MiB
}

func defaultAudit() auditOptions { return auditOptions{on: true, keep: 90 * 24 * time.Hour, size: 512} }

func (o *auditOptions) flags(f *pflag.FlagSet) {
	f.BoolVar(&o.on, "audit", o.on, "write down every API call and which policy allowed it, for berth audit")
	f.BoolVar(&o.frequent, "audit-data-events", o.frequent, "write down too what agents call all the time: reports, sessions, log lines")
	f.DurationVar(&o.keep, "audit-keep", o.keep, "how long the audit log is kept")
	f.Int64Var(&o.size, "audit-size", o.size, "MiB that the audit log takes at most; the oldest calls go first")
}

// openTrail opens this replica's audit log, unless it is off.
func (s *server) openTrail() (err error) {
	o := s.options.audit
	if o.on {
		s.trail, err = trail.New(trail.Config{Dir: s.data.path("audit"), Keep: o.keep, MostSize: o.size << 20, Frequent: o.frequent, Log: s.log})
		s.provisioned = &trail.Interfaces{Trail: s.trail, State: s.store, Keys: s.keys, Region: s.options.region}
	}
	return err
}

// mayAttach says whether ECS may make network interfaces in an account. The audit log is told where it may not.
func (s *server) mayAttach(t *state.Tables, account string) error {
	if s.provisioned == nil {
		return s.keys.MayAttach(t, account)
	}
	return s.provisioned.MayAttach(t, account)
}

// audit is told of every call.
func (s *server) audit(a *frontdoor.Audited) {
	use := iamapi.Use{Role: a.Request.Caller.Role, Service: a.Service, Region: a.Request.Scope.Region, At: a.At}
	if use.Role == "" { // else the key is a session's
		use.AccessKeyID = a.Request.AccessKeyID
	}
	s.uses.Note(use)
	if s.trail != nil {
		s.trail.Take(a)
	}
}

// writeUses writes down when keys and roles were used.
func (s *server) writeUses(ctx context.Context) error { return s.identities.WriteUses(ctx, &s.uses) }

func (s *server) auditSums() func() (written, lost uint64) {
	if s.trail == nil {
		return nil
	}
	return s.trail.Sums
}

// history are CloudTrail's operations on the audit log.
func (s *server) history() frontdoor.Service {
	if s.trail == nil {
		return cloudtrail.New(nil).Service()
	}
	return cloudtrail.New(s.trail).Service()
}

// auditSocket is where it is read, on every replica its own.
func (s *server) auditSocket() frontdoor.Socket {
	one := frontdoor.Socket{Path: auditPath, Service: "berth", Action: "berth:ReadAudit", ReadOnly: true}
	if s.trail != nil {
		one.Serve = s.trail.ServeHTTP
	} else {
		one.Serve = noAudit
	}
	return one
}

// runTrail writes the audit log until ctx ends.
func (s *server) runTrail(ctx context.Context) error {
	if s.trail == nil {
		return nil
	}
	return s.trail.Run(ctx)
}

// vend makes the credentials of a task's role and takes down that it did.
func (s *server) vend(t *state.Tables, task *ecs.Task, d *ecs.TaskDefinition, kind string, wanted func(id string) bool) (*acsproto.RoleCredentials, error) {
	c, err := s.keys.Vend(t, task, d, kind, wanted)
	if c == nil || s.trail == nil {
		return c, err
	}
	scope := arn.ScopeOf(task.TaskArn)
	h := &trail.Handed{
		At: time.Now(), Service: "ecs-tasks.amazonaws.com", Role: c.RoleARN, Session: task.TaskArn.ID(), Task: string(task.TaskArn), Account: scope.Account,
		Region: scope.Region, AccessKeyID: c.AccessKeyID,
	}
	h.Expires, _ = time.Parse(time.RFC3339, c.Expiration) // we wrote it
	if r := access.Role(t, c.RoleARN); r != nil {
		h.RoleID = r.ID
	}
	s.trail.Hand(h)
	return c, err
}

func noAudit(w http.ResponseWriter, _ *http.Request, _ *frontdoor.Request) {
	http.Error(w, "this replica writes no audit log: its server runs with --audit=false", http.StatusNotFound)
}
