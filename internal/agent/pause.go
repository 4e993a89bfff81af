package agent

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/moby/moby/api/types/container"

	"berth/internal/acsproto"
)

// pauseContainer is the container that holds the namespaces which a task's containers share. It is hidden: no report names it. Containers of
// task definitions cannot be called so.
const pauseContainer = "~internal~ecs~pause"

func hidden(container string) bool { return container == pauseContainer }

// sharesNamespaces says whether a task's containers share namespaces: the network's, or those of processes or of interprocess communication.
func sharesNamespaces(t acsproto.Task) bool {
	return t.NetworkMode == awsvpc || t.PidMode == "task" || t.IpcMode == "task"
}

// withPause puts the pause container before a task's own ones, which all wait for it.
func withPause(t acsproto.Task) acsproto.Task {
	if !sharesNamespaces(t) {
		return t
	}
	list := []acsproto.Container{{Name: pauseContainer, Image: "pause", Essential: true}}
	for _, c := range t.Containers {
		c.DependsOn = append([]acsproto.DependsOn{{ContainerName: pauseContainer, Condition: "START"}}, c.DependsOn...)
		list = append(list, c)
	}
	t.Containers = list
	return t
}

// namespaces sets a container's namespaces: the task's own are those of its pause container. What configures shared ones is the pause
// container's too, wherever the order has it.
func namespaces(r *Record, c acsproto.Container, host *container.HostConfig) error {
	shared := "container:" + containerName(r.Task, pauseContainer)
	own := !hidden(c.Name)
	host.PidMode, host.IpcMode = container.PidMode(r.Task.PidMode), container.IpcMode(r.Task.IpcMode)
	switch {
	case r.Task.PidMode == "task" && own:
		host.PidMode = container.PidMode(shared)
	case !own:
		host.PidMode = ""
	}
	if r.Task.IpcMode != "task" {
		if !own {
			host.IpcMode = ""
		}
		return nil
	}
	if own {
		host.IpcMode, host.ShmSize = container.IpcMode(shared), 0
		host.Sysctls = without(host.Sysctls, ipcSysctl)
		return nil
	}
	host.IpcMode = container.IPCModeShareable
	for _, o := range r.Task.Containers {
		var asked container.HostConfig
		if err := overlay(&asked, o.DockerConfig.HostConfig); err != nil {
			return fmt.Errorf("read dockerConfig.hostConfig: %w", err)
		}
		host.ShmSize = max(host.ShmSize, asked.ShmSize)
	}
	return sysctlsOfAll(r, host, ipcSysctl)
}

// ipcSysctl says whether a kernel parameter is of the namespace of interprocess communication.
func ipcSysctl(name string) bool {
	return strings.HasPrefix(name, "fs.mqueue.") || strings.HasPrefix(name, "kernel.msg") || strings.HasPrefix(name, "kernel.shm") || name == "kernel.sem"
}

// bringPause has the pause container's image made.
func (t *task) bringPause(ctx context.Context) error {
	image, err := t.agent.Pause(ctx)
	switch {
	case errors.Is(err, ErrUnavailable) || ctx.Err() != nil:
		return fmt.Errorf("make the image of the pause container: %w", err)
	case err != nil:
		t.fail(pauseContainer, "CannotCreateContainerError: make the image of the pause container: "+err.Error())
		return nil
	}
	t.change(pauseContainer, func(r *Record, c *Container) bool {
		r.Task.Containers[0].Image = image
		c.Phase = max(c.Phase, Pulled)
		return true
	})
	return nil
}
