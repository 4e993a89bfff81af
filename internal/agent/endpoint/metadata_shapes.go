package endpoint

import (
	"time"
)

// taskAnswer is the metadata of a task. What only version 4 has is marked.
type taskAnswer struct {
	Cluster               string
	TaskARN               string
	Family                string
	Revision              string
	DesiredStatus         string
	KnownStatus           string
	Containers            []containerAnswer `json:",omitempty"`
	Limits                *taskLimits       `json:",omitempty"`
	PullStartedAt         *time.Time        `json:",omitempty"`
	PullStoppedAt         *time.Time        `json:",omitempty"`
	ExecutionStoppedAt    *time.Time        `json:",omitempty"`
	AvailabilityZone      string            `json:",omitempty"`
	TaskTags              map[string]string `json:",omitempty"`
	ContainerInstanceTags map[string]string `json:",omitempty"`
	Errors                []tagError        `json:",omitempty"` // 4
	LaunchType            string            `json:",omitempty"` // 4
	VPCID                 string            `json:",omitempty"` // 4
	ServiceName           string            `json:",omitempty"` // 4
	ClockDrift            *clockDrift       `json:",omitempty"` // 4, of Fargate
	EphemeralStorage      *ephemeralStorage `json:"EphemeralStorageMetrics,omitempty"`
	FaultInjectionEnabled *bool             `json:",omitempty"` // 4
}

// taskLimits are a task's: CPU in vCPUs, memory in MiB.
type taskLimits struct {
	CPU    float64 `json:",omitempty"`
	Memory int64   `json:",omitempty"`
}

// containerLimits are a container's: CPU in CPU units, memory in MiB.
type containerLimits struct {
	CPU    float64
	Memory int64
}

// clockDrift is the machine's clock against its sources of time. The bound is in milliseconds.
type clockDrift struct {
	ClockErrorBound            float64
	ReferenceTimestamp         time.Time
	ClockSynchronizationStatus string
}

// ephemeralStorage is in MiB.
type ephemeralStorage struct{ Utilized, Reserved int64 }

// tagError says which tags are missing, and why.
type tagError struct {
	ErrorField   string
	ErrorCode    string
	ErrorMessage string
	StatusCode   int
	RequestID    string `json:"RequestId"`
	ResourceARN  string
}

// containerAnswer is the metadata of a container.
type containerAnswer struct {
	DockerID      string `json:"DockerId"`
	Name          string
	DockerName    string
	Image         string
	ImageID       string
	Ports         []portAnswer      `json:",omitempty"`
	Labels        map[string]string `json:",omitempty"`
	DesiredStatus string
	KnownStatus   string
	ExitCode      *int `json:",omitempty"`
	Limits        containerLimits
	CreatedAt     *time.Time `json:",omitempty"`
	StartedAt     *time.Time `json:",omitempty"`
	FinishedAt    *time.Time `json:",omitempty"`
	Type          string
	Networks      []networkAnswer   `json:",omitempty"`
	Health        *healthAnswer     `json:",omitempty"`
	Volumes       []volumeAnswer    `json:",omitempty"`
	LogDriver     string            `json:",omitempty"` // 4
	LogOptions    map[string]string `json:",omitempty"` // 4
	ContainerARN  string            `json:",omitempty"` // 4
	RestartCount  *int              `json:",omitempty"` // 4
	Snapshotter   string            `json:",omitempty"` // 4, of Fargate
}

type portAnswer struct {
	ContainerPort int32
	Protocol      string
	HostPort      int32  `json:",omitempty"`
	HostIP        string `json:"HostIp,omitempty"` // 4
}

type healthAnswer struct {
	Status   string     `json:"status"`
	Since    *time.Time `json:"statusSince,omitempty"`
	ExitCode int        `json:"exitCode,omitempty"` // of the last probe
	Output   string     `json:"output,omitempty"`
}

type volumeAnswer struct {
	DockerName  string `json:",omitempty"`
	Source      string `json:",omitempty"`
	Destination string `json:",omitempty"`
}

// networkAnswer is a network of a container. What comes after the addresses is version 4's, in awsvpc mode.
type networkAnswer struct {
	NetworkMode          string
	IPv4Addresses        []string `json:",omitempty"`
	IPv6Addresses        []string `json:",omitempty"`
	AttachmentIndex      *int     `json:",omitempty"`
	MACAddress           string   `json:",omitempty"`
	IPv4SubnetCIDRBlock  string   `json:",omitempty"`
	DomainNameServers    []string `json:",omitempty"`
	DomainNameSearchList []string `json:",omitempty"`
	PrivateDNSName       string   `json:",omitempty"`
	SubnetGateway        string   `json:"SubnetGatewayIpv4Address,omitempty"`
}

// associationsAnswer are the names of a container's devices of a type.
type associationsAnswer struct{ Associations []string }

func momentOrNil(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}
