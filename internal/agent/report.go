package agent

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/acsproto"
)

// maxReason is the protocol's bound of a reason.
const maxReason = 1024

// pendingNews is how long news of a task that is still pending waits for its next status, which would tell it too.
const pendingNews = 10 * time.Second

// Report is what the control plane should know of a task.
type Report struct {
	Input  *awsecs.SubmitTaskStateChangeInput
	Digest string // tells reports apart
	Ends   bool   // it says that something stopped, so it must not be sent before the ledger has it
}

// reportOf makes the report of a task as it is now, nil while there is nothing to tell: the task is pending, and so is all in it.
func reportOf(r *Record, cluster string) *Report {
	in := &awsecs.SubmitTaskStateChangeInput{Cluster: aws.String(cluster), Task: aws.String(r.Task.ARN), Status: aws.String(statusOf(r)),
		Reason: aws.String(bounded(r.Reason)), PullStartedAt: timeOrNil(r.PullStartedAt), PullStoppedAt: timeOrNil(r.PullStoppedAt)}
	rep, news := &Report{Input: in}, false
	for i := range r.Containers {
		if hidden(r.Containers[i].Name) {
			continue
		}
		c := containerReport(r, &r.Containers[i])
		in.Containers = append(in.Containers, c)
		news = news || *c.Status != "PENDING"
		rep.Ends = rep.Ends || *c.Status == "STOPPED"
	}
	switch *in.Status {
	case "STOPPED":
		in.ExecutionStoppedAt = timeOrNil(r.ExecutionStoppedAt)
		rep.Ends = true
	case "PENDING":
		if !news && len(attachments(r)) == 0 {
			return nil
		}
	}
	in.Attachments = attachments(r)
	text, err := json.Marshal(in)
	if err != nil { // the SDK's plain structure always encodes
		panic(err)
	}
	sum := sha256.Sum256(text)
	rep.Digest = hex.EncodeToString(sum[:8])
	return rep
}

// statusOf is the task's last status. It is RUNNING from the moment when every container has started, or failed to where the task can do
// without it, until the last has stopped.
func statusOf(r *Record) string {
	if r.Stopped() {
		return "STOPPED"
	}
	started, running := true, false
	for _, c := range r.Containers {
		started = started && c.begun() && (!r.stopping() || !c.StartedAt.IsZero())
		running = running || c.Phase == Up || c.pendingRestart()
	}
	if started && running {
		return "RUNNING"
	}
	return "PENDING"
}

func containerReport(r *Record, c *Container) types.ContainerStateChange {
	s := types.ContainerStateChange{ContainerName: aws.String(c.Name), Status: aws.String("PENDING"), ImageDigest: stringOrNil(c.ImageDigest),
		Reason: stringOrNil(bounded(c.Reason))}
	if !c.begun() {
		return s
	}
	s.Status, s.RuntimeId = aws.String("RUNNING"), stringOrNil(c.ID)
	s.NetworkBindings = networkBindings(r.ordered(c.Name), c.Bindings)
	if c.Phase == Ended {
		s.Status = aws.String("STOPPED")
		if c.ExitCode != nil {
			s.ExitCode = aws.Int32(int32(*c.ExitCode))
		}
	}
	return s
}

// networkBindings tells a container's bindings: those of a range as a range, and where the host's ports are not in a row as several.
func networkBindings(o acsproto.Container, list []Binding) (out []types.NetworkBinding) {
	of := func(b Binding) int { // the range that a binding is of, -1 if it is of none
		return slices.IndexFunc(o.PortMappings, func(m acsproto.PortMapping) bool {
			s := containerPorts(m)
			return m.ContainerPortRange != "" && m.Protocol == b.Protocol && s.first <= b.ContainerPort && b.ContainerPort <= s.last
		})
	}
	if slices.ContainsFunc(list, func(b Binding) bool { return of(b) >= 0 }) {
		list = slices.Clone(list)
		slices.SortStableFunc(list, func(a, b Binding) int { return cmp.Compare(a.Protocol, b.Protocol) })
	}
	for i := 0; i < len(list); {
		b, is, n := list[i], of(list[i]), 1
		for is >= 0 && i+n < len(list) && of(list[i+n]) == is && list[i+n].ContainerPort == b.ContainerPort+int32(n) &&
			list[i+n].HostPort == b.HostPort+int32(n) && list[i+n].HostIP == b.HostIP {
			n++
		}
		one := types.NetworkBinding{BindIP: aws.String(cmp.Or(b.HostIP, "0.0.0.0")), Protocol: types.TransportProtocol(b.Protocol)}
		if is >= 0 {
			last := int32(n - 1)
			one.ContainerPortRange = aws.String(portSpan{b.ContainerPort, b.ContainerPort + last}.String())
			one.HostPortRange = aws.String(portSpan{b.HostPort, b.HostPort + last}.String())
		} else {
			one.ContainerPort, one.HostPort = aws.Int32(b.ContainerPort), aws.Int32(b.HostPort)
		}
		out = append(out, one)
		i += n
	}
	return out
}

// bounded cuts a reason to what the protocol takes.
func bounded(reason string) string {
	if len(reason) <= maxReason {
		return reason
	}
	return reason[:maxReason-3] + "..."
}

func timeOrNil(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

func stringOrNil(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
