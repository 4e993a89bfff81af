package logs

import (
	"cmp"
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	cwl "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"

	"berth/internal/constraint"
	"berth/internal/frontdoor"
	"berth/internal/logs"
)

// What one page of events may have.
const (
	mostRead      = 10000
	mostReadBytes = 1 << 20 // messages, and eventBytes for each
)

// getLogEvents reads a stream, from its end or its beginning, or on from a token. At an end the token is the one that was sent.
func (a *API) getLogEvents(ctx context.Context, r *frontdoor.Request, in *cwl.GetLogEventsInput) (*cwl.GetLogEventsOutput, error) {
	if err := validateGet(in); err != nil {
		return nil, err
	}
	g, err := named(a.store.View().Tables, r.Scope, in.LogGroupName, in.LogGroupIdentifier)
	if err != nil {
		return nil, err
	}
	s, err := a.stream(ctx, g, *in.LogStreamName)
	if err != nil {
		return nil, err
	}
	q := logs.Query{
		Group: g.ID, Streams: []string{s.Name}, From: max(retainedFrom(g), logs.Time(aws.ToInt64(in.StartTime))), To: logs.Time(aws.ToInt64(in.EndTime)),
		Backward: !aws.ToBool(in.StartFromHead),
	}
	at := logs.Place{Time: q.From, Stream: s.Number} // where the tokens of an empty page are
	if in.NextToken != nil {
		p, backward, ok := parseToken(*in.NextToken, s.Number)
		if !ok {
			return nil, badToken()
		}
		at, q.Backward = p, backward
		if backward {
			q.Before = &p
		} else {
			q.After = &p
		}
	}
	list, err := a.pageOf(ctx, q, int(cmp.Or(aws.ToInt32(in.Limit), mostRead)))
	if err != nil {
		return nil, err
	}
	return eventsView(list, at, q.Backward), nil
}

func validateGet(in *cwl.GetLogEventsInput) error {
	var c constraint.Check
	checkNamed(&c, in.LogGroupName, in.LogGroupIdentifier)
	checkStream(&c, in.LogStreamName)
	checkTimes(&c, in.StartTime, in.EndTime)
	c.Text("nextToken", in.NextToken, 1, 1<<10)
	constraint.Number(&c, "limit", in.Limit, 1, mostRead)
	return broken(&c)
}

func checkTimes(c *constraint.Check, start, end *int64) {
	constraint.Number(c, "startTime", start, 0, mostTime)
	constraint.Number(c, "endTime", end, 0, mostTime)
}

// mostTime is the latest time that a request may name, in milliseconds: it has 18 digits.
const mostTime = 999_999_999_999_999_999

// pageOf reads at most so many events, and at most mostReadBytes, but one event always. They come in the order of their places.
func (a *API) pageOf(ctx context.Context, q logs.Query, most int) (list []logs.Stored, err error) {
	size := 0
	for e, err := range a.streams.Events(ctx, q) {
		if err != nil {
			return nil, stored(err)
		}
		size += len(e.Message) + eventBytes
		if size > mostReadBytes && len(list) > 0 {
			break
		}
		if list = append(list, e); len(list) == most {
			break
		}
	}
	if q.Backward {
		slices.Reverse(list)
	}
	return list, nil
}

// eventsView is a page with its tokens. Those of an empty page are at the place where it would begin: forward is what is not before it.
func eventsView(list []logs.Stored, at logs.Place, backward bool) *cwl.GetLogEventsOutput {
	out := &cwl.GetLogEventsOutput{Events: make([]types.OutputLogEvent, len(list))}
	for i := range list {
		out.Events[i] = types.OutputLogEvent{Timestamp: (*int64)(&list[i].Time), Message: &list[i].Message, IngestionTime: (*int64)(&list[i].Ingested)}
	}
	switch {
	case len(list) > 0:
		out.NextBackwardToken, out.NextForwardToken = backwardToken(list[0].Place), forwardToken(list[len(list)-1].Place)
	case backward: // at is not behind what was seen
		before := at
		before.Seq -= min(1, before.Seq)
		out.NextBackwardToken, out.NextForwardToken = backwardToken(at), forwardToken(before)
	default: // at is what was seen last
		behind := at
		behind.Seq++
		out.NextBackwardToken, out.NextForwardToken = backwardToken(behind), forwardToken(at)
	}
	return out
}
