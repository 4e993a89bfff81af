package agent

import (
	"context"
	"errors"
	"time"

	"github.com/moby/moby/api/types/container"
)

// Engine is the container engine of the machine. Every method may fail with ErrUnavailable: then nothing is known about what it did.
type Engine struct {
	Containers
	Images
	Volumes
	Runtime
}

// Containers creates, runs and removes containers. Containers are named by id or name.
type Containers interface {
	// Create makes a container and does not start it. ErrNameTaken: one with this name exists. ErrNotFound: the image does not.
	Create(ctx context.Context, s Spec) (id string, err error)
	// Start starts a created container; one that runs already is no error. It starts one that exited once more, so ask for that only where a
	// restart policy says so.
	Start(ctx context.Context, id string) error
	// Stop asks with SIGTERM, or the image's own signal, and kills after the grace period. It returns when the container has ended;
	// one that had ended before, or that does not exist, is no error.
	Stop(ctx context.Context, id string, grace time.Duration) error
	// Remove ends and removes a container with its anonymous volumes. One that does not exist is no error.
	Remove(ctx context.Context, id string) error
	// Inspect looks at one container. ErrNotFound: there is none.
	Inspect(ctx context.Context, id string) (Observed, error)
	// Stats reads what a running container has used so far, without the sample before. ErrNotFound: there is none.
	Stats(ctx context.Context, id string) (container.StatsResponse, error)
}

// Images looks for images and pulls them.
type Images interface {
	// Image looks for a local image. ErrNotFound: there is none.
	Image(ctx context.Context, ref string) (Image, error)
	// Pull fetches an image, logged in to its registry with l unless that is empty; its errors are the registry's.
	Pull(ctx context.Context, ref string, l Login) error
}

// Volumes makes and removes named volumes.
type Volumes interface {
	// Volume looks at a volume. ErrNotFound: there is none.
	Volume(ctx context.Context, name string) (Volume, error)
	// CreateVolume makes a volume. One that is there and has the same driver is no error.
	CreateVolume(ctx context.Context, v Volume) error
	// RemoveVolume removes a volume. One that does not exist is no error.
	RemoveVolume(ctx context.Context, name string) error
}

// Volume is a named volume. Driver "" is the engine's own.
type Volume struct {
	Name    string
	Driver  string
	Options map[string]string
	Labels  map[string]string
}

// Runtime is what an engine tells about itself and about all containers of the installation.
type Runtime interface {
	Machine(ctx context.Context) (Machine, error)
	// List returns all containers of the installation, running or not. ExitCode, OOMKilled, times, health, bindings and facts are not filled in,
	// and State may be a moment behind the events.
	List(ctx context.Context) ([]Observed, error)
	// Watch calls ready when it hears of every event from then on, and then each for one event of the installation's containers after the
	// other, until ctx ends or the stream breaks. Events from shortly before may come too: none is lost between List and Watch.
	Watch(ctx context.Context, ready func(), each func(Event)) error
}

// What an Engine's errors can be told apart by. Everything else is the engine's refusal, in its own words.
var (
	ErrUnavailable = errors.New("the container engine does not answer")
	ErrNotFound    = errors.New("no such container, image or volume")
	ErrNameTaken   = errors.New("the container name is taken")
)

// Spec is a container to create.
type Spec struct {
	Name       string
	Config     *container.Config
	HostConfig *container.HostConfig
}

// State is the state of a container in the engine.
type State int

// The states of a container. Paused is Running, dead is Exited.
const (
	Created State = iota
	Running
	Exited
)

func (s State) String() string { return [...]string{"created", "running", "exited"}[s] }

// Observed is a container as the engine sees it.
type Observed struct {
	ID, Name   string
	Labels     map[string]string
	State      State
	ExitCode   int
	OOMKilled  bool // the engine's flag, which is also set for innocent containers of a task that ran out of memory
	StartedAt  time.Time
	FinishedAt time.Time
	Health     string // HEALTHY, UNHEALTHY, UNKNOWN; "" without a health check
	Bindings   []Binding
	PID        int    // of its first process in the machine's namespace, 0 where it does not run
	Address    string // on the engine's own bridge, "" where it is not on it or does not run
	Facts      *Facts
	Probe      *Probe // the last one of its health check, nil if there was none
}

// Binding is a container port that is published at HostIP:HostPort.
type Binding struct {
	HostIP        string
	ContainerPort int32
	HostPort      int32
	Protocol      string // tcp or udp
}

// Image is a local image. Digest is the registry's, "" of an image that never came from one.
type Image struct {
	ID     string
	Digest string
}

// EventKind says what happened to a container.
type EventKind int

// The events that an agent acts on.
const (
	Started EventKind = iota
	Died
	OutOfMemory
	HealthChanged
	Destroyed
)

func (k EventKind) String() string {
	return [...]string{"started", "died", "out of memory", "health changed", "destroyed"}[k]
}

// Event is one thing that happened to a container.
type Event struct {
	Kind     EventKind
	ID       string
	Labels   map[string]string
	ExitCode int    // of Died
	Health   string // of HealthChanged: HEALTHY or UNHEALTHY
	At       time.Time
}

// Machine is what the engine knows about itself and the machine.
type Machine struct {
	Version                   string // of the engine
	APIVersion, APIMinVersion string
	LogDrivers                []string // those that can be used here
	VolumeDrivers             []string
	Runtimes                  []string // runc, nvidia
	SecurityOptions           []string // apparmor, selinux, seccomp
	CgroupDriver              string   // cgroupfs or systemd
	CgroupVersion             int      // 1 or 2
	OSType                    string   // linux
	Architecture              string   // x86_64 or arm64
	CPUs                      int
	MemoryBytes               int64
	LiveRestore               bool
	DataRoot                  string // the directory in which the engine keeps everything
}
