package ecs

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/google/go-cmp/cmp"

	"berth/internal/arn"
)

var (
	reportTime = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	reportTask = arn.Scope{Region: "us-east-1", Account: "123456789012"}.Cluster("demo").Task("t1")
)

// webAndLog is a definition of an essential container and one that is not.
func webAndLog() *TaskDefinition {
	return &TaskDefinition{Definition: types.TaskDefinition{ContainerDefinitions: []types.ContainerDefinition{
		{Name: aws.String("web"), Essential: aws.Bool(true)}, {Name: aws.String("log"), Essential: aws.Bool(false)},
	}}}
}

func placedTask() *Task {
	return &Task{TaskArn: reportTask, Version: 1, DesiredStatus: Running, LastStatus: Pending, CreatedAt: reportTime,
		Reserved: Resources{CPUUnits: 256, PortsTCP: []int32{80}}}
}

// tell says a task in one line: version, statuses, stop, then the containers.
func tell(t *Task) string {
	var b strings.Builder
	fmt.Fprintf(&b, "v%d %s/%s", t.Version, t.LastStatus, t.DesiredStatus)
	if t.StopCode != "" {
		fmt.Fprintf(&b, " %s %q", t.StopCode, t.StoppedReason)
	}
	for _, c := range t.Containers {
		fmt.Fprintf(&b, "; %s %s", c.Name, c.LastStatus)
		if c.ExitCode != nil {
			fmt.Fprintf(&b, " exit %d", *c.ExitCode)
		}
	}
	return b.String()
}

func container(name string, s TaskStatus, exit ...int32) ContainerReport {
	r := ContainerReport{Name: name, Status: s}
	for _, e := range exit {
		r.ExitCode = &e
	}
	return r
}

func failed(name, reason string) ContainerReport {
	return ContainerReport{Name: name, Status: Stopped, Reason: reason}
}

func TestReport(t *testing.T) {
	running := Report{Status: Running, Containers: []ContainerReport{container("web", Running), container("log", Running)}}
	for _, c := range []struct {
		name    string
		asked   bool // a user stopped it before
		reports []Report
		want    string
	}{
		{"digests", false, []Report{{Status: Pending, Containers: []ContainerReport{{Name: "web", Status: Pending, ImageDigest: "sha256:1"}}}},
			"v1 PENDING/RUNNING; web PENDING; log PENDING"},
		{"started", false, []Report{running}, "v2 RUNNING/RUNNING; web RUNNING; log RUNNING"},
		{"said twice", false, []Report{running, running}, "v2 RUNNING/RUNNING; web RUNNING; log RUNNING"},
		{"late pending", false, []Report{running, {Status: Pending, Containers: []ContainerReport{container("web", Pending)}}},
			"v2 RUNNING/RUNNING; web RUNNING; log RUNNING"},
		{"one that is not essential ends", false, []Report{running, {Status: Running, Containers: []ContainerReport{container("log", Stopped, 3)}}},
			"v3 RUNNING/RUNNING; web RUNNING; log STOPPED exit 3"},
		{"an essential one ends", false, []Report{running, {Status: Running, Containers: []ContainerReport{container("web", Stopped, 1)}}},
			`v3 RUNNING/STOPPED EssentialContainerExited "Essential container in task exited"; web STOPPED exit 1; log RUNNING`},
		{"exit", false, []Report{running, {Status: Stopped, Containers: []ContainerReport{container("web", Stopped, 0), container("log", Stopped, 143)}}},
			`v4 STOPPED/STOPPED EssentialContainerExited "Essential container in task exited"; web STOPPED exit 0; log STOPPED exit 143`},
		{"same container twice", false, []Report{{Status: Stopped, Containers: []ContainerReport{container("web", Running), container("web", Stopped, 2)}}},
			`v3 STOPPED/STOPPED EssentialContainerExited "Essential container in task exited"; web STOPPED exit 2; log PENDING`},
		{"straight to stopped", false, []Report{{Status: Stopped, Containers: []ContainerReport{container("web", Stopped, 2)}}},
			`v3 STOPPED/STOPPED EssentialContainerExited "Essential container in task exited"; web STOPPED exit 2; log PENDING`},
		{"pull failed", false, []Report{{Status: Stopped, Containers: []ContainerReport{failed("web", "CannotPullContainerError: no such image")}}},
			`v3 STOPPED/STOPPED TaskFailedToStart "CannotPullContainerError: no such image"; web STOPPED; log PENDING`},
		{"the essential one's failure counts", false, []Report{{Status: Stopped, Containers: []ContainerReport{failed("log", "CannotPullContainerError: log"), failed("web", "CannotStartContainerError: web")}}},
			`v3 STOPPED/STOPPED TaskFailedToStart "CannotStartContainerError: web"; web STOPPED; log STOPPED`},
		{"made-up exit code", false, []Report{{Status: Stopped, Containers: []ContainerReport{{Name: "web", Status: Stopped, ExitCode: aws.Int32(143), Reason: "CannotStartContainerError: dependency"}}}},
			`v3 STOPPED/STOPPED TaskFailedToStart "CannotStartContainerError: dependency"; web STOPPED exit 143; log PENDING`},
		{"out of memory before it was said to run", false, []Report{{Status: Stopped, Containers: []ContainerReport{{Name: "web", Status: Stopped, ExitCode: aws.Int32(137), Reason: "OutOfMemoryError: Container killed due to memory usage"}}}},
			`v3 STOPPED/STOPPED EssentialContainerExited "Essential container in task exited"; web STOPPED exit 137; log PENDING`},
		{"secrets", false, []Report{{Status: Stopped, Reason: "Fetching secret data from SSM: AccessDeniedException"}},
			`v3 STOPPED/STOPPED TaskFailedToStart "Fetching secret data from SSM: AccessDeniedException"`},
		{"no word of why", false, []Report{{Status: Stopped}}, `v3 STOPPED/STOPPED TaskFailedToStart "Task failed to start"`},
		{"ended by the agent", false, []Report{running, {Status: Stopped, Reason: "TaskStateError: lost"}},
			`v4 STOPPED/STOPPED EssentialContainerExited "TaskStateError: lost"; web STOPPED; log STOPPED`},
		{"stopped by the agent", false, []Report{running, {Status: Stopped, Reason: "Task stopped: full", Containers: []ContainerReport{container("web", Stopped, 143), container("log", Stopped, 143)}}},
			`v4 STOPPED/STOPPED EssentialContainerExited "Task stopped: full"; web STOPPED exit 143; log STOPPED exit 143`},
		{"stopped by the agent, one after the other", false, []Report{running, {Status: Running, Reason: "Task stopped: full"}, {Status: Running, Reason: "Task stopped: full", Containers: []ContainerReport{container("web", Stopped, 143)}}},
			`v3 RUNNING/STOPPED EssentialContainerExited "Task stopped: full"; web STOPPED exit 143; log RUNNING`},
		{"asked", true, []Report{running, {Status: Stopped, Containers: []ContainerReport{container("web", Stopped, 137)}}},
			`v4 STOPPED/STOPPED UserInitiated "enough"; web STOPPED exit 137; log STOPPED`},
		{"asked before it started", true, []Report{{Status: Stopped, Containers: []ContainerReport{failed("web", "TaskStoppedBeforePullBeginError: stopped")}}},
			`v3 STOPPED/STOPPED UserInitiated "enough"; web STOPPED; log PENDING`},
		{"after the end", false, []Report{{Status: Stopped}, running}, `v3 STOPPED/STOPPED TaskFailedToStart "Task failed to start"`},
		{"unknown container", false, []Report{{Status: Running, Containers: []ContainerReport{container("web", Running), container("ghost", Stopped, 1)}}},
			"v2 RUNNING/RUNNING; web RUNNING; log PENDING"},
		{"containers only", false, []Report{{Containers: []ContainerReport{container("web", Running)}}}, "v1 PENDING/RUNNING; web RUNNING; log PENDING"},
	} {
		t.Run(c.name, func(t *testing.T) {
			task := placedTask()
			if c.asked {
				task.Stop(reportTime, types.TaskStopCodeUserInitiated, "enough")
			}
			for n, r := range c.reports {
				before, shown := task, tell(task)
				task = task.Report(r, webAndLog(), reportTime.Add(time.Duration(n+1)*time.Second))
				if got := tell(before); got != shown {
					t.Fatalf("the record itself changed from %s to %s", shown, got)
				}
			}
			if got := tell(task); got != c.want {
				t.Errorf("\ngot  %s\nwant %s", got, c.want)
			}
		})
	}
}

func TestReportThatSaysNothingNew(t *testing.T) {
	r := Report{Status: Running, PullStartedAt: aws.Time(reportTime), Containers: []ContainerReport{
		{Name: "web", Status: Running, RuntimeID: "r", ImageDigest: "d", NetworkBindings: []types.NetworkBinding{{HostPort: aws.Int32(32768)}}}}}
	once := placedTask().Report(r, webAndLog(), reportTime)
	if twice := once.Report(r, webAndLog(), reportTime.Add(time.Hour)); twice != once {
		t.Error("a repeated report made a new record")
	}
}

func TestReportTimes(t *testing.T) {
	at := func(s int) *time.Time { return aws.Time(reportTime.Add(time.Duration(s) * time.Second)) }
	d := webAndLog()
	task := placedTask().Report(Report{Status: Running, PullStartedAt: at(1), PullStoppedAt: at(2)}, d, *at(3))
	task = task.Report(Report{Status: Stopped, PullStartedAt: at(9), ExecutionStoppedAt: at(99), Containers: []ContainerReport{container("web", Stopped, 0)}}, d, *at(10))
	got := []*time.Time{task.PullStartedAt, task.PullStoppedAt, task.StartedAt, task.ExecutionStoppedAt, task.StoppingAt, task.StoppedAt}
	if diff := cmp.Diff([]*time.Time{at(1), at(2), at(3), at(10), at(10), at(10)}, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	unseen := placedTask().Report(Report{Status: Stopped, PullStoppedAt: at(2), ExecutionStoppedAt: at(5), Containers: []ContainerReport{container("web", Stopped, 0)}}, d, *at(6))
	if diff := cmp.Diff(at(2), unseen.StartedAt); diff != "" {
		t.Errorf("startedAt of a task that ran unseen (-want +got)\n%s", diff)
	}
	if none := placedTask().Report(Report{Status: Stopped, Containers: []ContainerReport{failed("web", "CannotPullContainerError: x")}}, d, *at(6)); none.StartedAt != nil {
		t.Errorf("a task that never started has startedAt %v", none.StartedAt)
	}
}

func TestReportedPorts(t *testing.T) {
	r := Report{Status: Running, Containers: []ContainerReport{{Name: "web", Status: Running, NetworkBindings: []types.NetworkBinding{
		{HostPort: aws.Int32(80), Protocol: types.TransportProtocolTcp}, {HostPort: aws.Int32(32769), Protocol: types.TransportProtocolTcp},
		{HostPort: aws.Int32(32768), Protocol: types.TransportProtocolUdp}, {HostPortRange: aws.String("20-22")},
		{HostPortRange: aws.String("1-60000")}, {HostPortRange: aws.String("x")}, {HostPort: aws.Int32(-1)}, {HostPort: aws.Int32(70000)}, {},
	}}}}
	got := placedTask().Report(r, webAndLog(), reportTime).Reserved
	want := Resources{CPUUnits: 256, PortsTCP: []int32{20, 21, 22, 80, 32769}, PortsUDP: []int32{32768}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// FuzzReports: whatever is reported in whatever order, no status goes back, a stopped task stays as it is, and records are not changed in place.
func FuzzReports(f *testing.F) {
	f.Add([]byte{0x11, 0x22, 0x93, 0x11})
	f.Add([]byte{0x03, 0x41, 0x52})
	statuses := []TaskStatus{"", Pending, Running, Stopped}
	f.Fuzz(func(t *testing.T, in []byte) {
		task, d := placedTask(), webAndLog()
		for n, b := range in {
			r := Report{Status: statuses[b&3]}
			if b&4 != 0 {
				r.Reason = "ResourceError"
			}
			for k, name := range []string{"web", "log", "ghost"} {
				if b>>(3+k)&1 != 0 {
					c := ContainerReport{Name: name, Status: statuses[(int(b)+k)%4]}
					if b&0x40 != 0 {
						c.ExitCode = aws.Int32(int32(b))
					}
					if b&0x80 != 0 {
						c.Reason = "CannotStartContainerError"
					}
					r.Containers = append(r.Containers, c)
				}
			}
			kept := task.Clone()
			next := task.Report(r, d, reportTime.Add(time.Duration(n)*time.Second))
			if diff := cmp.Diff(kept, task); diff != "" {
				t.Fatalf("the record itself changed\n%s", diff)
			}
			forward(t, task, next)
			task = next
		}
	})
}

func forward(t *testing.T, a, b *Task) {
	t.Helper()
	switch {
	case a.Over() && a != b:
		t.Fatal("a stopped task changed")
	case a.LastStatus.After(b.LastStatus):
		t.Fatalf("status went from %s back to %s", a.LastStatus, b.LastStatus)
	case a.DesiredStatus == Stopped && b.DesiredStatus != Stopped:
		t.Fatal("a stop was taken back")
	case b.Version < a.Version, b.Version > a.Version+2:
		t.Fatalf("version went from %d to %d", a.Version, b.Version)
	case b.Over() && (b.DesiredStatus != Stopped || b.StopCode == "" || b.StoppedReason == "" || b.StoppedAt == nil || b.StoppingAt == nil):
		t.Fatalf("stopped without saying why and when: %+v", b)
	case a.StopCode != "" && (a.StopCode != b.StopCode || a.StoppedReason != b.StoppedReason):
		t.Fatal("another word on why it stops")
	case len(a.Containers) > 0 && slices.CompareFunc(a.Containers, b.Containers, func(x, y Container) int {
		if x.LastStatus.After(y.LastStatus) {
			return 1
		}
		return 0
	}) > 0:
		t.Fatal("a container's status went back")
	}
}

func BenchmarkReport(b *testing.B) {
	d, task := webAndLog(), placedTask()
	r := Report{Status: Running, Containers: []ContainerReport{
		{Name: "web", Status: Running, RuntimeID: "r", NetworkBindings: []types.NetworkBinding{{HostPort: aws.Int32(32768)}}}, container("log", Running)}}
	b.ReportAllocs()
	for b.Loop() {
		task.Report(r, d, reportTime)
	}
}
