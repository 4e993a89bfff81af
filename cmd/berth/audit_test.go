package main

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"berth/internal/trail"
)

const (
	auditAllowed = `{"eventTime":"2026-11-30T00:22:05Z","eventSource":"ecs.amazonaws.com","eventName":"RunTask","userIdentity":{"type":"AssumedRole","arn":"arn:aws:sts::1:assumed-role/deployer/ci-1234567",` +
		`"sessionContext":{"sessionIssuer":{"userName":"deployer"}}},"resources":[{"ARN":"arn:aws:ecs:r:1:task-definition/web:1"}],"additionalEventData":{"decisions":[` +
		`{"action":"ecs:RunTask","decision":"allowed","policy":"arn:aws:iam::aws:policy/AmazonECS_FullAccess","sid":"Run","statement":3},` +
		`{"action":"iam:PassRole","decision":"allowed","policy":"pass","statement":1}]}}`
	auditImplicit = `{"eventTime":"2026-11-30T00:22:06Z","eventSource":"iam.amazonaws.com","eventName":"CreateUser","errorCode":"AccessDenied","userIdentity":{"type":"IAMUser","userName":"eve"},` +
		`"additionalEventData":{"decisions":[{"action":"iam:CreateUser","decision":"implicit deny","policyType":"permissions boundary"}]}}`
	auditExplicit = `{"eventTime":"2026-11-30T00:22:07Z","eventSource":"ecs.amazonaws.com","eventName":"RunTask","errorCode":"AccessDenied","userIdentity":{"type":"IAMUser","userName":"eve"},` +
		`"additionalEventData":{"decisions":[{"action":"ecs:RunTask","decision":"allowed","policy":"own","statement":1},{"action":"iam:PassRole","decision":"explicit deny","policy":"no","statement":2}]}}`
	auditFailed = `{"eventTime":"2026-11-30T00:22:08Z","eventSource":"ecs.amazonaws.com","eventName":"DeleteCluster","errorCode":"ClusterNotFoundException","errorMessage":"Cluster\u001b[2J not found.",` +
		`"userIdentity":{"type":"AWSService","invokedBy":"ecs-tasks.amazonaws.com"}}`
	auditPretends = `{"eventTime":"2026-11-30T00:22:10Z","eventSource":"ecs.amazonaws.com","eventName":"Poll","errorCode":"AccessDenied","userIdentity":{"type":"IAMUser","userName":"eve"},` +
		`"errorMessage":"User: arn:aws:iam::1:user/eve is not authorized to perform: ecs:Poll on resource: i because another principal has registered the container instance",` +
		`"additionalEventData":{"decisions":[{"action":"ecs:Poll","decision":"allowed","policy":"own","statement":1}]}}`
	auditOpen = `{"eventTime":"2026-11-30T00:22:09Z","eventSource":"sts.amazonaws.com","eventName":"GetCallerIdentity","userIdentity":{"type":"Root","arn":"arn:aws:iam::1:root"}}`
)

func TestAuditLines(t *testing.T) {
	for _, c := range []struct{ record, want string }{
		{auditAllowed, "11-30 00:22:05 | deployer/ci-12345 | ecs:RunTask | task-definition/web:1 | allowed by AmazonECS_FullAccess#Run, pass#1"},
		{auditImplicit, "11-30 00:22:06 | eve | iam:CreateUser | * | denied: no permissions boundary allows iam:CreateUser"},
		{auditExplicit, "11-30 00:22:07 | eve | ecs:RunTask | * | denied by no#2 (iam:PassRole)"},
		{auditFailed, "11-30 00:22:08 | ecs-tasks.amazonaws.com | ecs:DeleteCluster | * | ClusterNotFoundException: Cluster?[2J not found."},
		{auditPretends, "11-30 00:22:10 | eve | ecs:Poll | * | denied: another principal has registered the container instance"},
		{auditOpen, "11-30 00:22:09 | arn:aws:iam::1:root | sts:GetCallerIdentity | * | open to every caller"},
	} {
		var r trail.Record
		if err := json.Unmarshal([]byte(c.record), &r); err != nil {
			t.Fatal(err)
		}
		var columns []string
		for _, x := range strings.Split(auditLine(&r, 0, time.UTC), "  ") {
			if x = strings.TrimSpace(x); x != "" {
				columns = append(columns, x)
			}
		}
		if got := strings.Join(columns, " | "); got != c.want {
			t.Errorf("line\n%s, want\n%s", got, c.want)
		}
		if got := []rune(auditLine(&r, 40, time.UTC)); len(got) != 40 {
			t.Errorf("%d characters wide: %s", len(got), string(got))
		}
	}
}

func TestAuditQuery(t *testing.T) {
	now := time.Date(2026, 11, 30, 1, 0, 0, 0, time.UTC)
	all := auditAsk{role: "r", user: "u", principal: "p", event: "e", task: "t", since: "90m", errors: true, denied: true, follow: true, limit: 5}
	q, err := all.query(now)
	if want := "denied=true&errors=true&event=e&follow=true&limit=5&principal=p&role=r&since=2026-11-29T23%3A30%3A00Z&task=t&user=u"; err != nil || q.Encode() != want {
		t.Errorf("%s, %v", q.Encode(), err)
	}
	for since, want := range map[string]string{"2026-11-30T00:22:00Z": "2026-11-30T00:22:00Z", "": "", "yesterday": "error", "-1h": "error"} {
		one := auditAsk{since: since}
		if q, err := one.query(now); want == "error" && err == nil || want != "error" && (err != nil || q.Get("since") != want) {
			t.Errorf("%q: %v, %v", since, q, err)
		}
	}
}

// TestAuditOutput: records are CloudTrail's file, or one a line where it goes on; what the server refuses, or cuts off, is an error.
func TestAuditOutput(t *testing.T) {
	answer, status, breaks := "", 200, false
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(status)
		w.Write([]byte(answer)) //nolint:errcheck // a test
		if breaks {
			http.NewResponseController(w).Flush() //nolint:errcheck // a test
			panic(http.ErrAbortHandler)
		}
	}))
	defer s.Close()
	k := &client{endpoint: s.URL, key: accessKey{"AKIA", "s"}}
	k.in.Region = "us-east-1"
	run := func(a auditAsk) (string, error) {
		var out bytes.Buffer
		err := a.run(t.Context(), k, &out)
		return out.String(), err
	}
	answer = auditOpen + "\n\n" + auditFailed + "\n"
	got, err := run(auditAsk{format: "json"})
	var file struct{ Records []trail.Record }
	if err != nil || json.Unmarshal([]byte(got), &file) != nil || len(file.Records) != 2 {
		t.Errorf("%s, %v", got, err)
	}
	if got, err := run(auditAsk{format: "json", follow: true}); err != nil || got != auditOpen+"\n"+auditFailed+"\n" {
		t.Errorf("%s, %v", got, err)
	}
	if got, err := run(auditAsk{format: "text"}); err != nil || !strings.HasPrefix(got, "TIME ") || strings.Count(got, "\n") != 3 {
		t.Errorf("%s, %v", got, err)
	}
	if _, err := run(auditAsk{format: "xml"}); err == nil {
		t.Error("xml is served")
	}
	breaks = true
	if got, err := run(auditAsk{format: "json"}); err == nil {
		t.Errorf("an answer that was cut off is %s", got)
	}
	answer, breaks = "", false
	if got, err := run(auditAsk{format: "json"}); err != nil || got != "{\"Records\": []}\n" {
		t.Errorf("%q, %v", got, err)
	}
	answer, status = "limit must be a number from 1 to 10000", 400
	if _, err := run(auditAsk{format: "text"}); err == nil || !strings.Contains(err.Error(), answer) {
		t.Errorf("%v", err)
	}
}
