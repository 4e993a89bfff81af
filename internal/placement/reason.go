package placement

import (
	"fmt"
	"strings"
)

// Reason is why an instance refuses a task. The order is that of the checks: a later reason is nearer to success.
type Reason int

// The reasons.
const (
	None Reason = iota
	Inactive
	Attribute
	Agent
	MemberOf
	DistinctInstance
	CPU
	Memory
	ENI
	GPU
	PortsTCP
	PortsUDP
)

// String is the reason as RunTask and StartTask have it in failures.
func (r Reason) String() string {
	switch r {
	case None:
		return ""
	case Inactive:
		return "INACTIVE"
	case Attribute:
		return "ATTRIBUTE"
	case Agent:
		return "AGENT"
	case MemberOf:
		return "MemberOf placement constraint unsatisfied."
	case DistinctInstance:
		return "DistinctInstance placement constraint unsatisfied."
	case CPU:
		return "RESOURCE:CPU"
	case Memory:
		return "RESOURCE:MEMORY"
	case ENI:
		return "RESOURCE:ENI"
	case GPU:
		return "RESOURCE:GPU"
	case PortsTCP:
		return "RESOURCE:PORTS"
	case PortsUDP:
		return "RESOURCE:PORTS_UDP"
	}
	return fmt.Sprintf("reason %d", int(r))
}

// closest is the reason as service events have it of the closest instance.
func (r Reason) closest() string {
	switch r {
	case CPU:
		return "has insufficient CPU units available"
	case Memory:
		return "has insufficient memory available"
	case GPU:
		return "has insufficient GPU resource available"
	case PortsTCP, PortsUDP:
		return "is already using a port required by your task"
	case Attribute:
		return "is missing an attribute required by your task"
	case Agent:
		return "doesn't have the agent connected"
	}
	return fmt.Sprintf("encountered error %q", r.String())
}

// NoInstances is ECS's text for an empty cluster.
const NoInstances = "No Container Instances were found in your cluster."

// ServiceEvent is the text of the service event for tasks that found no place, without its "(service NAME) ".
func (p Plan) ServiceEvent() string {
	const troubleshooting = " For more information, see the Troubleshooting section of the Amazon ECS Developer Guide."
	const unable = "was unable to place a task because no container instance met all of its requirements. "
	if p.Closest.Instance == "" || p.Closest.Reason == Inactive {
		return unable + "Reason: " + NoInstances + troubleshooting
	}
	return fmt.Sprintf("%sThe closest matching (container-instance %s) %s.%s", unable, p.Closest.Instance.ID(), p.Closest.Reason.closest(), troubleshooting)
}

// String reads like "i1 i1 i2; refused 3: RESOURCE:MEMORY 2, AGENT 1; closest i2 RESOURCE:MEMORY short 128".
func (p Plan) String() string {
	var b strings.Builder
	for n, i := range p.Placed {
		if n > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(i.ID())
	}
	if p.Refused == 0 {
		return b.String()
	}
	if len(p.Placed) > 0 {
		b.WriteString("; ")
	}
	fmt.Fprintf(&b, "refused %d", p.Refused)
	for n, c := range p.Reasons {
		b.WriteString(map[bool]string{true: ": ", false: ", "}[n == 0])
		fmt.Fprintf(&b, "%s %d", c.Reason, c.Instances)
	}
	if p.Closest.Instance != "" {
		fmt.Fprintf(&b, "; closest %s", p.Closest)
	}
	return b.String()
}

func (v Verdict) String() string {
	if v.Short > 0 {
		return fmt.Sprintf("%s %s short %d", v.Instance.ID(), v.Reason, v.Short)
	}
	return strings.TrimSpace(v.Instance.ID() + " " + v.Reason.String())
}
