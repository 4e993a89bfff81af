package trail

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"berth/internal/apierr"
	"berth/internal/arn"
	"berth/internal/frontdoor"
	"berth/internal/policy"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	ststypes "github.com/aws/aws-sdk-go-v2/service/sts/types"
)

var (
	at     = time.Date(2026, 11, 30, 0, 22, 5, 900e6, time.UTC)
	region = arn.Scope{Partition: "aws", Region: "eu-west-1", Account: "111122223333"}
	ada    = policy.Principal{ARN: "arn:aws:iam::111122223333:user/team/ada", Account: "111122223333", UserID: "AIDAADA"}
	role   = policy.Principal{
		ARN: "arn:aws:sts::111122223333:assumed-role/deployer/ci", Account: "111122223333", UserID: "AROADEP:ci", Kind: policy.RoleSession,
		Role: "arn:aws:iam::111122223333:role/ops/deployer",
	}
)

// asked is a request of somebody, about which policies said something.
func asked(p policy.Principal, decisions ...frontdoor.Decision) *frontdoor.Request {
	return &frontdoor.Request{ID: "00000000-0000-4000-8000-000000000001", Scope: region, Caller: p, AccessKeyID: "AKIAADA", Decisions: decisions}
}

func runTask() *frontdoor.Audited {
	r := asked(role,
		frontdoor.Decision{Action: "ecs:RunTask", Resource: "arn:aws:ecs:eu-west-1:111122223333:task-definition/web:1",
			Verdict: policy.Verdict{Decision: policy.Allowed, Policy: "arn:aws:iam::aws:policy/AmazonECS_FullAccess", Sid: "ECSTaskManagement", Statement: 3}},
		frontdoor.Decision{Action: "iam:PassRole", Resource: "arn:aws:iam::111122223333:role/task", Verdict: policy.Verdict{Decision: policy.Allowed, Policy: "pass", Statement: 1}})
	r.Tasks = []arn.Task{"arn:aws:ecs:eu-west-1:111122223333:task/default/0f9d"}
	return &frontdoor.Audited{
		Service: "ecs", Operation: "RunTask", Request: r, At: at, Issued: at.Add(-time.Minute), Source: "10.1.2.3", UserAgent: "aws-cli/2",
		In: &awsecs.RunTaskInput{TaskDefinition: aws.String("web"), Overrides: &types.TaskOverride{ContainerOverrides: []types.ContainerOverride{
			{Name: aws.String("app"), Environment: []types.KeyValuePair{{Name: aws.String("KEY"), Value: aws.String("hunter2")}}}}}},
		Out: &awsecs.RunTaskOutput{Tasks: []types.Task{}, Failures: []types.Failure{}}, Size: 100,
	}
}

func TestRecord(t *testing.T) {
	want := `{"eventVersion":"1.11","userIdentity":{"type":"AssumedRole","principalId":"AROADEP:ci","arn":"arn:aws:sts::111122223333:assumed-role/deployer/ci",` +
		`"accountId":"111122223333","accessKeyId":"AKIAADA","sessionContext":{"sessionIssuer":{"type":"Role","principalId":"AROADEP",` +
		`"arn":"arn:aws:iam::111122223333:role/ops/deployer","accountId":"111122223333","userName":"deployer"},` +
		`"attributes":{"creationDate":"2026-11-30T00:21:05Z","mfaAuthenticated":"false"}}},"eventTime":"2026-11-30T00:22:05Z",` +
		`"eventSource":"ecs.amazonaws.com","eventName":"RunTask","awsRegion":"eu-west-1","sourceIPAddress":"10.1.2.3","userAgent":"aws-cli/2",` +
		`"requestParameters":{"taskDefinition":"web","enableECSManagedTags":false,"enableExecuteCommand":false,` +
		`"overrides":{"containerOverrides":[{"environment":"HIDDEN_DUE_TO_SECURITY_REASONS","name":"app"}]}},` +
		`"responseElements":{"failures":[],"tasks":[]},"additionalEventData":{"decisions":[{"action":"ecs:RunTask",` +
		`"resource":"arn:aws:ecs:eu-west-1:111122223333:task-definition/web:1","decision":"allowed","policyType":"identity-based policy",` +
		`"policy":"arn:aws:iam::aws:policy/AmazonECS_FullAccess","sid":"ECSTaskManagement","statement":3},{"action":"iam:PassRole",` +
		`"resource":"arn:aws:iam::111122223333:role/task","decision":"allowed","policyType":"identity-based policy","policy":"pass","statement":1}],` +
		`"tasks":["arn:aws:ecs:eu-west-1:111122223333:task/default/0f9d"]},"requestID":"00000000-0000-4000-8000-000000000001","eventID":"E","readOnly":false,` +
		`"resources":[{"ARN":"arn:aws:ecs:eu-west-1:111122223333:task-definition/web:1","accountId":"111122223333","type":"AWS::ECS::TaskDefinition"},` +
		`{"ARN":"arn:aws:iam::111122223333:role/task","accountId":"111122223333","type":"AWS::IAM::Role"},` +
		`{"ARN":"arn:aws:ecs:eu-west-1:111122223333:task/default/0f9d","accountId":"111122223333","type":"AWS::ECS::Task"}],` +
		`"eventType":"AwsApiCall","managementEvent":true,"recipientAccountId":"111122223333","eventCategory":"Management"}` + "\n"
	e := newEncoder()
	r := e.call(runTask())
	if len(r.EventID) != 36 {
		t.Errorf("event id %q", r.EventID)
	}
	r.EventID = "E"
	if got := string(e.line(r)); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// TestRecords are the records of other calls, what counts of them.
func TestRecords(t *testing.T) {
	denied := asked(ada, frontdoor.Decision{Action: "ecs:DeleteCluster", Resource: "*", Verdict: policy.Verdict{By: policy.Boundary}})
	for name, c := range map[string]struct {
		call  *frontdoor.Audited
		has   []string
		hasNo []string
	}{
		"denied": {&frontdoor.Audited{Service: "ecs", Operation: "DeleteCluster", Request: denied, In: &awsecs.DeleteClusterInput{Cluster: aws.String("c")},
			Failure: apierr.New("AccessDeniedException", "no")}, []string{`"type":"IAMUser"`, `"userName":"ada"`, `"errorCode":"AccessDenied","errorMessage":"no"`,
			`"responseElements":null`, `"requestParameters":{"cluster":"c"}`, `"decision":"implicit deny","policyType":"permissions boundary","statement":0`},
			[]string{"sessionContext", `"resources"`}},
		"a read": {&frontdoor.Audited{Service: "ecs", Operation: "ListClusters", Request: asked(ada), In: &awsecs.ListClustersInput{}, Out: &awsecs.ListClustersOutput{ClusterArns: []string{"x"}}},
			[]string{`"readOnly":true`, `"requestParameters":null`, `"responseElements":null`}, []string{"additionalEventData", "errorCode"}},
		"a socket": {&frontdoor.Audited{Service: "ecs", Operation: "Poll", Request: asked(role), Frequent: true},
			[]string{`"eventCategory":"Data"`, `"managementEvent":false`}, nil},
		"credentials": {&frontdoor.Audited{Service: "sts", Operation: "AssumeRole", Request: asked(ada), Out: &sts.AssumeRoleOutput{Credentials: &ststypes.Credentials{
			AccessKeyId: aws.String("ASIA1"), SecretAccessKey: aws.String("hunter2"), SessionToken: aws.String("hunter2")}}},
			[]string{`"accessKeyId":"ASIA1"`, `"secretAccessKey":"HIDDEN_DUE_TO_SECURITY_REASONS"`, `"sessionToken":"HIDDEN_DUE_TO_SECURITY_REASONS"`}, []string{"hunter2"}},
		"too long": {&frontdoor.Audited{Service: "ecs", Operation: "CreateCluster", Request: asked(ada), In: &awsecs.CreateClusterInput{ClusterName: aws.String(strings.Repeat("x", 200<<10))}},
			[]string{`"requestParameters":{"omitted":true,"originalSize":204818,"reason":"requestParameters too large"}`}, []string{"xxx"}},
		"one of Berth's": {&frontdoor.Audited{Service: "berth", Operation: "ReadAudit", Request: asked(ada)}, []string{`"eventSource":"berth"`, `"readOnly":true`}, nil},
		"nobody known":   {&frontdoor.Audited{Service: "sts", Operation: "AssumeRoleWithWebIdentity", Request: asked(policy.Principal{})}, []string{`"type":"Unknown"`}, nil},
		"an account":     {&frontdoor.Audited{Service: "ecs", Operation: "CreateCluster", Request: asked(policy.Principal{Kind: policy.Root, ARN: "arn:aws:iam::1:root"})}, []string{`"type":"Root"`}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			e := newEncoder()
			line := string(e.line(e.call(c.call)))
			for _, want := range c.has {
				if !strings.Contains(line, want) {
					t.Errorf("no %s in %s", want, line)
				}
			}
			for _, not := range c.hasNo {
				if strings.Contains(line, not) {
					t.Errorf("%s is in %s", not, line)
				}
			}
			if !json.Valid([]byte(line)) {
				t.Error("no JSON")
			}
		})
	}
}

func TestHanded(t *testing.T) {
	h := &Handed{At: at, Service: "ecs-tasks.amazonaws.com", Role: "arn:aws:iam::111122223333:role/app/task", RoleID: "AROAT", Session: "0f9d",
		Task: "arn:aws:ecs:eu-west-1:111122223333:task/default/0f9d", Account: "111122223333", Region: "eu-west-1", AccessKeyID: "ASIA1", Expires: at.Add(time.Hour)}
	line := string(newEncoder().line(h.record()))
	for _, want := range []string{
		`"userIdentity":{"type":"AWSService","invokedBy":"ecs-tasks.amazonaws.com"}`, `"eventName":"AssumeRole"`, `"sourceIPAddress":"ecs-tasks.amazonaws.com"`,
		`"requestParameters":{"roleArn":"arn:aws:iam::111122223333:role/app/task","roleSessionName":"0f9d"}`, `"accessKeyId":"ASIA1","expiration":"2026-11-30T01:22:05Z"`,
		`"assumedRoleId":"AROAT:0f9d"`, `"arn":"arn:aws:sts::111122223333:assumed-role/task/0f9d"`, `"tasks":["arn:aws:ecs:eu-west-1:111122223333:task/default/0f9d"]`,
	} {
		if !strings.Contains(line, want) {
			t.Errorf("no %s in %s", want, line)
		}
	}
}

// BenchmarkRecord is what a record costs where it is written, not in the call.
func BenchmarkRecord(b *testing.B) {
	e, a := newEncoder(), runTask()
	b.ReportAllocs()
	for b.Loop() {
		if len(e.line(e.call(a))) < 500 {
			b.Fatal("short")
		}
	}
}
