package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"time"
	"unicode"

	"golang.org/x/sys/unix"

	"berth/internal/arn"
	"berth/internal/events"
)

// detail is what of all details a line shows.
type detail struct {
	ClusterArn arn.Cluster
	// of tasks
	Group, DesiredStatus, LastStatus, StopCode, StoppedReason string
	TaskArn                                                   arn.Task
	Containers                                                []struct {
		Name     string
		ExitCode *int
		Reason   string
	}
	// of container instances
	ContainerInstanceArn arn.Instance
	AgentConnected       bool
	Status, StatusReason string
	// of services and deployments
	EventType, EventName, Reason string
}

// eventLine is an event in one line: when, of what, and what became of it.
func eventLine(e told, width int, withCluster bool, zone *time.Location) string {
	var d detail
	if err := json.Unmarshal(e.Detail, &d); err != nil {
		return fmt.Sprintf("%s: %v", e.DetailType, err)
	}
	parts := []string{e.Time.In(zone).Format(time.TimeOnly)}
	kind, what := d.words(e)
	parts = append(parts, fmt.Sprintf("%-10s", kind))
	if withCluster {
		parts = append(parts, d.ClusterArn.Name())
	}
	return cut(printable(strings.Join(append(parts, what...), " ")), width)
}

// words are what kind of thing the event is about, which one, and what became of it.
func (d *detail) words(e told) (kind string, words []string) {
	switch e.DetailType {
	case events.TaskStateChange:
		words = []string{strings.TrimPrefix(d.Group, "service:"), brief(d.TaskArn.ID()), d.LastStatus}
		if d.LastStatus != d.DesiredStatus {
			words = append(words, "(to be "+d.DesiredStatus+")")
		}
		if d.DesiredStatus == "STOPPED" {
			words = append(words, d.StopCode+":", d.StoppedReason)
		}
		return "task", append(words, d.exits()...)
	case events.InstanceStateChange:
		connected := "disconnected"
		if d.AgentConnected {
			connected = "connected"
		}
		return "instance", []string{brief(d.ContainerInstanceArn.ID()), d.Status, connected, d.StatusReason}
	case events.DeploymentStateChange:
		kind = "deployment"
	case events.ServiceAction:
		kind = "service"
	default:
		return e.DetailType, e.Resources
	}
	name := ""
	if len(e.Resources) > 0 {
		name = arn.Service(e.Resources[0]).Name()
	}
	return kind, []string{name, d.EventType, strings.TrimPrefix(d.EventName, "SERVICE_"), d.Reason}
}

// exits tell how containers ended that did not end well.
func (d *detail) exits() (words []string) {
	for _, c := range d.Containers {
		if c.ExitCode != nil && *c.ExitCode != 0 || c.Reason != "" {
			word := c.Name
			if c.ExitCode != nil {
				word += fmt.Sprintf(" exit %d", *c.ExitCode)
			}
			if c.Reason != "" {
				word += " " + c.Reason
			}
			words = append(words, "["+word+"]")
		}
	}
	return words
}

// brief is an id's beginning, enough to tell it from others.
func brief(id string) string { return id[:min(8, len(id))] }

// printable replaces what could disturb a terminal: agents and images choose some of the texts.
func printable(s string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return '?'
	}, s))
}

// cut shortens s to a number of characters, with a mark that it did; 0 does not.
func cut(s string, width int) string {
	if runes := []rune(s); width > 1 && len(runes) > width {
		return string(runes[:width-1]) + "…"
	}
	return s
}

// columns is how many characters a terminal has in a line, 0 for what is none.
func columns(f *os.File) int {
	size, err := unix.IoctlGetWinsize(int(f.Fd()), unix.TIOCGWINSZ)
	if err != nil {
		return 0
	}
	return int(size.Col)
}
