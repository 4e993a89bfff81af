package main

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	cwl "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"

	"berth/internal/access"
	"berth/internal/apierr"
	"berth/internal/arn"
	"berth/internal/frontdoor"
	"berth/internal/policy"
	"berth/internal/relay"
)

func TestWithSessions(t *testing.T) {
	answer := func(text string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte(text)) }) //nolint:errcheck // a recorder
	}
	leading := true
	h := withSessions(answer("door"), relay.New(relay.Config{}), func(*http.Request) http.Handler {
		if leading {
			return nil
		}
		return answer("leader")
	})
	ask := func(path string) string {
		w := httptest.NewRecorder()
		r := httptest.NewRequest(http.MethodGet, path, nil)
		r.Header.Set("Authorization", "AWS4-HMAC-SHA256 what the plugin has signed")
		h.ServeHTTP(w, r)
		return w.Body.String()
	}
	if got := ask(relay.ClientPath + "x"); !strings.Contains(got, "no such session") {
		t.Errorf("a data channel: %q", got)
	}
	leading = false
	if got := ask(relay.ClientPath + "x"); got != "leader" {
		t.Errorf("a data channel at a replica that does not lead: %q", got)
	}
	if got := ask("/acs/ws"); got != "door" {
		t.Errorf("anything else: %q", got)
	}
}

func TestLogSessions(t *testing.T) {
	var calls []string
	var refuse error
	service := frontdoor.Service{Operations: []frontdoor.Operation{
		frontdoor.Op("CreateLogStream", func(_ context.Context, r *frontdoor.Request, in *cwl.CreateLogStreamInput) (*cwl.CreateLogStreamOutput, error) {
			calls = append(calls, fmt.Sprint("create ", r.Scope.Account, " ", *in.LogGroupName, " ", *in.LogStreamName))
			return &cwl.CreateLogStreamOutput{}, refuse
		}),
		frontdoor.Op("PutLogEvents", func(_ context.Context, _ *frontdoor.Request, in *cwl.PutLogEventsInput) (*cwl.PutLogEventsOutput, error) {
			size := 0
			for _, e := range in.LogEvents {
				size += len(*e.Message) + 26
			}
			if size > 1<<20 || len(in.LogEvents) > 10_000 {
				t.Errorf("%d events of %d bytes at once", len(in.LogEvents), size)
			}
			calls = append(calls, fmt.Sprint("put ", *in.LogStreamName, " ", len(in.LogEvents)))
			return &cwl.PutLogEventsOutput{}, nil
		}),
	}}
	role, there := access.Admin("123456789012"), true
	var said strings.Builder
	log := logSessions(service, func(arn.Task) (policy.Principal, bool) { return role, there }, slog.New(slog.NewTextHandler(&said, nil)))
	r := relay.Record{
		Request: relay.Request{Task: arn.Scope{Region: "us-east-1", Account: "123456789012"}.Cluster("demo").Task("t"), LogGroup: "audit"}, ID: "s", Joined: true, Ended: time.Now(),
		Transcript: []byte("one\ntwo"),
	}
	log(t.Context(), r)
	want := []string{"create 123456789012 audit s", "put s 3"}
	if !slices.Equal(calls, want) {
		t.Errorf("%q", calls)
	}
	calls, r.Transcript = nil, []byte(strings.Repeat("x\n", relay.MaxTranscript/2)) // lines and lines
	log(t.Context(), r)
	if len(calls) < 100 {
		t.Errorf("%d calls", len(calls))
	}
	for name, c := range map[string]struct {
		change func(*relay.Record)
		refuse error
		calls  int
	}{
		"no group":            {change: func(r *relay.Record) { r.LogGroup = "" }},
		"not joined":          {change: func(r *relay.Record) { r.Joined = false }},
		"the group is gone":   {refuse: apierr.New("ResourceNotFoundException", "gone"), calls: 1},
		"the stream is there": {refuse: apierr.New("ResourceAlreadyExistsException", "there"), calls: 2},
	} {
		r := r
		r.Transcript = nil
		calls, refuse = nil, c.refuse
		if c.change != nil {
			c.change(&r)
		}
		if log(t.Context(), r); len(calls) != c.calls {
			t.Errorf("%s: %q", name, calls)
		}
	}
	// It is the task's role that logs: without all four rights, or without a role, nobody does, and that is said.
	r.Transcript, refuse = nil, nil
	rights := []string{"logs:DescribeLogGroups", "logs:DescribeLogStreams", "logs:CreateLogStream", "logs:PutLogEvents"}
	role.Grants = &policy.Grants{Identity: policy.Compile(policy.Source{Document: &policy.Document{Statements: []policy.Statement{
		{Effect: policy.Allow, Actions: rights, Resources: []string{"*"}},
	}}})}
	calls = nil
	if log(t.Context(), r); len(calls) != 2 {
		t.Errorf("with all rights: %q", calls)
	}
	for i, missing := range rights {
		some := slices.Delete(slices.Clone(rights), i, i+1)
		role.Grants = &policy.Grants{Identity: policy.Compile(policy.Source{Document: &policy.Document{Statements: []policy.Statement{
			{Effect: policy.Allow, Actions: some, Resources: []string{"*"}},
		}}})}
		calls = nil
		said.Reset()
		if log(t.Context(), r); len(calls) != 0 || !strings.Contains(said.String(), "is not authorized to perform: "+missing) {
			t.Errorf("without %s: %q, %s", missing, calls, said.String())
		}
	}
	there = false
	said.Reset()
	if log(t.Context(), r); len(calls) != 0 || !strings.Contains(said.String(), "session not logged") {
		t.Errorf("without a role: %q, %s", calls, said.String())
	}
}
