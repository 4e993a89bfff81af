package agenttest_test

import (
	"errors"
	"testing"

	"github.com/moby/moby/api/types/container"

	"berth/internal/agent"
	"berth/internal/agent/agenttest"
)

func TestEngine(t *testing.T) {
	agenttest.RunEngine(t, func(t *testing.T) agenttest.Rig {
		e := agenttest.NewEngine("suite")
		e.AddImage("polite", agenttest.Image{})
		e.AddImage("stubborn", agenttest.Image{Stubborn: true})
		e.AddImage("brief", agenttest.Image{Runs: 1, ExitCode: 3})
		e.AddImage("broken", agenttest.Image{StartError: errors.New("no such program")})
		return agenttest.Rig{Engine: e.Seam(), Installation: "suite", LocalImage: "polite", Spec: func(k agenttest.Kind) agent.Spec {
			return agent.Spec{Config: &container.Config{Image: string(k)}}
		}}
	})
}
