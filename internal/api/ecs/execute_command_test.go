package ecs

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/aws/smithy-go/middleware"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"berth/internal/apierr"
	"berth/internal/arn"
	"berth/internal/ecs"
	"berth/internal/frontdoor"
	"berth/internal/policy"
	"berth/internal/relay"
	"berth/internal/state"
	"berth/internal/state/statetest"
)

// opened are sessions as they were asked for.
type opened struct {
	requests   []relay.Request
	refuse     error
	terminated []string
}

func (o *opened) List(arn.Scope, bool) []relay.Status { return []relay.Status{{ID: "mine"}} }

func (o *opened) Find(id string) (relay.Status, bool) { return relay.Status{ID: id}, id == "mine" }

func (o *opened) Open(r relay.Request) (relay.Ticket, error) {
	o.requests = append(o.requests, r)
	return relay.Ticket{ID: r.Prefix + "0123456789abcdef0", Token: "token"}, o.refuse
}

func (o *opened) Resume(id string) (relay.Ticket, error) {
	if id == "joined" {
		return relay.Ticket{}, relay.ErrUnknown
	}
	return relay.Ticket{ID: id, Token: "another"}, nil
}

func (o *opened) Terminate(id string) error { o.terminated = append(o.terminated, id); return nil }

func (o *opened) Account(id string) (string, error) {
	switch id {
	case "theirs":
		return "210987654321", nil
	case "mine", "joined":
		return padScope.Account, nil
	}
	return "", relay.ErrUnknown
}

// execRecords are a cluster with a task "t" of two containers on an instance that can open sessions, and "one" of a single container. change changes the first.
func execRecords(change func(*ecs.Task, *ecs.Instance, *ecs.Cluster)) []ecs.Record {
	started := time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC)
	c := &ecs.Cluster{ClusterArn: padScope.Cluster("a_b"), Status: ecs.Active}
	i := padInstance("i", "us-east-1a", ecs.Active)
	i.ContainerInstanceArn = c.ClusterArn.Instance("i")
	i.PutAttribute(ecs.AttributeExec, nil)
	two := padDefinition("two", types.TaskDefinition{}, types.ContainerDefinition{Name: aws.String("web"), LogConfiguration: &types.LogConfiguration{
		LogDriver: types.LogDriverAwslogs, Options: map[string]string{"awslogs-group": "/web"}}}, types.ContainerDefinition{Name: aws.String("log")})
	single := padDefinition("single", types.TaskDefinition{}, types.ContainerDefinition{Name: aws.String("web")})
	task := func(id string, d *ecs.TaskDefinition) *ecs.Task {
		t := ecs.NewTask(ecs.TaskSpec{Task: c.ClusterArn.Task(id), Definition: d, Instance: i, LaunchType: types.LaunchTypeEc2, EnableExecuteCommand: true, Now: started})
		t.Advance(ecs.Running)
		t.StartedAt = &started
		t.Containers = []ecs.Container{{Name: "web", LastStatus: ecs.Running, RuntimeID: "r-" + id}}
		return t
	}
	t, one := task("t", two), task("one", single)
	t.Containers = append(t.Containers, ecs.Container{Name: "log", LastStatus: ecs.Stopped, RuntimeID: "r-log"})
	if change != nil {
		change(t, i, c)
	}
	return []ecs.Record{c, i, two, single, t, one}
}

func execAPI(t *testing.T, o *opened, change func(*ecs.Task, *ecs.Instance, *ecs.Cluster)) *API {
	t.Helper()
	return New(Config{State: statetest.Open(t, execRecords(change)...), Sessions: o})
}

func execCall() *frontdoor.Request {
	return &frontdoor.Request{Scope: padScope, Host: "berth:3270", Caller: policy.Principal{ARN: "arn:me"}}
}

func execInput(task, container, command string) *awsecs.ExecuteCommandInput {
	in := &awsecs.ExecuteCommandInput{Cluster: aws.String("a_b"), Task: &task, Command: &command, Interactive: true}
	if container != "" {
		in.Container = &container
	}
	return in
}

func TestExecuteCommand(t *testing.T) {
	o := &opened{}
	a := execAPI(t, o, nil)
	out, err := a.executeCommand(t.Context(), execCall(), execInput("t", "web", "sh -l"))
	if err != nil {
		t.Fatal(err)
	}
	cluster := padScope.Cluster("a_b")
	want := &awsecs.ExecuteCommandOutput{
		ClusterArn: new(string(cluster)), TaskArn: new(string(cluster.Task("t"))), ContainerName: new("web"), Interactive: true,
		ContainerArn: new(cluster.Task("t").Container(ecs.ContainerID(cluster.Task("t"), "web"))),
		Session: &types.Session{SessionId: new("ecs-execute-command-0123456789abcdef0"), TokenValue: new("token"),
			StreamUrl: new("ws://berth:3270/v1/data-channel/ecs-execute-command-0123456789abcdef0?role=publish_subscribe")},
	}
	if diff := cmp.Diff(want, out, cmpopts.IgnoreUnexported(awsecs.ExecuteCommandOutput{}, types.Session{}, middleware.Metadata{})); diff != "" {
		t.Error(diff)
	}
	request := relay.Request{Task: cluster.Task("t"), Instance: cluster.Instance("i"), Container: "web", RuntimeID: "r-t", Command: "sh -l", Prefix: execPrefix, Caller: "arn:me", LogGroup: "/web",
		Target: "ecs:a_b_t_r-t", Document: documentExec}
	if diff := cmp.Diff([]relay.Request{request}, o.requests); diff != "" {
		t.Error(diff)
	}
	r := execCall()
	r.TLS = true
	out, err = a.executeCommand(t.Context(), r, execInput("one", "", "sh"))
	if err != nil || *out.ContainerName != "web" || !strings.HasPrefix(*out.Session.StreamUrl, "wss://") {
		t.Errorf("the only container: %+v, %v", out, err)
	}
}

func TestExecuteCommandRefusals(t *testing.T) {
	const parameter, target = "InvalidParameterException", "TargetNotConnectedException"
	notEnabled, notConnected := apierr.As(execNotEnabled()).Message, targetNotConnected().Message
	logging := func(l types.ExecuteCommandLogging, c *types.ExecuteCommandLogConfiguration) func(*ecs.Task, *ecs.Instance, *ecs.Cluster) {
		return func(_ *ecs.Task, _ *ecs.Instance, cluster *ecs.Cluster) {
			cluster.Configuration = &types.ClusterConfiguration{ExecuteCommandConfiguration: &types.ExecuteCommandConfiguration{Logging: l, LogConfiguration: c}}
		}
	}
	silent := execInput("t", "web", "sh")
	silent.Interactive = false
	elsewhere := execInput("t", "web", "sh")
	elsewhere.Cluster = aws.String("nowhere")
	for name, c := range map[string]struct {
		in         *awsecs.ExecuteCommandInput
		change     func(*ecs.Task, *ecs.Instance, *ecs.Cluster)
		refuse     error
		code, text string
	}{
		"no command":          {in: execInput("t", "web", ""), code: parameter, text: "Command can not be blank."},
		"a long command":      {in: execInput("t", "web", strings.Repeat("x", mostCommand+1)), code: parameter, text: "command can be at most 32768 characters long."},
		"not interactive":     {in: silent, code: parameter, text: "Interactive must be 'true'."},
		"no such cluster":     {in: elsewhere, code: "ClusterNotFoundException", text: "Cluster not found."},
		"no task":             {in: execInput("", "web", "sh"), code: parameter, text: "Task can not be blank."},
		"no such task":        {in: execInput("x", "web", "sh"), code: parameter, text: "The referenced task was not found."},
		"several containers":  {in: execInput("t", "", "sh"), code: parameter, text: "Container can not be blank: the task has several containers."},
		"no such container":   {in: execInput("t", "x", "sh"), code: parameter, text: "The container x does not exist in the task."},
		"container has ended": {in: execInput("t", "log", "sh"), code: parameter, text: notEnabled},
		"not enabled":         {in: execInput("t", "web", "sh"), change: func(t *ecs.Task, _ *ecs.Instance, _ *ecs.Cluster) { t.EnableExecuteCommand = false }, code: parameter, text: notEnabled},
		"task is stopping":    {in: execInput("t", "web", "sh"), change: func(t *ecs.Task, _ *ecs.Instance, _ *ecs.Cluster) { t.Stop(time.Now(), "", "") }, code: parameter, text: notEnabled},
		"another agent":       {in: execInput("t", "web", "sh"), change: func(_ *ecs.Task, i *ecs.Instance, _ *ecs.Cluster) { i.DeleteAttribute(ecs.AttributeExec) }, code: parameter, text: notEnabled},
		"agent not connected": {in: execInput("t", "web", "sh"), refuse: errors.New("gone"), code: target, text: notConnected},
		"too many":            {in: execInput("t", "web", "sh"), refuse: relay.ErrTooMany, code: target, text: notConnected},
		"no leader":           {in: execInput("t", "web", "sh"), refuse: relay.ErrNotRunning, code: "ServerException", text: "The control plane has no leader right now. Try again."},
		"logs to S3":          {in: execInput("t", "web", "sh"), change: logging("OVERRIDE", &types.ExecuteCommandLogConfiguration{S3BucketName: aws.String("b")}), code: parameter, text: "Berth does not log sessions to S3: the cluster's configuration.executeCommandConfiguration.logConfiguration.s3BucketName must not be set."},
	} {
		o := &opened{refuse: c.refuse}
		_, err := execAPI(t, o, c.change).executeCommand(t.Context(), execCall(), c.in)
		if e := apierr.As(err); err == nil || e.Code != c.code || e.Message != c.text {
			t.Errorf("%s: %v, want %s: %s", name, err, c.code, c.text)
		}
		if c.refuse == nil && len(o.requests) > 0 {
			t.Errorf("%s: a session is opened", name)
		}
	}
}

// The task's role must allow sessions.
func TestExecuteCommandAsksTheRole(t *testing.T) {
	o := &opened{}
	a := execAPI(t, o, nil)
	a.config.MayExec = func(_ *state.Tables, task *ecs.Task) bool { return task.TaskArn.ID() == "one" }
	if _, err := a.executeCommand(t.Context(), execCall(), execInput("one", "", "sh")); err != nil {
		t.Error(err)
	}
	_, err := a.executeCommand(t.Context(), execCall(), execInput("t", "web", "sh"))
	if e := apierr.As(err); err == nil || e.Code != "TargetNotConnectedException" || len(o.requests) != 1 {
		t.Errorf("%v, %d sessions", err, len(o.requests))
	}
}

func TestSessionLog(t *testing.T) {
	group := "/audit"
	for name, c := range map[string]struct {
		e    *types.ExecuteCommandConfiguration
		want string
	}{
		"nothing said": {nil, "/web"}, "DEFAULT": {&types.ExecuteCommandConfiguration{Logging: types.ExecuteCommandLoggingDefault}, "/web"},
		"NONE":     {&types.ExecuteCommandConfiguration{Logging: types.ExecuteCommandLoggingNone}, ""},
		"OVERRIDE": {&types.ExecuteCommandConfiguration{Logging: types.ExecuteCommandLoggingOverride, LogConfiguration: &types.ExecuteCommandLogConfiguration{CloudWatchLogGroupName: &group}}, group},
	} {
		o := &opened{}
		a := execAPI(t, o, func(_ *ecs.Task, _ *ecs.Instance, cluster *ecs.Cluster) {
			cluster.Configuration = &types.ClusterConfiguration{ExecuteCommandConfiguration: c.e}
		})
		if _, err := a.executeCommand(t.Context(), execCall(), execInput("t", "web", "sh")); err != nil || o.requests[0].LogGroup != c.want {
			t.Errorf("%s: %+v, %v", name, o.requests, err)
		}
	}
}

func TestManagedAgents(t *testing.T) {
	a := execAPI(t, &opened{}, nil)
	tables := a.store.View().Tables
	task := tables.Tasks.Get(padScope.Cluster("a_b").Task("t"))
	v := taskView(tables, task, false)
	for i, want := range []string{"RUNNING", "STOPPED"} {
		m := v.Containers[i].ManagedAgents
		if len(m) != 1 || m[0].Name != types.ManagedAgentNameExecuteCommandAgent || *m[0].LastStatus != want || (m[0].LastStartedAt != nil) != (want == "RUNNING") {
			t.Errorf("%s: %+v", *v.Containers[i].Name, m)
		}
	}
	task = task.Clone()
	task.EnableExecuteCommand = false
	if m := taskView(tables, task, false).Containers[0].ManagedAgents; m != nil {
		t.Errorf("without ECS Exec: %+v", m)
	}
}

func TestStartSession(t *testing.T) {
	for name, c := range map[string]struct {
		target, document string
		parameters       map[string][]string
		code             string
		want             relay.Request
	}{
		"shell":   {target: "ecs:a_b_t_r-t", want: relay.Request{Command: "sh", LogGroup: "/web"}},
		"command": {target: "ecs:a_b_t_r-t", document: documentCommand, parameters: map[string][]string{"command": {"ls -l"}}, want: relay.Request{Command: "sh -c 'ls -l'", LogGroup: "/web"}},
		"port": {target: "ecs:a_b_t_r-t", document: documentPort, parameters: map[string][]string{"portNumber": {"80"}, "localPortNumber": {"8080"}},
			want: relay.Request{Port: 80, Properties: map[string]string{"localPortNumber": "8080"}}},
		"a port of another host": {target: "ecs:a_b_t_r-t", document: documentRemote, parameters: map[string][]string{"portNumber": {"5432"}, "host": {"db.example.com"}},
			want: relay.Request{Port: 5432, Host: "db.example.com", Properties: map[string]string{}}},
		"no host":            {target: "ecs:a_b_t_r-t", document: documentRemote, parameters: map[string][]string{"portNumber": {"80"}}, code: "InvalidParameters"},
		"two hosts":          {target: "ecs:a_b_t_r-t", document: documentRemote, parameters: map[string][]string{"portNumber": {"80"}, "host": {"a", "b"}}, code: "InvalidParameters"},
		"no name of a host":  {target: "ecs:a_b_t_r-t", document: documentRemote, parameters: map[string][]string{"portNumber": {"80"}, "host": {"a b"}}, code: "InvalidParameters"},
		"a host without one": {target: "ecs:a_b_t_r-t", document: documentPort, parameters: map[string][]string{"portNumber": {"80"}, "host": {"a"}}, code: "InvalidParameters"},
		"no command":         {target: "ecs:a_b_t_r-t", document: documentCommand, code: "InvalidParameters"},
		"no port":            {target: "ecs:a_b_t_r-t", document: documentPort, code: "InvalidParameters"},
		"port 0":             {target: "ecs:a_b_t_r-t", document: documentPort, parameters: map[string][]string{"portNumber": {"0"}}, code: "InvalidParameters"},
		"a huge port":        {target: "ecs:a_b_t_r-t", document: documentPort, parameters: map[string][]string{"portNumber": {"65536"}}, code: "InvalidParameters"},
		"another host":       {target: "ecs:a_b_t_r-t", document: documentPort, parameters: map[string][]string{"portNumber": {"1"}, "host": {"x"}}, code: "InvalidParameters"},
		"another document":   {target: "ecs:a_b_t_r-t", document: "AWS-StartSSHSession", code: "InvalidDocument"},
		"no target":          {code: "TargetNotConnected"},
		"an instance":        {target: "i-0123456789abcdef0", code: "TargetNotConnected"},
		"another container":  {target: "ecs:a_b_t_r-x", code: "TargetNotConnected"},
		"no container":       {target: "ecs:a_b_t_", code: "TargetNotConnected"},
		"a stopped one":      {target: "ecs:a_b_t_r-log", code: "TargetNotConnected"},
		"no such cluster":    {target: "ecs:x_t_r-t", code: "TargetNotConnected"},
		"less than a target": {target: "ecs:t_r-t", code: "TargetNotConnected"},
	} {
		o := &opened{}
		id, url, token, err := execAPI(t, o, nil).StartSession(execCall(), c.target, c.document, "why", c.parameters)
		if c.code != "" {
			if err == nil || apierr.As(err).Code != c.code || len(o.requests) > 0 {
				t.Errorf("%s: %v, want %s", name, err, c.code)
			}
			continue
		}
		if err != nil || !strings.HasPrefix(id, "me-") || !strings.Contains(url, "/v1/data-channel/"+id) || token != "token" {
			t.Errorf("%s: %q, %q, %q, %v", name, id, url, token, err)
			continue
		}
		c.want.Task, c.want.Instance = padScope.Cluster("a_b").Task("t"), padScope.Cluster("a_b").Instance("i")
		c.want.Container, c.want.RuntimeID, c.want.Prefix, c.want.Caller = "web", "r-t", "me-", "arn:me"
		c.want.Target, c.want.Document, c.want.Reason = c.target, c.document, "why"
		if c.document == "" {
			c.want.Document = documentShell
		}
		if diff := cmp.Diff(c.want, o.requests[0]); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestResumeAndTerminate(t *testing.T) {
	o := &opened{}
	a := execAPI(t, o, nil)
	if url, token, err := a.ResumeSession(execCall(), "mine"); err != nil || token != "another" || !strings.Contains(url, "mine") {
		t.Errorf("%q, %q, %v", url, token, err)
	}
	if _, token, err := a.ResumeSession(execCall(), "joined"); err != nil || token != "" {
		t.Errorf("a joined one: %q, %v", token, err)
	}
	if err := a.TerminateSession(execCall(), "mine"); err != nil || len(o.terminated) != 1 {
		t.Errorf("%v, %v", err, o.terminated)
	}
	for _, id := range []string{"theirs", "nobody's"} {
		if _, _, err := a.ResumeSession(execCall(), id); err == nil || apierr.As(err).Code != "DoesNotExistException" {
			t.Errorf("resume %s: %v", id, err)
		}
		if err := a.TerminateSession(execCall(), id); err == nil || apierr.As(err).Code != "DoesNotExistException" || len(o.terminated) != 1 {
			t.Errorf("terminate %s: %v", id, err)
		}
	}
}
