// Package logs serves CloudWatch Logs, one file per operation. Log groups are records of the state; streams and events are in a log store, which is that
// of the replica that leads. So every operation is the leader's.
package logs

import (
	"context"
	_ "embed"
	"iter"
	"log/slog"
	"strings"
	"time"

	"berth/internal/awswire"
	"berth/internal/frontdoor"
	"berth/internal/logs"
	"berth/internal/logstore"
	"berth/internal/state"
)

// operationList are the names of all operations that CloudWatch Logs has, one a line: a fact, so that one that is not served is refused by name.
//
//go:embed operations.txt
var operationList string

// Streams keeps streams and their events. What Create and Append have answered with success is durable. Errors that callers may see are
// logs.ErrNoStream, logs.ErrStreamExists and logs.ErrFull.
type Streams interface {
	Create(ctx context.Context, name logs.StreamName, at logs.Time) error
	Append(ctx context.Context, name logs.StreamName, events []logs.Event, at logs.Time) error
	Drop(ctx context.Context, span logs.Span) error
	Streams(ctx context.Context, group, prefix string) iter.Seq2[logs.Stream, error]
	Events(ctx context.Context, q logs.Query) iter.Seq2[logs.Stored, error]
}

// Groups tells what a store of streams has of groups, by Group.ID.
type Groups interface {
	Groups(ctx context.Context) ([]string, error)
	Stored(group string) (uint64, error) // about how many bytes
}

// API are the operations over one store.
type API struct {
	store   *state.Store
	streams Streams
	groups  Groups
	tails   logstore.Tails
	live    sessions
	config  Config
}

// Config is what the operations need.
type Config struct {
	State   *state.Store
	Streams Streams
	Groups  Groups
	// MostGroups is how many log groups there can be, 100,000 where it is 0.
	MostGroups int
	// MostTails is how many live tails an account may have at a time, 15 where it is 0, as on AWS.
	MostTails int
	Log       *slog.Logger // nowhere
}

// New returns the operations.
func New(c Config) *API {
	if c.MostGroups == 0 {
		c.MostGroups = 100000
	}
	if c.MostTails == 0 {
		c.MostTails = 15
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return &API{store: c.State, streams: c.Streams, groups: c.Groups, config: c}
}

// maxBody is how long a request may be: PutLogEvents takes a mebibyte of messages, which are longer in JSON.
const maxBody = 4 << 20

// Service is the table that the front door dispatches by.
func (a *API) Service() frontdoor.Service {
	return frontdoor.Service{
		Name: "logs", Protocol: frontdoor.AWSJSON11, Names: awswire.LowerCamel, Target: "Logs_20140328",
		Operations: a.operations(), Known: strings.Fields(operationList), ResourceTags: a.resourceTags, MaxBody: maxBody,
	}
}

func (a *API) operations() []frontdoor.Operation {
	put := frontdoor.Op("PutLogEvents", a.putLogEvents).On(streamResource)
	put.Frequent = true
	return []frontdoor.Operation{ // the leader has the streams
		frontdoor.Op("CreateLogGroup", a.createLogGroup).On(groupResource),
		frontdoor.Op("DeleteLogGroup", a.deleteLogGroup).On(groupResource),
		frontdoor.Op("DescribeLogGroups", a.describeLogGroups).On(allGroups).OnLeader(),
		frontdoor.Op("ListLogGroups", a.listLogGroups).On(allGroups),
		frontdoor.Op("PutRetentionPolicy", a.putRetentionPolicy).On(groupResource),
		frontdoor.Op("DeleteRetentionPolicy", a.deleteRetentionPolicy).On(groupResource),
		frontdoor.Op("TagResource", a.tagResource).On(taggedResource),
		frontdoor.Op("UntagResource", a.untagResource).On(taggedResource),
		frontdoor.Op("ListTagsForResource", a.listTagsForResource).On(taggedResource),
		frontdoor.Op("TagLogGroup", a.tagLogGroup).On(groupResource),
		frontdoor.Op("UntagLogGroup", a.untagLogGroup).On(groupResource),
		frontdoor.Op("ListTagsLogGroup", a.listTagsLogGroup).On(groupResource),
		frontdoor.Op("PutLogGroupDeletionProtection", a.putLogGroupDeletionProtection).On(groupResource),
		frontdoor.Op("CreateLogStream", a.createLogStream).On(streamResource),
		frontdoor.Op("DeleteLogStream", a.deleteLogStream).On(streamResource),
		frontdoor.Op("DescribeLogStreams", a.describeLogStreams).On(groupResource).OnLeader(),
		put,
		frontdoor.Op("GetLogEvents", a.getLogEvents).On(streamResource).OnLeader(),
		frontdoor.Op("FilterLogEvents", a.filterLogEvents).On(groupResource).OnLeader(),
		frontdoor.Op("StartLiveTail", a.startLiveTail).On(tailResources),
	}
}

// now is the time that goes into records: they keep milliseconds.
func now() time.Time { return time.Now().UTC().Truncate(time.Millisecond) }
