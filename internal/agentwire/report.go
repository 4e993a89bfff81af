package agentwire

import "time"

// TaskChange is one report on a task, as SubmitTaskStateChange has it.
type TaskChange struct {
	Cluster, Task, Status, Reason string
	Containers                    []Object
	PullStarted, PullStopped      time.Time
	ExecutionStopped              time.Time
	ManagedAgents                 []Object
}

// Body is the body of SubmitTaskStateChange.
func (c TaskChange) Body() Object {
	o := Object{{"cluster", c.Cluster}, {"task", c.Task}, {"status", c.Status}, {"reason", c.Reason}}
	for _, at := range []struct {
		name string
		at   time.Time
	}{{"pullStartedAt", c.PullStarted}, {"pullStoppedAt", c.PullStopped}, {"executionStoppedAt", c.ExecutionStopped}} {
		if !at.at.IsZero() {
			o = append(o, Member{at.name, at.at})
		}
	}
	if len(c.Containers) > 0 {
		o = append(o, Member{"containers", c.Containers})
	}
	if len(c.ManagedAgents) > 0 {
		o = append(o, Member{"managedAgents", c.ManagedAgents})
	}
	return o
}

// Digest and RuntimeID are of the forms that the agent reports.
const (
	Digest    = "sha256:7666a53e2a2d7b3f2c8e2a3d1f6b1b9cbf6a1df3e9a4a0a1c5d2b7f0e8d9c3b1"
	RuntimeID = "6e2197c0b6b14d3f9e1a7c5d2b8f4e6a0c9d1e3f5a7b9c2d4e6f8a0b1c3d5e7f"
)

// Pulled is a container whose image's digest is resolved.
func Pulled(name string) Object {
	return Object{{"containerName", name}, {"imageDigest", Digest}, {"status", "PENDING"}}
}

// Started is a container that runs, with the host ports that it got: pairs of container and host port.
func Started(name string, ports ...[2]int) Object {
	o := Object{{"containerName", name}, {"imageDigest", Digest}, {"runtimeId", RuntimeID}, {"status", "RUNNING"}}
	var bindings []Object
	for _, p := range ports {
		bindings = append(bindings, Object{{"bindIP", "0.0.0.0"}, {"containerPort", p[0]}, {"hostPort", p[1]}, {"protocol", "tcp"}})
	}
	if len(bindings) > 0 {
		o = append(o, Member{"networkBindings", bindings})
	}
	return o
}

// Exited is a container that ran and ended.
func Exited(name string, code int) Object {
	return Object{{"containerName", name}, {"exitCode", code}, {"imageDigest", Digest}, {"runtimeId", RuntimeID}, {"status", "STOPPED"}}
}

// Failed is a container that never ran.
func Failed(name, reason string) Object {
	return Object{{"containerName", name}, {"reason", reason}, {"status", "STOPPED"}}
}
