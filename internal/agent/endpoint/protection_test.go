package endpoint

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"berth/internal/acsproto"
	"berth/internal/agent"
)

const task = "arn:aws:ecs:us-east-1:123456789012:task/demo/abc"

// plane answers for one task, by what its fields say.
type plane struct {
	err      error
	hangs    bool
	failures []types.Failure
	empty    bool
	asked    []string
	keyless  bool
	signed   []string // access key ids
}

// key is that of the task's role.
func (p *plane) key() agent.Key {
	if p.keyless {
		return agent.Key{}
	}
	return agent.Key{AccessKeyID: "ASIATASK", SecretAccessKey: "s3cr3t", SessionToken: "t0ken"}
}

func (p *plane) by(ctx context.Context, options []func(*awsecs.Options)) {
	o := awsecs.Options{Credentials: aws.AnonymousCredentials{}}
	for _, f := range options {
		f(&o)
	}
	c, err := o.Credentials.Retrieve(ctx)
	if err != nil || c.SecretAccessKey != "s3cr3t" || c.SessionToken != "t0ken" {
		c.AccessKeyID = "?"
	}
	p.signed = append(p.signed, c.AccessKeyID)
}

// Seen implements Tasks: nothing is told of any.
func (p *plane) Seen(context.Context, string) (*agent.Seen, bool) { return nil, false }

// SeenAt implements Tasks.
func (p *plane) SeenAt(context.Context, string, netip.Addr) (*agent.Seen, bool) { return nil, false }

// ClockReading implements Tasks.
func (p *plane) ClockReading() (agent.Clock, bool) { return agent.Clock{}, false }

// Send implements Planes: no replica answers.
func (p *plane) Send(*http.Request) (*http.Response, error) { return nil, errors.New("refused") }

// Holds implements Planes.
func (p *plane) Holds(key string) bool { return key == "ASIA1" }

// Credentials implements Vaults: two ids are known, one of a task with a network interface, and one whose credentials have not come yet.
func (p *plane) Credentials(id string) (agent.Vended, bool) {
	creds := acsproto.RoleCredentials{CredentialsID: id, RoleARN: "arn:aws:iam::123456789012:role/r", AccessKeyID: "ASIA1", SecretAccessKey: "s3cr3t",
		SessionToken: "t0ken", Expiration: "2031-01-01T00:00:00Z"}
	switch id {
	case "bridge":
		return agent.Vended{RoleCredentials: creds, Task: task}, true
	case "awsvpc":
		return agent.Vended{RoleCredentials: creds, Task: task, Networked: true}, true
	case "early":
		return agent.Vended{Task: task}, true
	}
	return agent.Vended{}, false
}

// At implements Vaults.
func (p *plane) At(of, vpc string, address netip.Addr) bool {
	return of == task && vpc == "vpc-1" && address == netip.MustParseAddr("10.0.0.4")
}

// Caller implements Callers: one id is known.
func (p *plane) Caller(id string) (agent.Caller, bool) {
	if id != "secret" {
		return agent.Caller{}, false
	}
	return agent.Caller{Task: task, Cluster: "demo", API: p, Key: p.key()}, true
}

func (p *plane) answer(ctx context.Context, enabled bool) ([]types.ProtectedTask, []types.Failure, error) {
	if p.hangs {
		<-ctx.Done()
		return nil, nil, ctx.Err()
	}
	if p.err != nil || p.failures != nil || p.empty {
		return nil, p.failures, p.err
	}
	t := types.ProtectedTask{TaskArn: aws.String(task), ProtectionEnabled: enabled}
	if enabled {
		t.ExpirationDate = aws.Time(time.Date(2026, 11, 29, 12, 0, 0, 5e8, time.UTC))
	}
	return []types.ProtectedTask{t}, []types.Failure{}, nil
}

func (p *plane) GetTaskProtection(ctx context.Context, in *awsecs.GetTaskProtectionInput, options ...func(*awsecs.Options)) (*awsecs.GetTaskProtectionOutput, error) {
	p.by(ctx, options)
	p.asked = append(p.asked, *in.Cluster+" "+strings.Join(in.Tasks, " "))
	done, failed, err := p.answer(ctx, false)
	return &awsecs.GetTaskProtectionOutput{ProtectedTasks: done, Failures: failed}, err
}

func (p *plane) UpdateTaskProtection(ctx context.Context, in *awsecs.UpdateTaskProtectionInput, options ...func(*awsecs.Options)) (*awsecs.UpdateTaskProtectionOutput, error) {
	p.by(ctx, options)
	text := *in.Cluster + " " + strings.Join(in.Tasks, " ") + map[bool]string{true: " on", false: " off"}[in.ProtectionEnabled]
	if in.ExpiresInMinutes != nil {
		text += " " + (time.Duration(*in.ExpiresInMinutes) * time.Minute).String()
	}
	p.asked = append(p.asked, text)
	done, failed, err := p.answer(ctx, in.ProtectionEnabled)
	return &awsecs.UpdateTaskProtectionOutput{ProtectedTasks: done, Failures: failed}, err
}

func ask(h http.Handler, method, path, body string) (status int, answer string) {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(method, path, strings.NewReader(body)))
	b, _ := io.ReadAll(w.Result().Body)
	return w.Code, strings.TrimSpace(string(b))
}

const path = "/api/secret/task-protection/v1/state"

func TestProtection(t *testing.T) {
	const (
		none    = `{"protection":{"ExpirationDate":null,"ProtectionEnabled":false,"TaskArn":"` + task + `"}}`
		some    = `{"protection":{"ExpirationDate":"2026-11-29T12:00:00.5Z","ProtectionEnabled":true,"TaskArn":"` + task + `"}}`
		decode  = `{"error":{"Code":"InvalidParameterException","Message":"UpdateTaskProtection: failed to decode request"}}`
		missing = `{"error":{"Arn":"` + task + `","Code":"InvalidParameterException","Message":"Invalid request: does not contain 'ProtectionEnabled' field"}}`
		unknown = `{"error":{"Code":"ResourceNotFoundException","Message":"Failed to find a task for the request"}}`
	)
	for _, c := range []struct {
		method, path, body string
		status             int
		want, asked        string
	}{
		{"GET", path, "", 200, none, "demo " + task},
		{"PUT", path, `{"ProtectionEnabled":true}`, 200, some, "demo " + task + " on"},
		{"PUT", path, `{"ProtectionEnabled":true,"ExpiresInMinutes":60}`, 200, some, "demo " + task + " on 1h0m0s"},
		{"PUT", path, `{"ProtectionEnabled":false}`, 200, none, "demo " + task + " off"},
		{"PUT", path, `{}`, 400, missing, ""},
		{"PUT", path, `{"ExpiresInMinutes":1}`, 400, missing, ""},
		{"PUT", path, ``, 400, decode, ""},
		{"PUT", path, `{"ProtectionEnabled":"yes"}`, 400, decode, ""},
		{"PUT", path, `{"ProtectionEnabled":true,"More":1}`, 400, decode, ""},
		{"PUT", path, `{"ProtectionEnabled":true,"ExpiresInMinutes":1e99}`, 400, decode, ""},
		{"PUT", path, `{"ProtectionEnabled":` + strings.Repeat(" ", mostBody) + `true}`, 400, decode, ""},
		{"GET", "/api/guess/task-protection/v1/state", "", 404, unknown, ""},
		{"PUT", "/api/guess/task-protection/v1/state", `{"ProtectionEnabled":true}`, 404, unknown, ""},
		{"GET", "/api//task-protection/v1/state", "", 307, "", ""},
		{"GET", "/api/secret", "", 404, "", ""},
		{"POST", path, `{"ProtectionEnabled":true}`, 405, "", ""},
	} {
		p := &plane{}
		status, got := ask(Handler(p, nil), c.method, c.path, c.body)
		if status != c.status || c.want != "" && got != c.want || strings.Join(p.asked, "; ") != c.asked {
			t.Errorf("%s %s %.60s: %d %s, asked %q; want %d %s, %q", c.method, c.path, c.body, status, got, p.asked, c.status, c.want, c.asked)
		}
	}
}

// TestProtectionIsTheTaskRoles: the calls are made with the credentials of the task's role, and without these not at all.
func TestProtectionIsTheTaskRoles(t *testing.T) {
	for method, body := range map[string]string{"GET": "", "PUT": `{"ProtectionEnabled":true}`} {
		p := &plane{}
		if status, _ := ask(Handler(p, nil), method, path, body); status != 200 || strings.Join(p.signed, " ") != "ASIATASK" {
			t.Errorf("%s: %d, signed by %q", method, status, p.signed)
		}
		p = &plane{keyless: true}
		const none = `{"error":{"Arn":"` + task + `","Code":"AccessDeniedException","Message":"Invalid Request: no task IAM role credentials available for task"}}`
		if status, got := ask(Handler(p, nil), method, path, body); status != 403 || got != none || len(p.asked) > 0 {
			t.Errorf("%s: %d %s, asked %q", method, status, got, p.asked)
		}
	}
}

// refusal is an error as the SDK makes one of an answer.
func refusal(status int, code, text string) error {
	return &smithy.OperationError{Err: &awshttp.ResponseError{RequestID: "r-1", ResponseError: &smithyhttp.ResponseError{
		Response: &smithyhttp.Response{Response: &http.Response{StatusCode: status}}, Err: &smithy.GenericAPIError{Code: code, Message: text},
	}}}
}

func TestProtectionErrors(t *testing.T) {
	wrong := func(code, text string) string {
		return `"error":{"Arn":"` + task + `","Code":"` + code + `","Message":"` + text + `"}}`
	}
	for _, c := range []struct {
		plane  plane
		status int
		want   string
	}{
		{plane{failures: []types.Failure{{Arn: aws.String(task), Reason: aws.String("TASK_NOT_VALID")}}}, 200,
			`{"failure":{"Arn":"` + task + `","Detail":null,"Reason":"TASK_NOT_VALID"}}`},
		{plane{err: refusal(400, "AccessDeniedException", "no")}, 400, `{"requestID":"r-1",` + wrong("AccessDeniedException", "no")},
		{plane{err: refusal(500, "ServerException", "later")}, 500, `{"requestID":"r-1",` + wrong("ServerException", "later")},
		{plane{err: &smithy.GenericAPIError{Code: "X", Message: "y"}}, 500, `{` + wrong("X", "y")},
		{plane{err: errors.New("broken")}, 500, `{` + wrong("ServerException", "broken")},
		{plane{empty: true}, 500, `{` + wrong("ServerException", "Unexpected error occurred")},
		{plane{hangs: true}, 504, `{` + wrong("RequestCanceled", "Timed out calling ECS Task Protection API")},
	} {
		for method, body := range map[string]string{"GET": "", "PUT": `{"ProtectionEnabled":true}`} {
			synctest.Test(t, func(t *testing.T) {
				if status, got := ask(Handler(&c.plane, nil), method, path, body); status != c.status || got != c.want {
					t.Errorf("%s: %d %s, want %d %s", method, status, got, c.status, c.want)
				}
			})
		}
	}
}

// TestLimit: 60 at once, and then 40 a second.
func TestLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := Handler(&plane{}, nil)
		through := func() (n int) {
			for {
				if status, _ := ask(h, "GET", path, ""); status == http.StatusTooManyRequests {
					return n
				}
				n++
			}
		}
		if n := through(); n != 60 {
			t.Errorf("%d at once", n)
		}
		time.Sleep(time.Second)
		if n := through(); n != 40 {
			t.Errorf("%d in the next second", n)
		}
		time.Sleep(time.Hour)
		if n := through(); n != 60 {
			t.Errorf("%d after a pause", n)
		}
	})
}
