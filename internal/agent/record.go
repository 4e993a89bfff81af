package agent

import (
	"encoding/json"
	"fmt"
	"time"

	"berth/internal/acsproto"
)

// Phase is how far a container has come. It only moves forward, but that one whose restart policy repeats it is created again. A container is
// started in phase created only.
type Phase int

// The phases of a container.
const (
	Waiting  Phase = iota // for its dependencies, or its image
	Pulled                // the image is there
	Starting              // written down before the engine is asked to create it
	Made                  // created in the engine; its id is written down before the engine is asked to start it
	Up                    // started
	Ended                 // stopped, or never started and never to start
)

func (p Phase) String() string {
	return [...]string{"waiting", "pulled", "starting", "created", "running", "stopped"}[p]
}

// Record is everything that is known of one task. It is kept in the ledger until the task is stopped, reported and cleaned up.
type Record struct {
	Task     acsproto.Task // as ordered, without credentials
	Instance string        // the local name of the container instance
	Stop     bool          // desired status STOPPED
	Orphan   bool          // of an instance that the control plane does not know any more: nothing is reported
	Adopted  bool          // made from the labels of containers: what is not running there is not known
	Reason   string        // of the task itself, where it could not be run at all
	Network  string        // bridge, host, none or awsvpc
	Attached bool          // in awsvpc mode: it has its network interface
	Bereft   bool          `json:"-"` // it lost its network interface, and is to have it again
	Detached bool          // in awsvpc mode: it has it no more
	Endpoint string        // the id under which its containers reach an agent that was before endpoints of containers

	Roles Roles // ids of its credentials

	vended map[string]vended // the credentials that it was ordered with: for newTask

	PullStartedAt, PullStoppedAt time.Time
	ExecutionStoppedAt           time.Time // when an essential container stopped, or the last one
	StoppedAt                    time.Time // when the last container stopped

	Containers []Container

	StoredMiB int64 // of its ephemeral storage, by the last look at it
	Outgrown  bool  // it is stopped because that was too much: its containers have little time

	Accepted string // digest of the last report that the control plane accepted
	Closed   bool   // the control plane has accepted that the task stopped
}

// Container is everything that is known of one container of a task.
type Container struct {
	Name        string
	Phase       Phase
	ID          string // the engine's, from phase created on
	Endpoint    string // the id under which it reaches the agent, from phase starting on; "" where it does not
	Facts       *Facts `json:",omitempty"` // what the engine knows of it, from its start on
	Probe       *Probe `json:",omitempty"` // of its health check, the last one that was seen of this health
	ImageDigest string
	ExitCode    *int
	Reason      string
	HostPorts   []int32 // the first of each mapping for which the agent chooses, in their order
	Bindings    []Binding
	StartedAt   time.Time
	FinishedAt  time.Time
	StopSent    bool   // the agent has asked the engine to stop it
	Doomed      bool   // its start went wrong half way: stop it, whatever the task wants
	Health      string // HEALTHY, UNHEALTHY or UNKNOWN; "" without a health check
	HealthSince time.Time
	Restarts    int // how often it was started again; ExitCode and FinishedAt are then of the last run that ended

	Busy   bool      `json:"-"` // a step is under way
	Unseen bool      `json:"-"` // what the engine has of it must be looked at before anything else is done
	OOMAt  time.Time `json:"-"` // when the engine told of memory running out

	Revived bool `json:"-"` // it has ended, or a step under way may find that it has, and the engine told that it runs after that

	diedEarly *Event // came while its start was under way
	untold    int64  // restarts that telemetry has not told
}

// ledger keys.
const (
	taskPrefix     = "task/"
	instancePrefix = "instance/"
)

func (r *Record) encode() ([]byte, error) {
	b, err := json.Marshal(r)
	if err != nil {
		return nil, fmt.Errorf("encode task %s: %w", r.Task.ARN, err)
	}
	return b, nil
}

// decodeRecord reads a kept record. What the engine has of its containers is not known any more.
func decodeRecord(value []byte) (*Record, error) {
	var r Record
	if err := json.Unmarshal(value, &r); err != nil {
		return nil, fmt.Errorf("decode kept task: %w", err)
	}
	for i := range r.Containers {
		c := &r.Containers[i]
		if c.Phase < Waiting || c.Phase > Ended {
			return nil, fmt.Errorf("decode kept task %s: container %s has phase %d", r.Task.ARN, c.Name, int(c.Phase))
		}
		c.Unseen = c.Phase >= Starting && c.Phase < Ended
	}
	return &r, nil
}

// container finds a container by name, nil if the task has none of that name.
func (r *Record) container(name string) *Container {
	for i := range r.Containers {
		if r.Containers[i].Name == name {
			return &r.Containers[i]
		}
	}
	return nil
}

// ordered finds what was ordered of a container.
func (r *Record) ordered(name string) acsproto.Container {
	for _, c := range r.Task.Containers {
		if c.Name == name {
			return c
		}
	}
	return acsproto.Container{Name: name}
}

// Stopped says whether every container has stopped, for good.
func (r *Record) Stopped() bool {
	return r.ended() && r.stopping() && (!r.networked() || r.Detached || len(r.Task.Interfaces) == 0)
}

// stopping says whether the task is on its way to stop.
func (r *Record) stopping() bool { return r.Stop || !r.ExecutionStoppedAt.IsZero() }

// end makes a container stopped.
func (c *Container) end(now time.Time, exit *int, reason string) {
	c.Phase, c.FinishedAt, c.ExitCode, c.Unseen = Ended, now, exit, false
	if c.Reason == "" {
		c.Reason = reason
	}
}
