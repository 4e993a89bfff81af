package logs

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	cwl "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"

	"berth/internal/constraint"
	"berth/internal/frontdoor"
	"berth/internal/logs"
	"berth/internal/page"
)

// describeLogStreams shows the streams of a group, by their names or by their latest events.
func (a *API) describeLogStreams(ctx context.Context, r *frontdoor.Request, in *cwl.DescribeLogStreamsInput) (*cwl.DescribeLogStreamsOutput, error) {
	if err := validateDescribeStreams(in); err != nil {
		return nil, err
	}
	g, err := named(a.store.View().Tables, r.Scope, in.LogGroupName, in.LogGroupIdentifier)
	if err != nil {
		return nil, err
	}
	p, ok := page.New(int(cmp.Or(aws.ToInt32(in.Limit), mostDescribed)), in.NextToken, "DescribeLogStreams", g.ID, value(in.LogStreamNamePrefix),
		string(cmp.Or(in.OrderBy, types.OrderByLogStreamName)), fmt.Sprint(aws.ToBool(in.Descending)))
	if !ok {
		return nil, badToken()
	}
	p.Descending = aws.ToBool(in.Descending)
	all, err := a.sortedStreams(ctx, g, in)
	if err != nil {
		return nil, err
	}
	list, next := page.Take(p, slices.Values(all), streamOrder(in.OrderBy))
	out := &cwl.DescribeLogStreamsOutput{LogStreams: make([]types.LogStream, len(list)), NextToken: next}
	for i, s := range list {
		out.LogStreams[i] = streamView(g, s, retainedFrom(g))
	}
	return out, nil
}

func validateDescribeStreams(in *cwl.DescribeLogStreamsInput) error {
	var c constraint.Check
	checkNamed(&c, in.LogGroupName, in.LogGroupIdentifier)
	c.Text("logStreamNamePrefix", in.LogStreamNamePrefix, 1, mostName)
	c.Pattern("logStreamNamePrefix", in.LogStreamNamePrefix, streamPattern)
	constraint.Enum(&c, "orderBy", in.OrderBy, in.OrderBy.Values())
	constraint.Number(&c, "limit", in.Limit, 1, mostDescribed)
	if err := broken(&c); err != nil {
		return err
	}
	if in.OrderBy == types.OrderByLastEventTime && in.LogStreamNamePrefix != nil {
		return invalid("Cannot order by LastEventTime with a logStreamNamePrefix.")
	}
	return nil
}

func (a *API) sortedStreams(ctx context.Context, g *logs.Group, in *cwl.DescribeLogStreamsInput) (all []logs.Stream, err error) {
	for s, err := range a.streams.Streams(ctx, g.ID, value(in.LogStreamNamePrefix)) {
		if err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	if in.OrderBy == types.OrderByLastEventTime {
		key := streamOrder(in.OrderBy)
		slices.SortFunc(all, func(x, y logs.Stream) int { return strings.Compare(key(x), key(y)) })
	}
	if aws.ToBool(in.Descending) {
		slices.Reverse(all)
	}
	return all, nil
}

// streamOrder is a text that is in the order that a request wants; no two streams of a group have the same.
func streamOrder(by types.OrderBy) func(logs.Stream) string {
	return func(s logs.Stream) string {
		if by == types.OrderByLastEventTime {
			return fmt.Sprintf("%020d %s", s.Last, s.Name)
		}
		return s.Name
	}
}

// streamView is a stream as answers have it. Events from before from are not there any more.
func streamView(g *logs.Group, s logs.Stream, from logs.Time) types.LogStream {
	v := types.LogStream{
		Arn: aws.String(logs.StreamARN(g.Arn, s.Name)), LogStreamName: &s.Name, CreationTime: aws.Int64(int64(s.Created)), StoredBytes: aws.Int64(0),
		UploadSequenceToken: sequenceToken(s.Number),
	}
	if s.Ingested == 0 {
		return v
	}
	v.LastIngestionTime, v.LastEventTimestamp = aws.Int64(int64(s.Ingested)), aws.Int64(int64(s.Last))
	if first := max(s.First, from); first <= s.Last {
		v.FirstEventTimestamp = aws.Int64(int64(first))
	}
	return v
}

// sequenceToken is what older clients expect of a stream: PutLogEvents takes any.
func sequenceToken(number uint64) *string { return aws.String(fmt.Sprintf("%056d", number)) }

// retainedFrom is the time from which on a group keeps its events, 0 where it keeps all.
func retainedFrom(g *logs.Group) logs.Time {
	if g.RetentionInDays == 0 {
		return 0
	}
	return logs.At(now().AddDate(0, 0, -int(g.RetentionInDays)))
}
