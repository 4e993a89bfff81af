package ssm

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsssm "github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"berth/internal/apierr"
	"berth/internal/arn"
	"berth/internal/constraint"
	"berth/internal/ecs"
	"berth/internal/frontdoor"
	"berth/internal/page"
	"berth/internal/policy"
	"berth/internal/relay"
	"berth/internal/secret"
)

// Sessions opens sessions in containers, which ECS does.
type Sessions interface {
	// StartSession opens a session on a target ecs:CLUSTER_TASKID_RUNTIMEID. Its error is AWS's.
	StartSession(r *frontdoor.Request, target, document, reason string, parameters map[string][]string) (id, url, token string, err error)
	ResumeSession(r *frontdoor.Request, id string) (url, token string, err error)
	TerminateSession(r *frontdoor.Request, id string) error
	Sessions(r *frontdoor.Request, ended bool) []relay.Status
	Session(id string) (relay.Status, bool)
}

const (
	startSession    = "ssm:StartSession"
	defaultDocument = "SSM-SessionManagerRunShell"
	mostSessions    = 200 // on a page of DescribeSessions
)

// startsSessions is open: what the caller is asked about depends on whether the document is named.
func (a *API) startsSessions() frontdoor.Operation {
	o := frontdoor.Op("StartSession", a.startSession)
	o.Open = true
	return o
}

func (a *API) startSession(_ context.Context, r *frontdoor.Request, in *awsssm.StartSessionInput) (*awsssm.StartSessionOutput, error) {
	var c constraint.Check
	c.Needed("target", in.Target, 1, 400)
	c.Text("reason", in.Reason, 1, 256)
	c.Text("documentName", in.DocumentName, 1, 450)
	if err := c.Err(); err != nil {
		return nil, err
	}
	if e := a.mayStart(r, *in.Target, aws.ToString(in.DocumentName)); e != nil {
		return nil, e
	}
	if a.sessions == nil {
		return nil, notConnected(*in.Target)
	}
	id, url, token, err := a.sessions.StartSession(r, *in.Target, aws.ToString(in.DocumentName), aws.ToString(in.Reason), in.Parameters)
	if err != nil {
		return nil, err
	}
	return &awsssm.StartSessionOutput{SessionId: &id, StreamUrl: &url, TokenValue: &token}, nil
}

func notConnected(target string) error {
	return apierr.New("TargetNotConnected", "%s is not connected.", target)
}

// mayStart asks about the target, and about a document that is named. One that is not is the default one, about which is asked only where the target is
// allowed under the condition ssm:SessionDocumentAccessCheck.
func (a *API) mayStart(r *frontdoor.Request, target, document string) error {
	task := targetARN(r.Scope, target)
	if document == "" {
		asked := len(r.Decisions)
		if r.Authorize(a.mayStartOn(task, "false")) == nil {
			return nil
		}
		r.Decisions, document = r.Decisions[:asked], defaultDocument // that was no decision yet
	}
	for _, resource := range []string{task, documentARN(r.Scope, document)} {
		if e := r.Authorize(a.mayStartOn(resource, "true")); e != nil {
			return e
		}
	}
	return nil
}

func (a *API) mayStartOn(resource, checked string) frontdoor.Question {
	tags := a.resourceTags(resource)
	return frontdoor.Question{Action: startSession, Resource: resource, Keys: policy.Chain{
		policy.Keys{{Name: "ssm:sessiondocumentaccesscheck", Values: []string{checked}}},
		policy.Tags{Prefix: "aws:resourcetag/", Tags: tags}, policy.Tags{Prefix: "ssm:resourcetag/", Tags: tags},
	}}
}

// targetARN is what policies are asked about a target: the task, or the machine that AWS would have there.
func targetARN(s arn.Scope, target string) string {
	rest, ours := strings.CutPrefix(target, "ecs:")
	parts := strings.Split(rest, "_")
	if !ours || len(parts) < 3 {
		return instanceARN(s, target)
	}
	return string(s.Cluster(strings.Join(parts[:len(parts)-2], "_")).Task(parts[len(parts)-2]))
}

// documentARN is a document's: AWS's own are of no account.
func documentARN(s arn.Scope, name string) string {
	if strings.HasPrefix(name, "AWS-") {
		s.Account = ""
	}
	return secret.ARN(s, "ssm", "document/"+name)
}

func taskTags(t *ecs.Task) map[string]string {
	if t == nil {
		return nil
	}
	tags := map[string]string{}
	for _, tag := range t.Tags {
		tags[aws.ToString(tag.Key)] = aws.ToString(tag.Value)
	}
	return tags
}

// sessionTags are the tags that Systems Manager gives a session: who opened it, and in what.
func (a *API) sessionTags(id string) map[string]string {
	if a.sessions == nil {
		return nil
	}
	s, ok := a.sessions.Session(id)
	if !ok {
		return nil
	}
	return map[string]string{"aws:ssmmessages:session-id": s.Owner, "aws:ssmmessages:target-id": s.Target}
}

func (a *API) resumeSession(_ context.Context, r *frontdoor.Request, in *awsssm.ResumeSessionInput) (*awsssm.ResumeSessionOutput, error) {
	if err := a.sessionNamed(in.SessionId); err != nil {
		return nil, err
	}
	url, token, err := a.sessions.ResumeSession(r, *in.SessionId)
	if err != nil {
		return nil, err
	}
	return &awsssm.ResumeSessionOutput{SessionId: in.SessionId, StreamUrl: &url, TokenValue: filled(token)}, nil
}

func (a *API) terminateSession(_ context.Context, r *frontdoor.Request, in *awsssm.TerminateSessionInput) (*awsssm.TerminateSessionOutput, error) {
	if err := a.sessionNamed(in.SessionId); err != nil {
		return nil, err
	}
	if err := a.sessions.TerminateSession(r, *in.SessionId); err != nil {
		return nil, err
	}
	return &awsssm.TerminateSessionOutput{SessionId: in.SessionId}, nil
}

func (a *API) sessionNamed(id *string) error {
	var c constraint.Check
	c.Needed("sessionId", id, 1, 96)
	if err := c.Err(); err != nil {
		return err
	}
	if a.sessions == nil {
		return apierr.New("DoesNotExistException", "Session %s does not exist.", *id)
	}
	return nil
}

// describesSessions asks the leader, in whose memory sessions are.
func (a *API) describesSessions() frontdoor.Operation {
	return frontdoor.Op("DescribeSessions", a.describeSessions).OnLeader()
}

func (a *API) describeSessions(_ context.Context, r *frontdoor.Request, in *awsssm.DescribeSessionsInput) (*awsssm.DescribeSessionsOutput, error) {
	p, err := validateSessions(in)
	if err != nil {
		return nil, err
	}
	var all []relay.Status
	if a.sessions != nil {
		all = a.sessions.Sessions(r, in.State == types.SessionStateHistory)
	}
	wanted := func(yield func(relay.Status) bool) {
		for _, one := range all {
			if wantsSession(one, in.Filters) && !yield(one) {
				return
			}
		}
	}
	list, next := page.Take(p, wanted, relay.Status.Key)
	out := &awsssm.DescribeSessionsOutput{Sessions: []types.Session{}, NextToken: next}
	for _, one := range list {
		out.Sessions = append(out.Sessions, sessionView(one))
	}
	return out, nil
}

func validateSessions(in *awsssm.DescribeSessionsInput) (page.Request, error) {
	var c constraint.Check
	c.Present("state", in.State != "")
	constraint.Enum(&c, "state", in.State, in.State.Values())
	constraint.Number(&c, "maxResults", in.MaxResults, 1, mostSessions)
	list := []string{"DescribeSessions", string(in.State)}
	for _, f := range in.Filters {
		constraint.Enum(&c, "filters.member.key", f.Key, f.Key.Values())
		c.Needed("filters.member.value", f.Value, 1, 400)
		list = append(list, string(f.Key), aws.ToString(f.Value))
	}
	if err := c.Err(); err != nil {
		return page.Request{}, err
	}
	for _, f := range in.Filters {
		if err := checkSessionFilter(f); err != nil {
			return page.Request{}, err
		}
	}
	p, ok := page.New(int(cmp.Or(aws.ToInt32(in.MaxResults), mostSessions)), in.NextToken, list...)
	if p.Descending = true; !ok {
		return p, invalidToken()
	}
	return p, nil
}

func checkSessionFilter(f types.SessionFilter) error {
	switch f.Key {
	case types.SessionFilterKeyInvokedAfter, types.SessionFilterKeyInvokedBefore:
		if _, err := time.Parse(time.RFC3339, *f.Value); err != nil {
			return apierr.New("InvalidFilterKey", "The filter %s must be a time such as 2026-08-29T00:00:00Z.", f.Key)
		}
	case types.SessionFilterKeyStatus:
		if !slices.Contains(types.SessionStatus("").Values(), types.SessionStatus(*f.Value)) {
			return apierr.New("InvalidFilterKey", "The filter Status must be one of Connected, Connecting, Disconnected, Terminated, Terminating and Failed.")
		}
	case types.SessionFilterKeyAccessType:
		return notActedOn("the filter AccessType")
	}
	return nil
}

func wantsSession(s relay.Status, filters []types.SessionFilter) bool {
	for _, f := range filters {
		if !passes(s, f) {
			return false
		}
	}
	return true
}

func passes(s relay.Status, f types.SessionFilter) bool {
	at, _ := time.Parse(time.RFC3339, *f.Value) //nolint:errcheck // it was checked, where it is a time
	switch f.Key {
	case types.SessionFilterKeyInvokedAfter:
		return s.Began.After(at)
	case types.SessionFilterKeyInvokedBefore:
		return s.Began.Before(at)
	case types.SessionFilterKeyTargetId:
		return s.Target == *f.Value
	case types.SessionFilterKeyOwner:
		return s.Caller == *f.Value
	case types.SessionFilterKeyStatus:
		return string(sessionStatus(s)) == *f.Value
	case types.SessionFilterKeySessionId:
		return s.ID == *f.Value
	}
	return false
}

func sessionStatus(s relay.Status) types.SessionStatus {
	switch {
	case s.Ended.IsZero() && s.Joined:
		return types.SessionStatusConnected
	case s.Ended.IsZero():
		return types.SessionStatusConnecting
	case !s.Joined:
		return types.SessionStatusFailed
	}
	return types.SessionStatusTerminated
}

func sessionView(s relay.Status) types.Session {
	v := types.Session{
		SessionId: &s.ID, Target: &s.Target, Status: sessionStatus(s), StartDate: aws.Time(s.Began.UTC().Truncate(time.Millisecond)), DocumentName: &s.Document,
		Owner: &s.Caller, Reason: filled(s.Reason),
	}
	if !s.Ended.IsZero() {
		v.EndDate = aws.Time(s.Ended.UTC().Truncate(time.Millisecond))
	}
	return v
}
