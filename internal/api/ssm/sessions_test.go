package ssm

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/apierr"
	"berth/internal/ecs"
	"berth/internal/frontdoor"
	"berth/internal/policy"
	"berth/internal/relay"
)

// opener opens sessions that nobody serves.
type opener struct{ started, ended []string }

func (o *opener) StartSession(_ *frontdoor.Request, target, document, reason string, _ map[string][]string) (id, url, token string, err error) {
	o.started = append(o.started, target+" "+document+" "+reason)
	return "ada-0123456789abcdef0", "ws://berth/v1/data-channel/ada-0123456789abcdef0", "token", nil
}

func (o *opener) ResumeSession(_ *frontdoor.Request, id string) (url, token string, err error) {
	if id == "joined" {
		return "ws://berth/" + id, "", nil
	}
	return "ws://berth/" + id, "another", nil
}

func (o *opener) TerminateSession(_ *frontdoor.Request, id string) error {
	if id == "gone" {
		return apierr.New("DoesNotExistException", "Session gone does not exist.")
	}
	o.ended = append(o.ended, id)
	return nil
}

var began = time.Date(2026, 8, 29, 10, 0, 0, 0, time.UTC)

func (o *opener) Sessions(_ *frontdoor.Request, ended bool) []relay.Status {
	open := func(id, owner string, after time.Duration, joined bool) relay.Status {
		return relay.Status{Request: relay.Request{Caller: owner, Target: "ecs:c_t_r", Document: "AWS-StartPortForwardingSession"}, ID: id, Began: began.Add(after), Joined: joined}
	}
	if !ended {
		return []relay.Status{open("three", "arn:bob", 2*time.Hour, false), open("two", "arn:ada", time.Hour, true), open("one", "arn:ada", 0, true)}
	}
	past := open("past", "arn:ada", 0, true)
	past.Ended = began.Add(time.Minute)
	failed := open("failed", "arn:ada", -time.Hour, false)
	failed.Ended = began
	return []relay.Status{past, failed}
}

func (o *opener) Session(id string) (relay.Status, bool) {
	return relay.Status{Request: relay.Request{Owner: "AIDAADA", Target: "ecs:c_t_r"}}, id == "adas"
}

// withSessions is an account with a task t, tagged team=blue, in cluster c.
func withSessions(t *testing.T) (*account, *opener) {
	t.Helper()
	c := testScope.Cluster("c")
	a := newAccount(t, &ecs.Task{TaskArn: c.Task("t"), Tags: []types.Tag{{Key: aws.String("team"), Value: aws.String("blue")}}})
	o := &opener{}
	a.api.sessions = o
	return a, o
}

// may has the caller be somebody with a policy.
func (a *account) may(t *testing.T, statements string) {
	t.Helper()
	d, err := policy.Parse(`{"Version":"2012-10-17","Statement":[`+statements+`]}`, policy.Identity)
	if err != nil {
		t.Fatal(err)
	}
	a.caller = policy.Principal{ARN: "arn:aws:iam::123456789012:user/ada", Account: testScope.Account, UserID: "AIDAADA",
		Grants: &policy.Grants{Identity: policy.Compile(policy.Source{Document: d})}}
}

func allow(resource, condition string) string {
	if condition != "" {
		condition = `,"Condition":` + condition
	}
	return `{"Effect":"Allow","Action":"ssm:StartSession","Resource":"` + resource + `"` + condition + `}`
}

// Who may open a session: the task must be allowed, and the document that is named.
func TestStartSessionIsAllowed(t *testing.T) {
	const (
		task    = "arn:aws:ecs:us-east-1:123456789012:task/c/t"
		port    = "arn:aws:ssm:us-east-1::document/AWS-StartPortForwardingSession"
		shell   = "arn:aws:ssm:us-east-1:123456789012:document/SSM-SessionManagerRunShell"
		checked = `{"BoolIfExists":{"ssm:SessionDocumentAccessCheck":"true"}}`
	)
	const ofShell, ofPort = `{"Target":"ecs:c_t_r"}`, `{"Target":"ecs:c_t_r","DocumentName":"AWS-StartPortForwardingSession"}`
	for _, c := range []struct {
		name, may, body string
		denied          string // the resource that is not allowed
	}{
		{"a shell", allow(task, ""), ofShell, ""},
		{"a shell, with the document checked", allow(task, checked) + "," + allow(shell, ""), ofShell, ""},
		{"a shell, without the document that is checked", allow(task, checked), ofShell, shell},
		{"a port", allow(task, "") + "," + allow(port, ""), ofPort, ""},
		{"a port, of any account's document", allow(task, "") + "," + allow("arn:aws:ssm:*:*:document/AWS-StartPortForwardingSession", ""), ofPort, ""},
		{"a port without the document", allow(task, ""), ofPort, port},
		{"the document without the task", allow(port, ""), ofPort, task},
		{"another task", allow(task+"2", ""), ofShell, task},
		{"the task's tag", allow("*", `{"StringEquals":{"aws:ResourceTag/team":"blue"}}`), ofShell, ""},
		{"the task's tag, in the service's own key", allow("*", `{"StringEquals":{"ssm:resourceTag/team":"blue"}}`), ofShell, ""},
		{"another tag", allow("*", `{"StringEquals":{"aws:ResourceTag/team":"red"}}`), ofShell, task},
		{"a machine", allow("arn:aws:ssm:us-east-1:123456789012:managed-instance/mi-1", ""), `{"Target":"mi-1"}`, ""},
	} {
		a, o := withSessions(t)
		a.may(t, c.may)
		_, e := a.ask(t, "StartSession", c.body)
		switch {
		case c.denied == "" && (e != nil || len(o.started) != 1):
			t.Errorf("%s: %v", c.name, e)
		case c.denied != "" && (e == nil || e.Code != "AccessDeniedException" || !strings.Contains(e.Message, "ssm:StartSession on resource: "+c.denied+" ") || o.started != nil):
			t.Errorf("%s: %v", c.name, e)
		}
	}
}

func TestSessions(t *testing.T) {
	a, o := withSessions(t)
	for _, c := range []struct{ operation, body, shows string }{
		{"StartSession", `{"Target":"ecs:c_t_r","DocumentName":"AWS-StartPortForwardingSession","Reason":"a look","Parameters":{"portNumber":["80"]}}`,
			`{"SessionId":"ada-0123456789abcdef0","StreamUrl":"ws://berth/v1/data-channel/ada-0123456789abcdef0","TokenValue":"token"}`},
		{"StartSession", `{}`, "ValidationException"},
		{"StartSession", `{"Target":"` + strings.Repeat("x", 401) + `"}`, "ValidationException"},
		{"ResumeSession", `{"SessionId":"mine"}`, `{"SessionId":"mine","StreamUrl":"ws://berth/mine","TokenValue":"another"}`},
		{"ResumeSession", `{"SessionId":"joined"}`, `{"SessionId":"joined","StreamUrl":"ws://berth/joined"}`},
		{"ResumeSession", `{}`, "ValidationException"},
		{"TerminateSession", `{"SessionId":"mine"}`, `{"SessionId":"mine"}`},
		{"TerminateSession", `{"SessionId":"gone"}`, "DoesNotExistException"},
		{"DescribeSessions", `{"State":"Active","MaxResults":1}`, `"SessionId":"three","StartDate":1788004800,"Status":"Connecting"`},
		{"DescribeSessions", `{"State":"Active","Filters":[{"key":"Owner","value":"arn:ada"},{"key":"InvokedAfter","value":"2026-08-29T10:30:00Z"}]}`, `"SessionId":"two"`},
		{"DescribeSessions", `{"State":"Active","Filters":[{"key":"Status","value":"Disconnected"}]}`, `{"Sessions":[]}`},
		{"DescribeSessions", `{"State":"History","Filters":[{"key":"SessionId","value":"past"}]}`, `"Status":"Terminated"`},
		{"DescribeSessions", `{"State":"History","Filters":[{"key":"Status","value":"Failed"}]}`, `"SessionId":"failed"`},
		{"DescribeSessions", `{}`, "ValidationException"},
		{"DescribeSessions", `{"State":"Past"}`, "ValidationException"},
		{"DescribeSessions", `{"State":"Active","MaxResults":201}`, "ValidationException"},
		{"DescribeSessions", `{"State":"Active","NextToken":"x"}`, "InvalidNextToken"},
		{"DescribeSessions", `{"State":"Active","Filters":[{"key":"Status","value":"x"}]}`, "InvalidFilterKey"},
		{"DescribeSessions", `{"State":"Active","Filters":[{"key":"InvokedAfter","value":"x"}]}`, "InvalidFilterKey"},
		{"DescribeSessions", `{"State":"Active","Filters":[{"key":"Owner"}]}`, "ValidationException"},
	} {
		b, e := a.ask(t, c.operation, c.body)
		got := string(b)
		if e != nil {
			got = e.Code
		}
		if !strings.Contains(got, c.shows) {
			t.Errorf("%s %s: %s %v", c.operation, c.body, got, e)
		}
	}
	if len(o.started) != 1 || o.started[0] != "ecs:c_t_r AWS-StartPortForwardingSession a look" || len(o.ended) != 1 {
		t.Errorf("%q, %q", o.started, o.ended)
	}
	// A session knows whose it is.
	if tags := a.api.resourceTags("arn:aws:ssm:us-east-1:123456789012:session/adas"); tags["aws:ssmmessages:session-id"] != "AIDAADA" {
		t.Error(tags)
	}
	if tags := a.api.resourceTags("arn:aws:ssm:us-east-1:123456789012:session/bobs"); tags != nil {
		t.Error(tags)
	}
	a.api.sessions = nil
	if _, e := a.ask(t, "StartSession", `{"Target":"ecs:c_t_r"}`); e == nil || e.Code != "TargetNotConnected" || e.Message != "ecs:c_t_r is not connected." {
		t.Error(e)
	}
}
