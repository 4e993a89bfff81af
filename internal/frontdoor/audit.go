package frontdoor

import (
	"errors"
	"strings"
	"time"

	"berth/internal/apierr"
)

// Audited is a call as the audit log gets it: who asked for what, what policies said, and what was answered. Nothing in it changes any more.
type Audited struct {
	Service, Operation string   // "ecs", "RunTask"
	Request            *Request // who asks; Decisions are what policies said
	At                 time.Time
	Issued             time.Time // when the caller's temporary key was made; zero for another one
	Source, UserAgent  string    // the caller's address without its port
	In, Out            any       // pointers to the SDK's shapes; nil of a socket and of an input that was not understood, Out nil of what failed too
	Failure            *apierr.Error
	Frequent           bool // agents make such calls all the time
	Size               int  // bytes that the input had
}

// audit tells the audit log of a call that got as far as an operation that is served.
func (x *exchange) audit() {
	c := x.target.call
	if x.door.config.Audit == nil || c == nil || x.asked == nil {
		return
	}
	a := x.audited(x.target.service.Name, c.Name, x.asked, x.failure)
	a.In, a.Out, a.Frequent, a.Size = x.in, x.out, c.Frequent && !pretends(x.failure), len(x.body)
	x.door.config.Audit(a)
}

// auditSocket tells it of a socket that is opened or, with e, refused. What it is given does not change while the socket is open.
func (x *exchange) auditSocket(s *Socket, r *Request, e *apierr.Error) {
	if x.door.config.Audit == nil {
		return
	}
	_, name, _ := strings.Cut(s.Action, ":")
	asked := *r
	a := x.audited(s.Service, name, &asked, e)
	a.Frequent = s.Frequent && !pretends(e)
	x.door.config.Audit(a)
}

// pretends says that somebody made an agent's call who is no agent of the instance: that does not happen all the time.
func pretends(failure *apierr.Error) bool {
	return failure != nil && errors.Is(failure, apierr.ErrNotRegistrar)
}

func (x *exchange) audited(service, operation string, r *Request, e *apierr.Error) *Audited {
	a := &Audited{
		Service: service, Operation: operation, Request: r, At: x.start, Issued: x.issued, Failure: e,
		Source: x.r.RemoteAddr, UserAgent: x.r.UserAgent(),
	}
	if ip := sourceIP(x.r.RemoteAddr); ip != nil {
		a.Source = ip[0]
	}
	return a
}
