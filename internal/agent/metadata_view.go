package agent

import (
	"cmp"
	"maps"

	"github.com/moby/moby/api/types/container"

	"berth/internal/acsproto"
)

// The words of the metadata endpoint are the official agent's own, which differ from those of reports.

// KnownStatus is how far the task has come.
func (s *Seen) KnownStatus() string {
	switch status := statusOf(s.Record); status {
	case "STOPPED", "RUNNING":
		return status
	}
	least := Up
	for _, c := range s.Record.Containers {
		least = min(least, c.Phase)
	}
	return phaseWord(least)
}

// DesiredStatus is how far the task should come.
func (s *Seen) DesiredStatus() string {
	if s.Record.stopping() {
		return "STOPPED"
	}
	return "RUNNING"
}

// provisioned is what official agents call a pause container that runs.
const provisioned = "RESOURCES_PROVISIONED"

// ContainerStatus is how far a container of the task should come, and has come.
func (s *Seen) ContainerStatus(c *Container) (desired, known string) {
	desired, known = s.DesiredStatus(), phaseWord(c.Phase)
	switch {
	case c.Phase == Ended:
		desired = "STOPPED"
	case c.pendingRestart():
		known = "RUNNING"
	case hidden(c.Name) && c.Phase == Up:
		known = provisioned
	}
	if hidden(c.Name) && desired == "RUNNING" {
		desired = provisioned
	}
	return desired, known
}

func phaseWord(p Phase) string {
	return [...]string{"NONE", "PULLED", "PULLED", "CREATED", "RUNNING", "STOPPED"}[p]
}

// Type is the type of a container: a user's or one of those that the agent adds.
func (s *Seen) Type(name string) string {
	switch {
	case !hidden(name):
		return "NORMAL"
	case s.Record.Network == "awsvpc":
		return "CNI_PAUSE"
	}
	return "NAMESPACE_PAUSE"
}

// Ordered is what was ordered of a container.
func (s *Seen) Ordered(name string) acsproto.Container { return s.Record.ordered(name) }

// EngineName is the engine's name of a container.
func (s *Seen) EngineName(name string) string { return containerName(s.Record.Task, name) }

// Labels are a container's: those that the engine tells, and else those that it is ordered with.
func (s *Seen) Labels(c *Container) map[string]string {
	if c.Facts != nil && c.Facts.Labels != nil {
		return c.Facts.Labels
	}
	o := s.Record.ordered(c.Name)
	var config container.Config
	if overlay(&config, o.DockerConfig.Config) != nil {
		return nil
	}
	labels, err := labelsOf(s.Record, o, place{})
	if err != nil {
		return nil
	}
	all := maps.Clone(labels)
	maps.Copy(all, config.Labels)
	maps.Copy(all, labels)
	return PublicLabels(all)
}

// Logging is a container's log driver with its options: as ordered, where that is known.
func (s *Seen) Logging(c *Container) (driver string, options map[string]string) {
	var host container.HostConfig
	if o := s.Record.ordered(c.Name); overlay(&host, o.DockerConfig.HostConfig) == nil && host.LogConfig.Type != "" {
		return host.LogConfig.Type, host.LogConfig.Config
	}
	if c.Facts != nil {
		return c.Facts.LogDriver, c.Facts.LogOptions
	}
	return "", nil
}

// Image is a container's image: its name as ordered and its id.
func (s *Seen) Image(c *Container) (name, id string) {
	facts := c.Facts
	if facts == nil {
		facts = &Facts{}
	}
	return cmp.Or(s.Record.ordered(c.Name).Image, facts.Image), facts.ImageID
}
