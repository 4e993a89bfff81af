package logs

import (
	"context"
	"strings"

	cwl "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"

	"berth/internal/constraint"
	"berth/internal/frontdoor"
	"berth/internal/logs"
	"berth/internal/logstore"
)

// What waits for the client of a live tail at most, before the oldest is dropped.
const (
	mostTailed      = 5000
	mostTailedBytes = 4 << 20
	mostTailGroups  = 10
	mostTailStreams = 100
)

// startLiveTail begins a live tail: its answer is a LiveTail, which goes on for as long as the client listens.
func (a *API) startLiveTail(_ context.Context, r *frontdoor.Request, in *cwl.StartLiveTailInput) (*LiveTail, error) {
	if err := validateTail(in); err != nil {
		return nil, err
	}
	p, err := filterPattern(in.LogEventFilterPattern)
	if err != nil {
		return nil, err
	}
	if a.live.full(r.Scope.Account, a.config.MostTails) {
		return nil, limitExceeded()
	}
	t := &LiveTail{api: a, in: in, request: r.ID, account: r.Scope.Account, arns: map[string]string{}}
	tables := a.store.View().Tables
	for _, id := range in.LogGroupIdentifiers {
		g, err := identified(tables, r.Scope, id)
		if err != nil {
			return nil, err
		}
		if t.arns[g.ID] == "" {
			t.arns[g.ID] = g.Arn
			t.groups = append(t.groups, g.ID)
		}
	}
	t.wants = func(_, stream string, e logs.Event) bool { return streamWanted(in, stream) && p.Match(e.Message) }
	return t, nil
}

func validateTail(in *cwl.StartLiveTailInput) error {
	var c constraint.Check
	c.Present("logGroupIdentifiers", in.LogGroupIdentifiers != nil)
	if in.LogGroupIdentifiers != nil {
		c.Count("logGroupIdentifiers", in.LogGroupIdentifiers, 1, mostTailGroups)
	}
	for _, id := range in.LogGroupIdentifiers {
		c.Text("logGroupIdentifiers", &id, 1, mostIdentifier)
		c.Pattern("logGroupIdentifiers", &id, identifierPattern)
	}
	for member, names := range map[string][]string{"logStreamNames": in.LogStreamNames, "logStreamNamePrefixes": in.LogStreamNamePrefixes} {
		if names != nil {
			c.Count(member, names, 1, mostTailStreams)
		}
		for _, name := range names {
			c.Text(member, &name, 1, mostName)
			c.Pattern(member, &name, streamPattern)
		}
	}
	c.Text("logEventFilterPattern", in.LogEventFilterPattern, 0, 1024)
	if err := broken(&c); err != nil {
		return err
	}
	streams := in.LogStreamNames != nil || in.LogStreamNamePrefixes != nil
	switch {
	case in.LogStreamNames != nil && in.LogStreamNamePrefixes != nil:
		return invalid("LogStreamNames and LogStreamNamePrefixes are mutually exclusive parameters.")
	case streams && len(in.LogGroupIdentifiers) > 1:
		return invalid("LogStreamNames and LogStreamNamePrefixes can be used with one log group in logGroupIdentifiers only.")
	}
	return nil
}

func streamWanted(in *cwl.StartLiveTailInput, stream string) bool {
	for _, name := range in.LogStreamNames {
		if name == stream {
			return true
		}
	}
	for _, prefix := range in.LogStreamNamePrefixes {
		if strings.HasPrefix(stream, prefix) {
			return true
		}
	}
	return in.LogStreamNames == nil && in.LogStreamNamePrefixes == nil
}

// following is what the tail asks of Tails.
func (t *LiveTail) following() logstore.Following {
	return logstore.Following{Groups: t.groups, Wants: t.wants, MostEvents: mostTailed, MostBytes: mostTailedBytes}
}
