package main

import (
	"fmt"
	"strings"
	"time"

	"berth/internal/trail"
)

// The columns of `berth audit`.
const (
	auditColumns = "%-14s  %-24s  %-34s  %-36s  %s"
	auditTime    = "01-02 15:04:05"
)

var auditHead = fmt.Sprintf(auditColumns, "TIME", "WHO", "CALL", "RESOURCE", "DECISION")

// auditLine is a record in one line: when, who, what, of what, and which statement allowed or denied it.
func auditLine(r *trail.Record, width int, zone *time.Location) string {
	when := r.EventTime
	if at, err := time.Parse(time.RFC3339, r.EventTime); err == nil {
		when = at.In(zone).Format(auditTime)
	}
	service, _, _ := strings.Cut(r.EventSource, ".")
	line := fmt.Sprintf(auditColumns, when, cut(auditWho(r.UserIdentity), 24), cut(service+":"+r.EventName, 34), cut(auditResource(r), 36), auditVerdict(r))
	return cut(printable(line), width)
}

// auditWho is the caller in short: a user's name, a role's with its session's beginning, or a service.
func auditWho(i *trail.Identity) string {
	switch {
	case i.SessionContext != nil && i.SessionContext.SessionIssuer != nil:
		name := i.SessionContext.SessionIssuer.UserName
		if session := i.ARN[strings.LastIndexByte(i.ARN, '/')+1:]; session != "" {
			name += "/" + brief(session)
		}
		return name
	case i.UserName != "":
		return i.UserName
	case i.InvokedBy != "":
		return i.InvokedBy
	}
	return i.ARN
}

// auditResource is what the call was about, without its ARN's beginning.
func auditResource(r *trail.Record) string {
	if len(r.Resources) == 0 {
		return "*"
	}
	parts := strings.SplitN(r.Resources[0].ARN, ":", 6)
	return parts[len(parts)-1]
}

// auditVerdict says which statement denied it, or else what went wrong, or else which one allowed it.
func auditVerdict(r *trail.Record) string {
	if d := r.Denied(); d != nil {
		if d.Policy != "" {
			return fmt.Sprintf("denied by %s (%s)", d.By(), d.Action)
		}
		return fmt.Sprintf("denied: no %s allows %s", d.PolicyType, d.Action)
	}
	if why, is := r.NotCallers(); is {
		return "denied: " + why
	}
	if r.ErrorCode != "" {
		return r.ErrorCode + ": " + r.ErrorMessage
	}
	if r.AdditionalEventData == nil || len(r.AdditionalEventData.Decisions) == 0 {
		return "open to every caller"
	}
	var by []string
	for _, d := range r.AdditionalEventData.Decisions {
		if one := d.By(); len(by) == 0 || by[len(by)-1] != one {
			by = append(by, one)
		}
	}
	return "allowed by " + strings.Join(by, ", ")
}
