package agent

import (
	"sync"
	"time"

	"berth/internal/acsproto"
)

// The statuses of an instance's container runtime.
const (
	statusOK           = "OK"
	statusImpaired     = "IMPAIRED"
	statusInitializing = "INITIALIZING"
)

// condition is whether the engine answers.
type condition struct {
	mu      sync.Mutex
	status  string
	changed time.Time
	updated time.Time
}

// set records a look at the engine and returns the status before.
func (c *condition) set(now time.Time, status string) (before string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	before = c.status
	if before != status {
		c.status, c.changed = status, now
	}
	c.updated = now
	return before
}

// report is the condition in the protocol's words.
func (c *condition) report() []acsproto.InstanceStatus {
	c.mu.Lock()
	defer c.mu.Unlock()
	return []acsproto.InstanceStatus{{Kind: "ContainerRuntime", Status: c.status, LastStatusChange: seconds(c.changed), LastUpdated: seconds(c.updated)}}
}

// seconds is a time as the protocol writes it.
func seconds(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }
