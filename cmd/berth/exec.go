package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	cwl "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"

	"berth/internal/acs"
	"berth/internal/agent"
	"berth/internal/agent/docker"
	"berth/internal/agent/sessions"
	"berth/internal/apierr"
	"berth/internal/arn"
	"berth/internal/frontdoor"
	"berth/internal/policy"
	"berth/internal/relay"
)

// serveSessions gives an agent what it opens sessions in containers with.
func serveSessions(c *agent.Config, engine *docker.Engine, log *slog.Logger) {
	c.Sessions = &sessions.Sessions{Engine: engine, Log: log, Dial: func(ctx context.Context, id, host string, port int32) (net.Conn, error) {
		found, err := engine.Inspect(ctx, id)
		if err != nil {
			return nil, err
		}
		if found.PID == 0 {
			return nil, fmt.Errorf("the container does not run")
		}
		return sessions.Within(ctx, found.PID, host, port)
	}}
}

// withSessions serves the data channels of clients, and everything else by door. A client has a token and may have signed or not, so it does not come
// through the door. A replica that does not lead hands it to the leader, whose sessions they are.
func withSessions(door http.Handler, r *relay.Relay, forward func(*http.Request) http.Handler) http.Handler {
	ofClient := func(req *http.Request) bool { return strings.HasPrefix(req.URL.Path, relay.ClientPath) }
	return atLeader(door, forward, ofClient, http.HandlerFunc(r.ServeClient))
}

// channelSocket is where agents join sessions in containers.
func channelSocket(r *relay.Relay) frontdoor.Socket {
	return frontdoor.Socket{Path: acs.ChannelPath, Service: "ecs", Action: "ecs:Poll",
		Resource: func(req *http.Request) string { return req.URL.Query().Get("containerInstanceArn") },
		Serve:    func(w http.ResponseWriter, req *http.Request, _ *frontdoor.Request) { r.ServeAgent(w, req) }}
}

// logSessions logs sessions that have ended to CloudWatch Logs, where their cluster's configuration says so: a stream each, of its name. It does so as the
// task's role, as on AWS: where that may not, the session is not logged, and the server's log says what is missing.
func logSessions(logs frontdoor.Service, caller func(arn.Task) (policy.Principal, bool), log *slog.Logger) func(context.Context, relay.Record) {
	calls := map[string]frontdoor.Operation{}
	for _, o := range logs.Operations {
		calls[o.Name] = o
	}
	return func(ctx context.Context, r relay.Record) {
		if r.LogGroup == "" || !r.Joined {
			return
		}
		scope := arn.ScopeOf(r.Task)
		who, ok := caller(r.Task)
		err := errNoTaskRole
		if ok {
			request := &frontdoor.Request{ID: r.ID, Scope: scope, Caller: who}
			if err = mayLog(calls, request, r); err == nil {
				err = logSession(ctx, calls, request, r)
			}
		}
		if err != nil {
			log.Warn("session not logged", "session", r.ID, "task", r.Task, "group", r.LogGroup, "err", err)
		}
	}
}

var errNoTaskRole = errors.New("the task is not there any more, or has no role that could log it")

// mayLog asks the policies of the task's role about all that logging a session takes.
func mayLog(calls map[string]frontdoor.Operation, request *frontdoor.Request, r relay.Record) error {
	for _, one := range []struct {
		name string
		in   any
	}{
		{"DescribeLogGroups", &cwl.DescribeLogGroupsInput{}},
		{"DescribeLogStreams", &cwl.DescribeLogStreamsInput{LogGroupName: &r.LogGroup}},
		{"CreateLogStream", &cwl.CreateLogStreamInput{LogGroupName: &r.LogGroup, LogStreamName: &r.ID}},
		{"PutLogEvents", &cwl.PutLogEventsInput{LogGroupName: &r.LogGroup, LogStreamName: &r.ID}},
	} {
		resources := []string{"*"}
		if of := calls[one.name].Resources; of != nil {
			resources = of(request, one.in)
		}
		for _, resource := range resources {
			if e := request.Authorize(frontdoor.Question{Action: "logs:" + one.name, Resource: resource, Owner: request.Scope.Account}); e != nil {
				return e
			}
		}
	}
	return nil
}

// What PutLogEvents takes at once, less than its own bounds.
const (
	mostBatch      = 5000
	mostBatchBytes = 800 << 10
)

func logSession(ctx context.Context, calls map[string]frontdoor.Operation, request *frontdoor.Request, r relay.Record) error {
	_, err := calls["CreateLogStream"].Call(ctx, request, &cwl.CreateLogStreamInput{LogGroupName: &r.LogGroup, LogStreamName: &r.ID})
	if err != nil && apierr.As(err).Code != "ResourceAlreadyExistsException" {
		return fmt.Errorf("make the log stream: %w", err)
	}
	for lines := r.Lines(); len(lines) > 0; {
		var batch []types.InputLogEvent
		for size := 0; len(lines) > 0 && len(batch) < mostBatch && size+len(lines[0])+26 <= mostBatchBytes; lines = lines[1:] {
			batch = append(batch, types.InputLogEvent{Message: &lines[0], Timestamp: aws.Int64(r.Ended.UnixMilli())})
			size += len(lines[0]) + 26
		}
		if _, err := calls["PutLogEvents"].Call(ctx, request, &cwl.PutLogEventsInput{LogGroupName: &r.LogGroup, LogStreamName: &r.ID, LogEvents: batch}); err != nil {
			return fmt.Errorf("put log events: %w", err)
		}
	}
	return nil
}
