package agent

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/moby/moby/api/types/container"

	"berth/internal/acsproto"
)

// A task in awsvpc mode has a network namespace of its own, that of its pause container, which has the task's network interface as eth0. Its other containers
// join it, and do not start before the interface is there with its rules (Record.Attached). When the last one has ended the interface goes, and only then
// the task is reported STOPPED (Record.Detached): from then on the control plane may give its address to others.

const (
	awsvpc = "awsvpc"
	// attachTimeout is how long a task waits for its interface, in all.
	attachTimeout = 3 * time.Minute
	// attachAnew is how long it waits at least after the agent has started: what the agent was away for is not the network's fault, and it may take
	// patience until anything is applied.
	attachAnew = 2 * patience
	// noInterface is ECS's reason of a task whose interface does not come.
	noInterface = "Timeout waiting for network interface provisioning to complete."
)

// networked says whether a task has a network interface of its own.
func (r *Record) networked() bool { return r.Network == awsvpc }

// checkInterface checks the interface of a task in awsvpc mode.
func checkInterface(r *Record) error {
	if !r.networked() {
		return nil
	}
	if len(r.Task.Interfaces) != 1 {
		return fmt.Errorf("network mode awsvpc with %d network interfaces", len(r.Task.Interfaces))
	}
	e := r.Task.Interfaces[0]
	if e.ID == "" || e.MACAddress == "" || len(e.IPv4Addresses) == 0 || e.SubnetGatewayIPv4Address == "" {
		return fmt.Errorf("network interface %q lacks its address, MAC or gateway", e.ID)
	}
	return nil
}

// interfaceID is the id of the task's network interface.
func (r *Record) interfaceID() string { return r.Task.Interfaces[0].ID }

// nextOfNetwork is what the pause container's network needs next, if that comes before anything else of the container.
func nextOfNetwork(r *Record, c *Container) (Act, bool) {
	if !r.networked() || !hidden(c.Name) {
		return 0, false
	}
	switch {
	case c.Phase == Up && (!r.Attached || r.Bereft) && !r.stopping() && !c.Unseen && !c.Doomed:
		return Attach, true
	case c.Phase == Ended && !r.Detached && r.ended():
		return Detach, true
	}
	return 0, false
}

// onNetwork says whether containers may start as far as the task's network is concerned.
func (r *Record) onNetwork() bool { return !r.networked() || r.Attached }

// early says whether a container may be made, though not started, before a dependency is met: the engine asks for a network namespace that it joins only when
// it starts, and so both containers of a task come up in little more time than one. Other namespaces it asks for at once.
func (r *Record) early(d acsproto.DependsOn) bool {
	return r.networked() && d.ContainerName == pauseContainer && r.Task.PidMode != "task" && r.Task.IpcMode != "task"
}

// ended says whether all containers have ended.
func (r *Record) ended() bool {
	return !slices.ContainsFunc(r.Containers, func(c Container) bool { return c.Phase != Ended })
}

// attach gives the task its interface.
func (t *task) attach(ctx context.Context) error {
	var id string
	var limit time.Time
	t.view(func(r *Record) {
		id, limit = r.interfaceID(), r.container(pauseContainer).StartedAt.Add(attachTimeout)
		if r.Bereft {
			limit = time.Now().Add(attachTimeout)
		}
	})
	if anew := t.agent.began.Add(attachAnew); anew.After(limit) {
		limit = anew
	}
	ctx, over := t.abandonable(ctx, pauseContainer)
	defer over()
	limited, cancel := context.WithDeadline(ctx, limit)
	defer cancel()
	err := t.attachNow(limited, id)
	stopping := false
	t.view(func(r *Record) { stopping = r.stopping() })
	switch {
	case err == nil:
		t.change(pauseContainer, func(r *Record, _ *Container) bool { r.Attached, r.Bereft = true, false; return true })
		return nil
	case stopping:
		return nil
	case ctx.Err() == nil && !time.Now().Before(limit):
		t.log.Warn("no network interface in time", "interface", id, "err", err)
		t.give(noInterface)
		t.change(pauseContainer, func(_ *Record, c *Container) bool { c.Doomed = true; return true })
		return nil
	}
	return fmt.Errorf("give the task its network interface %s: %w", id, err)
}

// reattach gives the task its interface once more.
func (t *task) reattach() {
	t.log.Warn("the task's network interface was taken away, and comes back")
	t.change(pauseContainer, func(r *Record, _ *Container) bool { r.Bereft = true; return true })
}

// attachNow gives the process of the pause container the interface.
func (t *task) attachNow(ctx context.Context, id string) error {
	handle, _ := t.handle(pauseContainer)
	o, err := t.agent.Engine.Inspect(ctx, handle)
	if err != nil {
		return err
	}
	if o.PID == 0 {
		return errors.New("the pause container does not run")
	}
	return t.agent.Network.Attach(ctx, id, o.PID)
}

// detach takes the task's interface away.
func (t *task) detach(ctx context.Context) error {
	var id string
	t.view(func(r *Record) { id = r.interfaceID() })
	if err := t.agent.Network.Detach(ctx, id); err != nil {
		return fmt.Errorf("take away the task's network interface %s: %w", id, err)
	}
	t.change(pauseContainer, func(r *Record, _ *Container) bool { r.Detached = true; return true })
	return nil
}

// attachments are what a report says of the task's interface.
func attachments(r *Record) []types.AttachmentStateChange {
	if !r.Attached || !r.networked() {
		return nil
	}
	return []types.AttachmentStateChange{{AttachmentArn: aws.String(r.Task.Interfaces[0].AttachmentARN), Status: aws.String("ATTACHED")}}
}

// networkOf sets a container's network in awsvpc mode: the pause container has the namespace with its names, which the others join. What configures it is the
// pause container's, wherever the order has it.
func networkOf(r *Record, c acsproto.Container, files NameFiles, config *container.Config, host *container.HostConfig) error {
	if !r.networked() {
		config.NetworkDisabled = config.NetworkDisabled || hidden(c.Name) // nobody joins a pause container's
		return nil
	}
	host.PublishAllPorts, host.PortBindings, config.ExposedPorts = false, nil, nil
	if !hidden(c.Name) {
		host.NetworkMode = container.NetworkMode("container:" + containerName(r.Task, pauseContainer))
		host.DNS, host.DNSSearch, host.DNSOptions, host.ExtraHosts, config.Hostname = nil, nil, nil, nil, ""
		host.Sysctls = without(host.Sysctls, netSysctl)
		return nil
	}
	host.NetworkMode = "none"
	light(r, host)
	if err := names(r.Task.Interfaces[0], files, config, host); err != nil {
		return err
	}
	return sysctlsOfAll(r, host, netSysctl)
}

// light leaves out of the pause container what makes its start slower and what it does not need: it is our own program, which waits for a signal, without any
// rights. The task waits for it.
func light(r *Record, host *container.HostConfig) {
	host.CapDrop, host.ReadonlyRootfs, host.LogConfig = []string{"ALL"}, true, container.LogConfig{Type: "none"}
	host.SecurityOpt = []string{"seccomp=unconfined", "no-new-privileges"}
	if r.Task.IpcMode == "" {
		host.IpcMode = container.IPCModeNone
	}
}

// netSysctl says whether a kernel parameter is of the network namespace.
func netSysctl(name string) bool { return strings.HasPrefix(name, "net.") }

// sysctlsOfAll gives the pause container the kernel parameters of a shared namespace that the task's containers ask for.
func sysctlsOfAll(r *Record, host *container.HostConfig, of func(string) bool) error {
	for _, o := range r.Task.Containers {
		var asked container.HostConfig
		if err := overlay(&asked, o.DockerConfig.HostConfig); err != nil {
			return fmt.Errorf("read dockerConfig.hostConfig: %w", err)
		}
		for name, value := range asked.Sysctls {
			if of(name) {
				if host.Sysctls == nil {
					host.Sysctls = map[string]string{}
				}
				host.Sysctls[name] = value
			}
		}
	}
	return nil
}

// without is a copy of kernel parameters without those of a shared namespace.
func without(sysctls map[string]string, of func(string) bool) map[string]string {
	sysctls = maps.Clone(sysctls)
	maps.DeleteFunc(sysctls, func(name, _ string) bool { return of(name) })
	return sysctls
}
