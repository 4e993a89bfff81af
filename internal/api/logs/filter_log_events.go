package logs

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	cwl "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"

	"berth/internal/constraint"
	"berth/internal/frontdoor"
	"berth/internal/logs"
	"berth/internal/logs/pattern"
)

// mostSearched is how many events one request looks at: a page may be empty, and say where to go on.
const mostSearched = 200000

// filterLogEvents searches the streams of a group, in the order of time.
func (a *API) filterLogEvents(ctx context.Context, r *frontdoor.Request, in *cwl.FilterLogEventsInput) (*cwl.FilterLogEventsOutput, error) {
	p, err := validateFilter(in)
	if err != nil {
		return nil, err
	}
	g, err := named(a.store.View().Tables, r.Scope, in.LogGroupName, in.LogGroupIdentifier)
	if err != nil {
		return nil, err
	}
	q := logs.Query{
		Group: g.ID, Streams: in.LogStreamNames, Prefix: value(in.LogStreamNamePrefix), From: max(retainedFrom(g), logs.Time(aws.ToInt64(in.StartTime))),
	}
	if in.EndTime != nil {
		q.To = logs.Time(*in.EndTime) + 1 // which it is up to and including
	}
	search := searchOf(in, g)
	if in.NextToken != nil {
		after, ok := parseSearchToken(*in.NextToken, search...)
		if !ok {
			return nil, badToken()
		}
		q.After = &after
	}
	out := &cwl.FilterLogEventsOutput{Events: []types.FilteredLogEvent{}, SearchedLogStreams: []types.SearchedLogStream{}}
	last, more, err := a.search(ctx, q, p, int(cmp.Or(aws.ToInt32(in.Limit), mostRead)), out)
	if err != nil {
		return nil, err
	}
	if more {
		out.NextToken = searchToken(last, search...)
	}
	return out, nil
}

func validateFilter(in *cwl.FilterLogEventsInput) (pattern.Pattern, error) {
	var c constraint.Check
	checkNamed(&c, in.LogGroupName, in.LogGroupIdentifier)
	if in.LogStreamNames != nil {
		c.Count("logStreamNames", in.LogStreamNames, 1, 100)
	}
	for _, name := range in.LogStreamNames {
		c.Text("logStreamNames", &name, 1, mostName)
		c.Pattern("logStreamNames", &name, streamPattern)
	}
	c.Text("logStreamNamePrefix", in.LogStreamNamePrefix, 1, mostName)
	c.Pattern("logStreamNamePrefix", in.LogStreamNamePrefix, streamPattern)
	checkTimes(&c, in.StartTime, in.EndTime)
	c.Text("filterPattern", in.FilterPattern, 0, pattern.Most)
	c.Text("nextToken", in.NextToken, 1, 1<<10)
	constraint.Number(&c, "limit", in.Limit, 1, mostRead)
	if err := broken(&c); err != nil {
		return pattern.Pattern{}, err
	}
	switch {
	case in.LogStreamNames != nil && in.LogStreamNamePrefix != nil:
		return pattern.Pattern{}, invalid("LogStreamNames and LogStreamNamePrefix are mutually exclusive parameters.")
	case in.StartFromHead != nil && !*in.StartFromHead:
		return pattern.Pattern{}, notActedOn("startFromHead false")
	}
	return filterPattern(in.FilterPattern)
}

// filterPattern reads a request's pattern.
func filterPattern(text *string) (pattern.Pattern, error) {
	p, err := pattern.Parse(value(text))
	if err != nil {
		return p, invalid("Invalid filter pattern: %s.", err.Error())
	}
	return p, nil
}

// searchOf is all that decides what a search finds.
func searchOf(in *cwl.FilterLogEventsInput, g *logs.Group) []string {
	return []string{
		g.ID, strings.Join(in.LogStreamNames, "\x01"), value(in.LogStreamNamePrefix), value(in.FilterPattern),
		fmt.Sprint(aws.ToInt64(in.StartTime), in.EndTime == nil, aws.ToInt64(in.EndTime)),
	}
}

// search puts what it finds on a page, and says whether there is more to look at behind the last event that it looked at.
func (a *API) search(
	ctx context.Context, q logs.Query, p pattern.Pattern, most int, out *cwl.FilterLogEventsOutput,
) (last logs.Place, more bool, err error) {
	looked, size := 0, 0
	for e, err := range a.streams.Events(ctx, q) {
		if err != nil {
			return last, false, stored(err)
		}
		matches := p.Match(e.Message)
		if matches {
			size += len(e.Message) + eventBytes
		}
		if len(out.Events) == most || looked == mostSearched || size > mostReadBytes && len(out.Events) > 0 {
			return last, true, nil
		}
		looked++
		last = e.Place
		if matches {
			out.Events = append(out.Events, foundView(e))
		}
	}
	return last, false, nil
}

// foundView is an event that was found, as answers have it.
func foundView(e logs.Stored) types.FilteredLogEvent {
	id := placeText(e.Place)
	return types.FilteredLogEvent{
		EventId: &id, LogStreamName: &e.Stream, Message: &e.Message, Timestamp: (*int64)(&e.Time), IngestionTime: (*int64)(&e.Ingested),
	}
}
