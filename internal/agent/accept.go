package agent

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"berth/internal/acsproto"
	"berth/internal/arn"
)

// accept makes the record of an ordered task, or says why it cannot be run as it is ordered.
func accept(t acsproto.Task, instance string) (*Record, error) {
	roles, vended := rolesOf(t)
	t.RoleCredentials, t.ExecutionRoleCredentials = nil, nil // never on disk
	r := &Record{Task: t, Instance: instance, Roles: roles, vended: vended}
	if err := identify(t.ARN); err != nil {
		return nil, err
	}
	for _, check := range []func(*Record) error{checkModes, checkInterface, checkVolumes, checkContainers, checkDevices, checkSecrets, checkRegistries, checkFiles, checkOrder} {
		if err := check(r); err != nil {
			return nil, err
		}
	}
	var err error
	if r.Task, err = withRouter(withPause(r.Task)); err != nil {
		return nil, err
	}
	for _, c := range r.Task.Containers {
		r.Containers = append(r.Containers, Container{Name: c.Name})
	}
	for _, c := range r.Task.Containers { // last: needs the rest to be right
		if _, err := specOf(r, c, place{}); err != nil {
			return nil, fmt.Errorf("container %s: %w", c.Name, err)
		}
	}
	return r, nil
}

func identify(task string) error {
	if kind, _, ok := arn.Resource(task); !ok || kind != "task" || arn.Task(task).ID() == "" {
		return fmt.Errorf("%q is not the ARN of a task", task)
	}
	return nil
}

func checkModes(r *Record) error {
	r.Network = r.Task.NetworkMode
	switch r.Network {
	case "":
		r.Network = "bridge"
	case "bridge", "host", "none", awsvpc:
	default:
		return fmt.Errorf("network mode %q is not served by this agent", r.Network)
	}
	for what, mode := range map[string]string{"pidMode": r.Task.PidMode, "ipcMode": r.Task.IpcMode} {
		if mode != "" && mode != "host" && mode != "task" && !(what == "ipcMode" && mode == "none") {
			return fmt.Errorf("%s %q is not served by this agent", what, mode)
		}
	}
	return nil
}

func checkVolumes(r *Record) error {
	names := map[string]bool{}
	for _, v := range r.Task.Volumes {
		switch {
		case v.Type != "" && v.Type != "host" && v.Type != "docker":
			return fmt.Errorf("volume %s: type %q is not served by this agent", v.Name, v.Type)
		case (v.Type == "docker") != (v.Docker != nil):
			return fmt.Errorf("volume %s: type %q and its configuration do not belong together", v.Name, v.Type)
		case v.Docker != nil && v.Docker.Scope != "" && v.Docker.Scope != scopeTask && v.Docker.Scope != scopeShared:
			return fmt.Errorf("volume %s: unknown scope %q", v.Name, v.Docker.Scope)
		}
		names[v.Name] = true
	}
	for _, c := range r.Task.Containers {
		for _, m := range c.MountPoints {
			if !names[m.SourceVolume] {
				return fmt.Errorf("container %s mounts volume %q, which the task does not have", c.Name, m.SourceVolume)
			}
		}
	}
	return nil
}

func checkContainers(r *Record) error {
	if len(r.Task.Containers) == 0 {
		return fmt.Errorf("the task has no containers")
	}
	seen := map[string]bool{}
	for i := range r.Task.Containers {
		c := &r.Task.Containers[i]
		switch {
		case c.Name == "" || c.Image == "":
			return fmt.Errorf("a container has no name or no image")
		case hidden(c.Name):
			return fmt.Errorf("container %s has a name of the agent's own", c.Name)
		case seen[c.Name]:
			return fmt.Errorf("container %s is there twice", c.Name)
		}
		seen[c.Name] = true
		if err := override(c); err != nil {
			return fmt.Errorf("container %s: %w", c.Name, err)
		}
		for _, p := range c.PortMappings {
			if err := checkPorts(p); err != nil {
				return fmt.Errorf("container %s: %w", c.Name, err)
			}
		}
	}
	return nil
}

func checkPorts(p acsproto.PortMapping) error {
	if p.ContainerPortRange != "" && p.ContainerPort == 0 && p.HostPort == 0 && (p.Protocol == "tcp" || p.Protocol == "udp") {
		_, err := parseSpan(p.ContainerPortRange)
		return err
	}
	if p.Protocol != "tcp" && p.Protocol != "udp" || p.ContainerPort < 1 || p.ContainerPort > 65535 || p.HostPort < 0 || p.HostPort > 65535 ||
		p.ContainerPortRange != "" {
		return fmt.Errorf("port mapping %d:%d%s/%s is not valid", p.HostPort, p.ContainerPort, p.ContainerPortRange, p.Protocol)
	}
	return nil
}

func checkDevices(r *Record) error {
	for _, a := range r.Task.Associations {
		if a.Type != "gpu" || a.Name == "" {
			return fmt.Errorf("association %q of type %q is not served by this agent", a.Name, a.Type)
		}
		for _, name := range a.Containers {
			if r.ordered(name).Image == "" {
				return fmt.Errorf("GPU %s is for container %q, which the task does not have", a.Name, name)
			}
		}
	}
	return nil
}

// override merges the only override that agents know, the command.
func override(c *acsproto.Container) error {
	if c.Overrides == "" {
		return nil
	}
	var o struct {
		Command []string `json:"command"`
	}
	d := json.NewDecoder(strings.NewReader(c.Overrides))
	d.DisallowUnknownFields()
	if err := d.Decode(&o); err != nil {
		return fmt.Errorf("read overrides: %w", err)
	}
	if o.Command != nil {
		c.Command = o.Command
	}
	c.Overrides = ""
	return nil
}

// checkOrder refuses gates that name nothing and gates that go in a circle.
func checkOrder(r *Record) error {
	waits := map[string][]string{}
	for _, c := range r.Task.Containers {
		for _, d := range dependencies(c) {
			if !slices.Contains([]string{"START", "HEALTHY", "COMPLETE", "SUCCESS"}, d.Condition) {
				return fmt.Errorf("container %s: unknown dependency condition %q", c.Name, d.Condition)
			}
			if !slices.ContainsFunc(r.Task.Containers, func(o acsproto.Container) bool { return o.Name == d.ContainerName }) {
				return fmt.Errorf("container %s depends on %q, which the task does not have", c.Name, d.ContainerName)
			}
			waits[c.Name] = append(waits[c.Name], d.ContainerName)
		}
	}
	for len(waits) > 0 { // take away, round after round, what waits for nobody that still waits
		n := len(waits)
		for name := range maps.Clone(waits) {
			if !slices.ContainsFunc(waits[name], func(d string) bool { _, still := waits[d]; return still }) {
				delete(waits, name)
			}
		}
		if len(waits) == n {
			return fmt.Errorf("the containers %s wait for each other", strings.Join(slices.Sorted(maps.Keys(waits)), ", "))
		}
	}
	return nil
}

// refused is the record of a task that cannot be run: it is reported STOPPED, once.
func refused(task, instance, reason string, now time.Time) *Record {
	return &Record{Task: acsproto.Task{ARN: task}, Instance: instance, Stop: true, Reason: reason, ExecutionStoppedAt: now, StoppedAt: now}
}

// unreadable is the reason of a task whose order cannot be read. ECS spells it so.
func unreadable(err error) string { return "UnrecogniedTaskError: Error loading task - " + err.Error() }

// unknownTask is the reason of a stop order for a task that is not here.
const unknownTask = "TaskStateError: Agent could not progress task's state to stopped"

// linked is the container that a link ("name" or "name:alias") leads to.
func linked(link string) string {
	name, _, _ := strings.Cut(link, ":")
	return name
}
