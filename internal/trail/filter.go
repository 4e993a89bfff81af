package trail

import (
	"bytes"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Filter says which records a reader wants. Zero fields want all.
type Filter struct {
	Role      string    // name or ARN of the role behind the caller's session, or that was assumed
	User      string    // name or ARN of the user
	Principal string    // a part of the caller's ARN or principal id, or the service that acted
	Event     string    // "RunTask"
	Task      string    // ARN or id of a task that it is about, or whose containers or agent called
	Errors    bool      // only what failed
	Denied    bool      // only what the caller had no right to
	Since     time.Time // whole seconds, as records have them
	Until     time.Time
}

// ParseFilter reads the query of a request. Its error names the member.
func ParseFilter(q url.Values) (f Filter, err error) {
	f = Filter{Role: q.Get("role"), User: q.Get("user"), Principal: q.Get("principal"), Event: q.Get("event"), Task: q.Get("task")}
	for name, to := range map[string]*bool{"errors": &f.Errors, "denied": &f.Denied} {
		if q.Has(name) {
			if *to, err = strconv.ParseBool(q.Get(name)); err != nil {
				return f, fmt.Errorf("%s must be true or false", name)
			}
		}
	}
	for name, to := range map[string]*time.Time{"since": &f.Since, "until": &f.Until} {
		if q.Has(name) {
			if *to, err = time.Parse(time.RFC3339, q.Get(name)); err != nil {
				return f, fmt.Errorf("%s must be a time as 2026-11-30T00:22:00Z", name)
			}
		}
	}
	return f, nil
}

// may is whether a line can be one that the filter wants, without reading it.
func (f *Filter) may(line []byte) bool {
	return (f.Event == "" || bytes.Contains(line, []byte(f.Event))) && (f.Task == "" || bytes.Contains(line, []byte(short(f.Task))))
}

// wants reports whether the reader wants a record.
func (f *Filter) wants(r *Record) bool {
	switch {
	case f.Event != "" && r.EventName != f.Event, f.Errors && r.ErrorCode == "", f.Denied && !r.Refused():
		return false
	case f.Role != "" && !f.byRole(r), f.User != "" && !f.byUser(r), f.Principal != "" && !f.byPrincipal(r):
		return false
	}
	return f.inTime(r)
}

func (f *Filter) byRole(r *Record) bool {
	if c := r.UserIdentity.SessionContext; c != nil && c.SessionIssuer != nil {
		if i := c.SessionIssuer; i.UserName == f.Role || i.ARN == f.Role {
			return true
		}
	}
	if r.EventSource != "sts.amazonaws.com" || !strings.HasPrefix(r.EventName, "AssumeRole") {
		return false
	}
	for _, one := range r.Resources {
		if one.ARN == f.Role || one.Type == "AWS::IAM::Role" && short(one.ARN) == f.Role {
			return true
		}
	}
	return false
}

func (f *Filter) byUser(r *Record) bool {
	return r.UserIdentity.Type == "IAMUser" && (r.UserIdentity.UserName == f.User || r.UserIdentity.ARN == f.User)
}

func (f *Filter) byPrincipal(r *Record) bool {
	i := r.UserIdentity
	return strings.Contains(i.ARN, f.Principal) || strings.Contains(i.PrincipalID, f.Principal) || i.InvokedBy != "" && strings.Contains(i.InvokedBy, f.Principal)
}

func (f *Filter) inTime(r *Record) bool {
	if f.Since.IsZero() && f.Until.IsZero() {
		return true
	}
	at, err := time.Parse(time.RFC3339, r.EventTime)
	return err == nil && (f.Since.IsZero() || !at.Before(f.Since)) && (f.Until.IsZero() || !at.After(f.Until))
}
