package berth

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/apierr"
	"berth/internal/arn"
	"berth/internal/ecs"
	"berth/internal/frontdoor"
	"berth/internal/placement"
	"berth/internal/state"
)

// ExplainInput names what to explain: a task, service or container instance by name, id or ARN.
type ExplainInput struct {
	Cluster *string
	Name    *string
}

// ExplainOutput is the answer: lines for people, and what every container instance says to one more task.
type ExplainOutput struct {
	Arn       string
	Status    string
	Lines     []string
	Instances []Verdict
}

// Verdict is what a container instance says to one more task. Reason is empty if it takes it.
type Verdict struct {
	ContainerInstanceArn string
	Reason               string
	Short                int32 // by how much, in the reason's unit
	FreeCpu, FreeMemory  int32
	Tasks                int32
}

func (e *ExplainOutput) say(format string, a ...any) {
	e.Lines = append(e.Lines, fmt.Sprintf(format, a...))
}

func (a *API) explainService(_ context.Context, r *frontdoor.Request, in *ExplainInput) (*ExplainOutput, error) {
	c, name, err := a.named(r, in)
	if err != nil {
		return nil, err
	}
	v := a.State.View()
	s := v.Services.Get(c.ClusterArn.Service(name))
	if s == nil {
		return nil, apierr.ServiceNotFound()
	}
	n := v.Tasks.ServiceCounts(s.ServiceArn)
	out := &ExplainOutput{Arn: string(s.ServiceArn), Status: s.Status}
	out.say("service %s is %s: %d desired, %d running, %d pending, %d stopping", s.ServiceArn.Name(), s.Status, s.DesiredCount, n.Running, n.Pending, n.Stopping)
	for _, d := range s.Deployments {
		k := v.Tasks.Counts(s.ServiceArn, d.ID)
		kind, state := "deployment", string(d.RolloutState)
		if d.TaskSet != nil {
			kind, state = "task set", string(d.TaskSet.StabilityStatus)
		}
		out.say("%s %s %s %s of %s: %d running (%d healthy), %d pending, %d failed", kind, d.ID, d.Status, state,
			d.TaskDefinition.FamilyRevision(), k.Running, k.WantHealthy, k.Pending, d.FailedTasks)
		if d.NextStartAt != nil && d.NextStartAt.After(time.Now()) {
			out.say("  its next start waits until %s after %d rounds in a row in which tasks did not start or ended at once", d.NextStartAt.Format(time.RFC3339), d.Failures)
		}
	}
	out.lastStops(v.Tasks.OfService(s.ServiceArn))
	for e := range v.Events.Backward(string(s.ServiceArn) + "#") {
		out.say("event %s %s", e.CreatedAt.Format(time.RFC3339), e.Message)
		if len(out.Lines) > 30 {
			break
		}
	}
	if p := lacking(v, s); p != nil && p.PlatformVersion != "" {
		out.waitOnFargate(v, s)
	} else if p != nil {
		if d := v.Definitions.Get(p.TaskDefinition); d != nil {
			q, fleet := placement.ServiceRequest(s, d), v.FleetForOthers(c.ClusterArn)
			if q.Count, q.LaunchType = 1, p.LaunchType; s.IsDaemon() {
				fleet = v.Fleet(c.ClusterArn)
			}
			out.place(v, fleet, q)
		}
	}
	return out, nil
}

// lacking is the deployment whose next task is of interest: the PRIMARY one, or the first task set that lacks tasks.
func lacking(v *state.Snapshot, s *ecs.Service) *ecs.Deployment {
	if !s.IsExternal() {
		return s.Primary()
	}
	for i := range s.Deployments {
		if d := &s.Deployments[i]; v.Tasks.Counts(s.ServiceArn, d.ID).WantRunning < d.DesiredCount {
			return d
		}
	}
	return s.Primary()
}

// stops are tasks that stopped for one reason.
type stops struct {
	newest  *ecs.Task
	others  int
	wanted  bool // by the scheduler: that is no trouble
	because string
}

// mostReasons is how many reasons are told.
const mostReasons = 5

// lastStops tells why tasks stopped: each reason once, what went wrong before what was wanted, and the newest first.
func (e *ExplainOutput) lastStops(tasks iter.Seq[*ecs.Task]) {
	by, list := map[string]*stops{}, []*stops(nil)
	for t := range tasks {
		if t.DesiredStatus != ecs.Stopped {
			continue
		}
		text, wanted := why(t), t.StopCode == types.TaskStopCodeServiceSchedulerInitiated && !strings.HasPrefix(t.StoppedReason, "Task failed")
		key := text
		if wanted {
			key = "" // which deployment it was for is of no interest
		}
		x := by[key]
		if x == nil {
			x = &stops{newest: t, wanted: wanted, because: text}
			by[key], list = x, append(list, x)
			continue
		}
		if x.others++; stoppingAt(t).After(stoppingAt(x.newest)) {
			x.newest, x.because = t, text
		}
	}
	slices.SortStableFunc(list, func(a, b *stops) int {
		if a.wanted != b.wanted {
			return map[bool]int{false: -1, true: 1}[a.wanted]
		}
		return stoppingAt(b.newest).Compare(stoppingAt(a.newest))
	})
	for _, x := range list[:min(mostReasons, len(list))] {
		more := ""
		if x.others > 0 {
			more = fmt.Sprintf(" (and %d others)", x.others)
		}
		e.say("task %s stopped at %s%s: %s", x.newest.TaskArn.ID(), stoppingAt(x.newest).Format(time.RFC3339), more, x.because)
	}
}

func stoppingAt(t *ecs.Task) time.Time {
	if t.StoppingAt == nil {
		return t.CreatedAt
	}
	return *t.StoppingAt
}

// why is a task's stop in one line.
func why(t *ecs.Task) string {
	parts := []string{string(t.StopCode), t.StoppedReason}
	for _, c := range t.Containers {
		if c.Reason != "" {
			parts = append(parts, c.Name+": "+c.Reason)
		}
		if c.ExitCode != nil {
			parts = append(parts, fmt.Sprintf("%s exited with %d", c.Name, *c.ExitCode))
		}
	}
	return strings.Join(parts, "; ")
}

// place adds every instance's verdict.
func (e *ExplainOutput) place(v *state.Snapshot, fleet placement.Fleet, q placement.Request) {
	fits := 0
	for _, x := range placement.Explain(fleet, q) {
		i, u := v.Instances.Get(x.Instance), v.Tasks.Usage(x.Instance)
		e.Instances = append(e.Instances, Verdict{
			ContainerInstanceArn: string(x.Instance), Reason: x.Reason.String(), Short: int32(x.Short),
			FreeCpu: int32(i.Registered.CPUUnits - u.Reserved.CPUUnits), FreeMemory: int32(i.Registered.MemoryMiB - u.Reserved.MemoryMiB), Tasks: int32(u.Tasks),
		})
		if x.Reason == placement.None {
			fits++
		}
	}
	e.say("one more task needs %d CPU units, %d MiB%s: %d of %d container instances could take it", q.Reserve.CPUUnits, q.Reserve.MemoryMiB,
		portsText(q.Reserve), fits, len(e.Instances))
}

func portsText(r ecs.Resources) string {
	var out string
	if n := len(r.GPUs); n > 0 {
		out += fmt.Sprintf(", %d GPUs", n)
	}
	if len(r.PortsTCP) > 0 {
		out += fmt.Sprintf(", TCP ports %v", r.PortsTCP)
	}
	if len(r.PortsUDP) > 0 {
		out += fmt.Sprintf(", UDP ports %v", r.PortsUDP)
	}
	return out
}

func (a *API) explainTask(_ context.Context, r *frontdoor.Request, in *ExplainInput) (*ExplainOutput, error) {
	c, name, err := a.named(r, in)
	if err != nil {
		return nil, err
	}
	v := a.State.View()
	t := v.Tasks.Get(c.ClusterArn.Task(name))
	if t == nil {
		return nil, apierr.InvalidParameter("The referenced task was not found.")
	}
	out := &ExplainOutput{Arn: string(t.TaskArn), Status: string(t.LastStatus)}
	out.say("task %s of %s is %s, desired %s, group %s", t.TaskArn.ID(), t.TaskDefinitionArn.FamilyRevision(), t.LastStatus, t.DesiredStatus, t.Group)
	out.timeline(t)
	if t.DesiredStatus == ecs.Stopped {
		out.say("it stopped: %s", why(t))
	}
	if i := t.Interface; i != nil && i.PrivateIPv4Address != "" {
		out.say("its network interface %s is %s: %s in subnet %s, groups %s", i.NetworkInterfaceID, t.AttachmentStatus(), i.PrivateIPv4Address, i.SubnetID, strings.Join(i.Groups, " "))
	}
	if t.Fargate() {
		out.onFargate(v, t)
		return out, nil
	}
	if i := v.Instances.Get(t.ContainerInstanceArn); i != nil && !t.Over() {
		out.say("it is on container instance %s (%s), which is %s", i.ContainerInstanceArn.ID(), i.Ec2InstanceID, connected(i))
		if !i.Connected {
			out.say("nothing about it will change until the instance's agent connects again")
		}
	}
	return out, nil
}

func connected(i *ecs.Instance) string {
	if i.Connected {
		return i.Status + " and connected"
	}
	if i.DisconnectedAt != nil {
		return i.Status + " and not connected since " + i.DisconnectedAt.Format(time.RFC3339)
	}
	return i.Status + " and not connected"
}

func (e *ExplainOutput) timeline(t *ecs.Task) {
	for _, s := range []struct {
		what string
		at   *time.Time
	}{{"created", &t.CreatedAt}, {"pull started", t.PullStartedAt}, {"pull stopped", t.PullStoppedAt}, {"started", t.StartedAt},
		{"asked to stop", t.StoppingAt}, {"execution stopped", t.ExecutionStoppedAt}, {"stopped", t.StoppedAt}} {
		if s.at != nil {
			e.say("%s %s (+%s)", s.at.Format(time.RFC3339), s.what, s.at.Sub(t.CreatedAt))
		}
	}
	for _, c := range t.Containers {
		e.say("container %s is %s, health %s", c.Name, c.LastStatus, c.HealthStatus)
	}
}

func (a *API) explainInstance(_ context.Context, r *frontdoor.Request, in *ExplainInput) (*ExplainOutput, error) {
	c, name, err := a.named(r, in)
	if err != nil {
		return nil, err
	}
	v := a.State.View()
	i := v.Instances.Get(c.ClusterArn.Instance(name))
	if i == nil {
		return nil, apierr.InvalidParameter("The referenced container instance was not found.")
	}
	u := v.Tasks.Usage(i.ContainerInstanceArn)
	out := &ExplainOutput{Arn: string(i.ContainerInstanceArn), Status: i.Status}
	out.say("container instance %s (%s) is %s", i.ContainerInstanceArn.ID(), i.Ec2InstanceID, connected(i))
	if i.StatusReason != "" {
		out.say("%s", i.StatusReason)
	}
	out.say("%d of %d CPU units and %d of %d MiB are reserved by %d tasks", u.Reserved.CPUUnits, i.Registered.CPUUnits, u.Reserved.MemoryMiB, i.Registered.MemoryMiB, u.Tasks)
	for t := range v.Tasks.OnInstance(i.ContainerInstanceArn) {
		out.say("task %s %s desired %s (%s)", t.TaskArn.ID(), t.LastStatus, t.DesiredStatus, t.Group)
	}
	return out, nil
}

// named returns the cluster and the short name of what to explain.
func (a *API) named(r *frontdoor.Request, in *ExplainInput) (*ecs.Cluster, string, error) {
	if in.Name == nil || *in.Name == "" {
		return nil, "", apierr.InvalidParameter("name must not be empty")
	}
	name, cluster := *in.Name, in.Cluster
	if arn.Is(name) {
		_, rest, _ := arn.Resource(name)
		parts := strings.Split(rest, "/")
		if len(parts) != 2 {
			return nil, "", apierr.InvalidParameter("name %q is not the ARN of a task, service or container instance", name)
		}
		cluster, name = &parts[0], parts[1]
	}
	c, err := a.cluster(r, cluster)
	return c, name, err
}
