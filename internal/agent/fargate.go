package agent

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/moby/moby/api/types/container"

	"berth/internal/acsproto"
)

// fargate says whether a task is one of Fargate: its size is a bound that nothing in it goes beyond.
func fargate(t acsproto.Task) bool { return t.LaunchType == "FARGATE" }

// confine sets what holds for each container of a Fargate task, whatever the order says: it has the task's memory where it has none of its own, no
// swap beyond that, a bounded log, and the runtime of the instance. The pause container runs nothing of the user's, and holds the namespaces in which the runtime
// starts the others, so it stays with the engine's own runtime.
func confine(r *Record, c acsproto.Container, runtime string, host *container.HostConfig) error {
	if !fargate(r.Task) || hidden(c.Name) {
		return nil
	}
	if host.Memory == 0 {
		host.Memory = r.Task.MemoryMiB * mib
	}
	host.MemorySwap, host.MemorySwappiness = host.Memory, nil
	boundLog(&host.LogConfig)
	if runtime == "" {
		return nil
	}
	host.Runtime = runtime
	if r.Task.PidMode == "task" && !slices.Contains(sharing(), runtime) {
		return fmt.Errorf("pidMode \"task\" is not served with the runtime %q, whose containers do not see each other's processes", runtime)
	}
	return nil
}

// fargateStay is how long the containers and volumes of a stopped Fargate task stay at most: up to 200 GiB of a disk that the next tasks need.
const fargateStay = time.Minute

// stay is how long what a stopped task has left stays on the machine.
func stay(r *Record, cleanUpAfter time.Duration) time.Duration {
	switch {
	case r.Outgrown:
		return 0
	case fargate(r.Task):
		return min(cleanUpAfter, fargateStay)
	}
	return cleanUpAfter
}

// boundLog bounds the log that the engine itself keeps of a container: it is no part of the task's storage, and on Fargate there is none.
func boundLog(log *container.LogConfig) {
	if log.Type != "" && log.Type != "json-file" || log.Config["max-size"] != "" {
		return
	}
	bounded := map[string]string{"max-size": "10m", "max-file": "2"}
	maps.Copy(bounded, log.Config)
	log.Type, log.Config = "json-file", bounded
}

// sharing are the runtimes whose containers are processes of one kernel. What a stronger one isolates is each container by itself.
func sharing() []string { return []string{"runc", "crun", "io.containerd.runc.v2"} }

// checkRuntime finds out whether the engine has the runtime that the instance's Fargate tasks are to have.
func (i *instance) checkRuntime(m Machine) error {
	if i.Runtime == "" || slices.Contains(m.Runtimes, i.Runtime) {
		return nil
	}
	return fmt.Errorf("the engine has no runtime %q, only %s: add it to \"runtimes\" in the engine's configuration (/etc/docker/daemon.json) and reload the engine, "+
		"or start the agent with another --runtime", i.Runtime, strings.Join(m.Runtimes, ", "))
}
