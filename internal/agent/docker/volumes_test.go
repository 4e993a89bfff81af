package docker_test

import (
	"errors"
	"testing"

	"berth/internal/agent"
	"berth/internal/agent/docker"
)

// TestRemoveVolumes: what was made for an installation's tasks goes, and nothing else does.
func TestRemoveVolumes(t *testing.T) {
	const installation, own, other = "remove-volumes-test", "berth-test-own-volume", "berth-test-other-volume"
	e, err := docker.Open("", installation)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	for name, labels := range map[string]map[string]string{own: {agent.LabelInstallation: installation}, other: {agent.LabelInstallation: "another"}} {
		if err := e.CreateVolume(t.Context(), agent.Volume{Name: name, Labels: labels}); err != nil {
			t.Fatal(err)
		}
		defer e.RemoveVolume(t.Context(), name) //nolint:errcheck // it may be gone
	}
	if err := e.RemoveVolumes(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := e.Volume(t.Context(), own); !errors.Is(err, agent.ErrNotFound) {
		t.Errorf("the installation's volume: %v, want %v", err, agent.ErrNotFound)
	}
	if _, err := e.Volume(t.Context(), other); err != nil {
		t.Errorf("another installation's volume: %v", err)
	}
	if err := e.RemoveVolumes(t.Context()); err != nil {
		t.Errorf("again: %v", err)
	}
}
