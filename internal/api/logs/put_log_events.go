package logs

import (
	"context"
	"fmt"
	"time"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	cwl "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"

	"berth/internal/constraint"
	"berth/internal/frontdoor"
	"berth/internal/logs"
)

// What one request may have.
const (
	mostPut      = 10000          // events
	mostPutBytes = 1 << 20        // messages, and eventBytes for each
	eventBytes   = 26             // that an event counts besides its message
	mostSpan     = 24 * time.Hour // from its first valid event to its last
	mostAge      = 14 * 24 * time.Hour
	mostAhead    = 2 * time.Hour
)

// putLogEvents writes events into a stream; with success they are on the disk. Events that are too old or too new are left out, and the answer says so.
// Sequence tokens are not looked at, as on AWS.
func (a *API) putLogEvents(ctx context.Context, r *frontdoor.Request, in *cwl.PutLogEventsInput) (*cwl.PutLogEventsOutput, error) {
	if err := validatePut(in); err != nil {
		return nil, err
	}
	g, err := group(a.store.View().Tables, r.Scope, *in.LogGroupName)
	if err != nil {
		return nil, err
	}
	at := now()
	events, rejected := valid(in.LogEvents, g, at)
	if n := len(events); n > 0 && events[n-1].Time-events[0].Time > logs.Time(mostSpan.Milliseconds()) {
		return nil, invalid("The batch of log events in a single PutLogEvents request cannot span more than 24 hours.")
	}
	name := logs.StreamName{Group: g.ID, Name: *in.LogStreamName}
	if len(events) == 0 {
		if _, err := a.stream(ctx, g, name.Name); err != nil {
			return nil, err
		}
	} else if err := a.streams.Append(ctx, name, events, logs.At(at)); err != nil {
		return nil, stored(err)
	}
	a.tails.Publish(name, events, logs.At(at))
	return &cwl.PutLogEventsOutput{NextSequenceToken: sequenceToken(0), RejectedLogEventsInfo: rejected}, nil
}

func validatePut(in *cwl.PutLogEventsInput) error {
	var c constraint.Check
	checkGroup(&c, in.LogGroupName)
	checkStream(&c, in.LogStreamName)
	c.Text("sequenceToken", in.SequenceToken, 1, 1<<10)
	c.Present("logEvents", in.LogEvents != nil)
	if in.LogEvents != nil {
		c.Hidden("logEvents", len(in.LogEvents), 1, mostPut)
	}
	size := 0
	for i, e := range in.LogEvents[:min(len(in.LogEvents), mostPut)] {
		size += checkEvent(&c, i, e)
	}
	if err := broken(&c); err != nil {
		return err
	}
	if size > mostPutBytes {
		return invalid("Upload too large: %d bytes exceeds limit of %d", size, mostPutBytes)
	}
	for i := 1; i < len(in.LogEvents); i++ {
		if *in.LogEvents[i].Timestamp < *in.LogEvents[i-1].Timestamp {
			return invalid("Log events in a single PutLogEvents request must be in chronological order.")
		}
	}
	return nil
}

// checkEvent checks event i of a request, and returns what it counts of the request's size. It makes no texts for events that are right.
func checkEvent(c *constraint.Check, i int, e types.InputLogEvent) int {
	if e.Message != nil && *e.Message != "" && e.Timestamp != nil && *e.Timestamp >= 0 && utf8.ValidString(*e.Message) {
		return len(*e.Message) + eventBytes
	}
	member := fmt.Sprintf("logEvents.%d.member.", i+1)
	c.Present(member+"timestamp", e.Timestamp != nil)
	constraint.Number(c, member+"timestamp", e.Timestamp, 0, 1<<62)
	c.Present(member+"message", e.Message != nil)
	if e.Message != nil {
		c.Hidden(member+"message", len(*e.Message), 1, mostPutBytes)
	}
	return len(aws.ToString(e.Message)) + eventBytes
}

// valid are the events that are neither too old nor too new, and where the others end and begin.
func valid(in []types.InputLogEvent, g *logs.Group, at time.Time) (events []logs.Event, rejected *types.RejectedLogEventsInfo) {
	tooOld, expired, tooNew := logs.At(at.Add(-mostAge)), retainedFrom(g), logs.At(at.Add(mostAhead))
	events = make([]logs.Event, 0, len(in))
	var info types.RejectedLogEventsInfo
	for i, e := range in {
		t := logs.Time(*e.Timestamp)
		switch {
		case t > tooNew:
			if info.TooNewLogEventStartIndex == nil {
				info.TooNewLogEventStartIndex = aws.Int32(int32(i))
			}
		case t < expired:
			info.ExpiredLogEventEndIndex = aws.Int32(int32(i + 1))
		case t < tooOld:
			info.TooOldLogEventEndIndex = aws.Int32(int32(i + 1))
		default:
			events = append(events, logs.Event{Time: t, Message: *e.Message})
		}
	}
	if info == (types.RejectedLogEventsInfo{}) {
		return events, nil
	}
	return events, &info
}
