package ecs

import (
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"

	"berth/internal/ecs"
)

func padTask(id, instance string, last ecs.TaskStatus) *ecs.Task {
	return &ecs.Task{
		TaskArn: padCluster.Task(id), TaskDefinitionArn: padScope.TaskDefinition("web", 1), ContainerInstanceArn: padCluster.Instance(instance),
		DesiredStatus: ecs.Running, LastStatus: last, Version: 1,
	}
}

func TestWrongReports(t *testing.T) {
	const invalid = "InvalidParameterException: "
	many := func(one string) string { return "[" + strings.TrimSuffix(strings.Repeat(one+",", 101), ",") + "]" }
	newLaunchPad(t, padTask("t1", "i1", ecs.Pending)).refuse(t, []wrong{
		{"SubmitTaskStateChange", `{"cluster":"demo","status":"RUNNING"}`, invalid + "Task can not be blank."},
		{"SubmitTaskStateChange", `{"cluster":"a b","task":"t1","status":"RUNNING"}`, invalid + "Cluster must match"},
		{"SubmitTaskStateChange", `{"cluster":"demo","task":"arn:aws:ecs:us-east-1:123456789012:cluster/demo"}`, invalid + "Invalid identifier"},
		{"SubmitTaskStateChange", `{"cluster":"demo","task":"t1","status":"ASLEEP"}`, invalid + "status should be one of [PENDING,RUNNING,STOPPED], but was 'ASLEEP'"},
		{"SubmitTaskStateChange", `{"cluster":"demo","task":"t1","containers":[{"containerName":"web","status":"ASLEEP"}]}`, invalid + "containers.status should be one of"},
		{"SubmitTaskStateChange", `{"cluster":"demo","task":"t1","containers":` + many(`{"containerName":"web"}`) + `}`, invalid + "containers can have at most 100 items."},
		{"SubmitTaskStateChange", `{"cluster":"demo","task":"t1","containers":[{"containerName":"web","networkBindings":` + many(`{"hostPort":1}`) + `}]}`, invalid + "networkBindings can have at most 100 items."},
		{"SubmitContainerStateChange", `{"cluster":"demo","containerName":"web"}`, invalid + "Task can not be blank."},
		{"SubmitContainerStateChange", `{"cluster":"demo","task":"t1"}`, invalid + "Container name can not be blank."},
		{"SubmitContainerStateChange", `{"cluster":"demo","task":"t1","containerName":"web","status":"ASLEEP"}`, invalid + "containers.status should be one of"},
		{"SubmitAttachmentStateChanges", `{"cluster":"demo","attachments":[]}`, invalid + "Attachments can not be empty."},
		{"SubmitAttachmentStateChanges", `{"cluster":"demo","attachments":[{"attachmentArn":"a","status":""}]}`, invalid + "attachmentArn and status can not be blank."},
	})
}

// TestReportsThatChangeNothing: they are acknowledged, and store nothing.
func TestReportsThatChangeNothing(t *testing.T) {
	p := newLaunchPad(t, padTask("t1", "i1", ecs.Running), padTask("t2", "i1", ecs.Stopped))
	before := p.store.View().N
	for _, in := range []string{
		`{"cluster":"demo","task":"unknown","status":"STOPPED"}`,
		`{"cluster":"demo","task":"arn:aws:ecs:eu-west-1:1:task/other/t1","status":"STOPPED"}`,
		`{"cluster":"demo","task":"t1","status":"RUNNING"}`,
		`{"cluster":"demo","task":"t1","status":"PENDING"}`,
		`{"cluster":"demo","task":"t1","containers":[{"containerName":"ghost","status":"STOPPED"}]}`,
		`{"cluster":"demo","task":"t2","status":"RUNNING"}`,
	} {
		if out, err := p.ask(t, "AKIAi1", "SubmitTaskStateChange", in); err != nil || string(out) != `{"acknowledgment":"OK"}` {
			t.Errorf("%s: %s, %v", in, out, err)
		}
	}
	if after := p.store.View().N; after != before {
		t.Errorf("%d commits", after-before)
	}
}

// TestReportsAreCut: an agent's texts are kept to their lengths, whole characters and valid UTF-8.
func TestReportsAreCut(t *testing.T) {
	for in, want := range map[string]string{
		"short": "short", "123456789": "12345678", "1234567é": "1234567", "123456é": "123456é", "a\xffb": "a\ufffdb", "\x80\x80\x80\x80\x80\x80\x80\x80\x80": "",
	} {
		if got := cut(&in, 8); got != want {
			t.Errorf("cut %q: %q, want %q", in, got, want)
		}
	}
	p := newLaunchPad(t, padTask("t1", "i1", ecs.Pending))
	if _, err := p.ask(t, "AKIAi1", "SubmitTaskStateChange", `{"cluster":"demo","task":"t1","status":"STOPPED","reason":"`+strings.Repeat("x", 5000)+`"}`); err != nil {
		t.Fatal(err)
	}
	if got := len(p.store.View().Tasks.Get(padCluster.Task("t1")).StoppedReason); got != mostReason {
		t.Errorf("a stopped reason of %d bytes, want %d", got, mostReason)
	}
}

// TestReportResources: the policy is asked about the task's container instance, and an instance's credential about its own where there is none.
func TestReportResources(t *testing.T) {
	p := newLaunchPad(t, padTask("t1", "i1", ecs.Running), padTask("t2", "i1", ecs.Stopped))
	demo := "demo"
	i1, i2 := string(padCluster.Instance("i1")), string(padCluster.Instance("i2"))
	for _, c := range []struct {
		key, task string
		want      []string
	}{
		{"AKIAi1", "t1", []string{i1}}, {"AKIAi2", "t1", []string{i1}}, {"ADMIN", "t1", []string{i1}},
		{"AKIAi2", "t2", []string{i2}}, {"AKIAi2", "unknown", []string{i2}}, {"ADMIN", "unknown", nil}, {"AKIAi2", "", []string{i2}},
	} {
		got := p.ops["SubmitTaskStateChange"].Resources(p.request(c.key), &awsecs.SubmitTaskStateChangeInput{Cluster: &demo, Task: &c.task})
		if !slices.Equal(got, c.want) {
			t.Errorf("%s about %q: %v, want %v", c.key, c.task, got, c.want)
		}
		got = p.ops["SubmitContainerStateChange"].Resources(p.request(c.key), &awsecs.SubmitContainerStateChangeInput{Cluster: &demo, Task: &c.task})
		if !slices.Equal(got, c.want) {
			t.Errorf("%s about a container of %q: %v, want %v", c.key, c.task, got, c.want)
		}
	}
	for _, c := range []struct {
		key, instance string
		want          []string
	}{{"AKIAi1", "i2", []string{i2}}, {"AKIAi1", "", []string{i1}}, {"ADMIN", "", nil}, {"AKIAi1", i1, []string{i1}}, {"AKIAi1", "arn:aws:s3:::b", nil}} {
		got := p.ops["DiscoverPollEndpoint"].Resources(p.request(c.key), &awsecs.DiscoverPollEndpointInput{Cluster: &demo, ContainerInstance: &c.instance})
		if !slices.Equal(got, c.want) {
			t.Errorf("%s polls for %q: %v, want %v", c.key, c.instance, got, c.want)
		}
	}
	if got := p.ops["SubmitAttachmentStateChanges"].Resources(p.request("AKIAi1"), &awsecs.SubmitAttachmentStateChangesInput{}); !slices.Equal(got, []string{i1}) {
		t.Errorf("attachments: %v", got)
	}
}

func TestPollEndpointOverTLS(t *testing.T) {
	p := newLaunchPad(t)
	r, demo := p.request("AKIAi1"), "demo"
	r.TLS = true
	out, err := p.ops["DiscoverPollEndpoint"].Call(t.Context(), r, &awsecs.DiscoverPollEndpointInput{Cluster: &demo})
	if err != nil {
		t.Fatal(err)
	}
	if got := *out.(*awsecs.DiscoverPollEndpointOutput).Endpoint; got != "https://berth.example:3270/acs/" {
		t.Errorf("endpoint %s", got)
	}
}

// BenchmarkSubmitTaskStateChange is the report that moves a task to RUNNING, from 64 agents at a time, each of another task.
func BenchmarkSubmitTaskStateChange(b *testing.B) {
	tasks := make([]ecs.Record, b.N)
	for n := range tasks {
		tasks[n] = padTask(fmt.Sprintf("t%d", n), fmt.Sprintf("m%d", n%1000), ecs.Pending)
	}
	p := newLaunchPad(b, tasks...)
	var next atomic.Int64
	b.SetParallelism(32)
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			body := fmt.Sprintf(`{"cluster":"demo","task":"t%d","status":"RUNNING","containers":[{"containerName":"web","status":"RUNNING","runtimeId":"6e21"}]}`, next.Add(1)-1)
			if _, err := p.ask(b, "ADMIN", "SubmitTaskStateChange", body); err != nil {
				b.Error(err)
			}
		}
	})
	b.StopTimer()
	if got := p.store.View().Cluster(padCluster).RunningTasks; got != b.N {
		b.Errorf("%d tasks run, want %d", got, b.N)
	}
}
