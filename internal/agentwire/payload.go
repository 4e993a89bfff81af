package agentwire

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
)

// Task is a task of a payload as the agent's decoder takes it. Integers are integers: the agent fails the task otherwise.
type Task struct {
	ARN           string      `json:"arn"`
	Cluster       string      `json:"taskClusterArn"`
	DesiredStatus string      `json:"desiredStatus"`
	Family        string      `json:"family"`
	Version       string      `json:"version"`
	CPU           float64     `json:"cpu"`
	Memory        int64       `json:"memory"`
	NetworkMode   string      `json:"networkMode"`
	PidMode       string      `json:"pidMode"`
	IpcMode       string      `json:"ipcMode"`
	LaunchType    string      `json:"launchType"`
	ServiceName   string      `json:"serviceName"`
	Overrides     string      `json:"overrides"`
	Volumes       []volume    `json:"volumes"`
	Containers    []Container `json:"containers"`

	Role          *struct{ CredentialsID string } `json:"roleCredentials"`
	ExecutionRole *struct{ CredentialsID string } `json:"executionRoleCredentials"`
}

type volume struct {
	Name string                       `json:"name"`
	Type string                       `json:"type"`
	Host *struct{ SourcePath string } `json:"host"`
}

// Container is a container of a payload's task.
type Container struct {
	Name            string            `json:"name"`
	Image           string            `json:"image"`
	Essential       bool              `json:"essential"`
	Command         []string          `json:"command"`
	EntryPoint      []string          `json:"entryPoint"`
	CPU             int64             `json:"cpu"`
	Memory          int64             `json:"memory"`
	Environment     map[string]string `json:"environment"`
	Overrides       string            `json:"overrides"`
	HealthCheckType string            `json:"healthCheckType"`
	StartTimeout    *int64            `json:"startTimeout"`
	StopTimeout     *int64            `json:"stopTimeout"`
	PortMappings    []struct {
		ContainerPort, HostPort int64
		ContainerPortRange      string
		Protocol                string
	} `json:"portMappings"`
	MountPoints []struct {
		SourceVolume, ContainerPath string
		ReadOnly                    bool
	} `json:"mountPoints"`
	DependsOn    []struct{ ContainerName, Condition string }  `json:"dependsOn"`
	DockerConfig struct{ Config, HostConfig, Version string } `json:"dockerConfig"`
}

// Config and HostConfig are the texts of dockerConfig, read.
func (c *Container) Config() map[string]any     { return object(c.DockerConfig.Config) }
func (c *Container) HostConfig() map[string]any { return object(c.DockerConfig.HostConfig) }

func object(text string) map[string]any {
	var o map[string]any
	if json.Unmarshal([]byte(text), &o) != nil {
		return nil
	}
	return o
}

// readTask decodes a task of a payload as the agent does, and says why the agent could not run it.
func readTask(raw json.RawMessage) (t Task, err error) {
	if err := json.Unmarshal(raw, &t); err != nil {
		return t, fmt.Errorf("the agent cannot parse the task: %w", err)
	}
	if t.ARN == "" || t.DesiredStatus != "RUNNING" && t.DesiredStatus != "STOPPED" {
		return t, fmt.Errorf("task %q with desired status %q", t.ARN, t.DesiredStatus)
	}
	if t.DesiredStatus == "STOPPED" {
		return t, nil
	}
	if err := t.check(); err != nil {
		return t, fmt.Errorf("task %s: %w", t.ARN, err)
	}
	for i := range t.Containers {
		if err := t.Containers[i].check(&t); err != nil {
			return t, fmt.Errorf("task %s: container %s: %w", t.ARN, t.Containers[i].Name, err)
		}
	}
	return t, nil
}

func (t *Task) check() error {
	switch {
	case len(t.Containers) == 0:
		return errors.New("no containers")
	case !slices.Contains([]string{"", "bridge", "host", "awsvpc", "none"}, t.NetworkMode):
		return fmt.Errorf("networkMode %q", t.NetworkMode)
	case !slices.Contains([]string{"", "host", "task"}, t.PidMode) || !slices.Contains([]string{"", "host", "task", "none"}, t.IpcMode):
		return fmt.Errorf("pidMode %q, ipcMode %q", t.PidMode, t.IpcMode)
	case t.CPU < 0 || t.CPU > 256:
		return fmt.Errorf("cpu %v is no number of vCPUs", t.CPU)
	case t.Role != nil && t.Role.CredentialsID == "" || t.ExecutionRole != nil && t.ExecutionRole.CredentialsID == "":
		return errors.New("credentials without an id")
	}
	for _, v := range t.Volumes {
		if v.Name == "" || v.Type != "" && v.Type != "host" && v.Type != "docker" && v.Type != "efs" || v.Type != "docker" && v.Type != "efs" && v.Host == nil {
			return fmt.Errorf("volume %+v", v)
		}
	}
	return nil
}

var dockerVersion = regexp.MustCompile(`^1\.\d+$`)

func (c *Container) check(t *Task) error {
	host := c.HostConfig()
	switch {
	case c.Name == "" || c.Image == "":
		return fmt.Errorf("name %q, image %q", c.Name, c.Image)
	case t.Memory > 0 && c.Memory > t.Memory:
		return fmt.Errorf("memory %d is more than the task's %d", c.Memory, t.Memory)
	case c.Config() == nil && c.DockerConfig.Config != "", host == nil:
		return fmt.Errorf("dockerConfig %+v is no JSON text", c.DockerConfig)
	case c.DockerConfig.Version != "" && !dockerVersion.MatchString(c.DockerConfig.Version):
		return fmt.Errorf("dockerConfig.version %q", c.DockerConfig.Version)
	case c.HealthCheckType != "" && (c.HealthCheckType != "docker" || c.Config()["Healthcheck"] == nil):
		return fmt.Errorf("healthCheckType %q without a Healthcheck in %s", c.HealthCheckType, c.DockerConfig.Config)
	case t.NetworkMode == "awsvpc" && len(c.PortMappings) > 0:
		return errors.New("port mappings in awsvpc: Docker refuses them")
	case t.NetworkMode != "awsvpc" && host["NetworkMode"] != t.NetworkMode:
		return fmt.Errorf("hostConfig.NetworkMode %v, networkMode %q", host["NetworkMode"], t.NetworkMode)
	}
	if r, ok := host["MemoryReservation"].(float64); ok && r < 4<<20 {
		return fmt.Errorf("MemoryReservation %v is not in bytes", r)
	}
	return errors.Join(c.checkOverrides(), c.checkLists(t))
}

// checkOverrides: text of an object with the key command or none; any other key fails the whole task.
func (c *Container) checkOverrides() error {
	o := object(c.Overrides)
	for k := range o {
		if k != "command" {
			return fmt.Errorf("overrides %s: the agent takes no %s", c.Overrides, k)
		}
	}
	if o == nil && c.Overrides != "" {
		return fmt.Errorf("overrides %q", c.Overrides)
	}
	return nil
}

func (c *Container) checkLists(t *Task) error {
	for _, p := range c.PortMappings {
		if p.Protocol != "tcp" && p.Protocol != "udp" || p.ContainerPort < 1 && p.ContainerPortRange == "" || p.ContainerPort > 65535 || p.HostPort < 0 || p.HostPort > 65535 {
			return fmt.Errorf("port mapping %+v", p)
		}
	}
	for _, m := range c.MountPoints {
		if !slices.ContainsFunc(t.Volumes, func(v volume) bool { return v.Name == m.SourceVolume }) || m.ContainerPath == "" {
			return fmt.Errorf("mount point %+v", m)
		}
	}
	for _, d := range c.DependsOn {
		known := slices.ContainsFunc(t.Containers, func(o Container) bool { return o.Name == d.ContainerName })
		if !known || !slices.Contains([]string{"START", "COMPLETE", "SUCCESS", "HEALTHY"}, d.Condition) {
			return fmt.Errorf("dependsOn %+v", d)
		}
	}
	return nil
}
