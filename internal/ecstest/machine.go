package ecstest

import (
	"context"
	"fmt"
	"sync"
	"time"

	"berth/internal/agent"
	"berth/internal/agent/agenttest"
)

// machine is a machine with its engine and its agent process.
type machine struct {
	world  *world
	number int
	engine *agenttest.Engine
	ledger *agenttest.Ledger
	wire   *wire

	mu     sync.Mutex
	stop   context.CancelFunc // nil before an agent ran
	done   chan struct{}
	killed bool // stop was called
	left   int  // steps until it is killed, 0 for never
}

func (w *world) newMachine(n int) *machine {
	m := &machine{world: w, number: n, engine: agenttest.NewEngine("test"), ledger: &agenttest.Ledger{}, wire: newWire(n, w.dial)}
	m.engine.Cut, m.ledger.Cut = m.cut, m.cut
	for name, i := range images {
		m.engine.AddImage(name, i)
	}
	return m
}

func (m *machine) accessKey() string { return fmt.Sprintf("%s%02d", agentKeys[:18], m.number) }

// cut is asked at every step that reaches outside the agent.
func (m *machine) cut(string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.left > 0 {
		if m.left--; m.left == 0 && m.stop != nil {
			m.killed = true
			m.stop()
		}
	}
}

// start starts the agent's process where none runs.
func (m *machine) start() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.stop != nil {
		select {
		case <-m.done:
		default:
			return
		}
	}
	a, err := agent.New(agent.Config{
		Installation: "test", Endpoints: []string{"http://berth"}, Region: region, Version: "1.105.0", Hash: "simulated", Engine: m.engine.Seam(), Ledger: m.ledger,
		HTTPClient: m.wire.client(), Log: m.world.log.With("agent", m.number),
		Instances: []agent.InstanceConfig{{
			Name: "one", Cluster: "default", CPUUnits: 1024, MemoryMiB: 1024, Zone: region + string(rune('a'+m.number%3)),
			AccessKey: m.accessKey(), SecretKey: "secret",
		}},
	})
	if err != nil {
		m.world.watch.wrong("agent", "agent %d does not start: %v", m.number, err)
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	m.stop, m.done, m.killed, m.left = cancel, done, false, 0
	go func() {
		defer close(done)
		if err := a.Run(ctx); err != nil && ctx.Err() == nil {
			m.world.watch.wrong("agent", "agent %d ended: %v", m.number, err)
		}
	}()
}

// kill ends the agent's process: now, or at its nth next step.
func (m *machine) kill(n int) {
	m.mu.Lock()
	if n > 0 {
		m.left = n
		m.mu.Unlock()
		return
	}
	stop := m.stop
	m.killed = true
	m.mu.Unlock()
	if stop != nil {
		stop()
	}
	m.wire.cut()
}

// awaitEnd waits until an agent process that was told to end has done so.
func (m *machine) awaitEnd() {
	m.mu.Lock()
	done, killed := m.done, m.killed
	m.mu.Unlock()
	if !killed {
		return
	}
	select {
	case <-done:
	case <-time.After(time.Minute):
		m.world.watch.wrong("agent", "agent %d does not end", m.number)
	}
}

// down reports whether no agent process runs.
func (m *machine) down() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	select {
	case <-m.done:
		return true
	default:
		return false
	}
}
