package acsproto

// Metadata heads every message of the telemetry session. Fin marks the last message of a round.
type Metadata struct {
	Cluster           string `json:"cluster"`
	ContainerInstance string `json:"containerInstance"`
	MessageID         string `json:"messageId,omitempty"`
	RequestID         string `json:"requestId,omitempty"`
	Idle              bool   `json:"idle"`
	Fin               bool   `json:"fin"`
}

// PublishMetrics carries samples of CPU and memory, at connect and then every 20 s, at most ten tasks a message.
type PublishMetrics struct {
	Metadata    Metadata      `json:"metadata"`
	Timestamp   float64       `json:"timestamp"` // Unix seconds
	TaskMetrics []TaskMetrics `json:"taskMetrics,omitempty"`
}

// TaskMetrics are the samples of one task.
type TaskMetrics struct {
	Task       string             `json:"taskArn"`
	Family     string             `json:"taskDefinitionFamily"`
	Revision   string             `json:"taskDefinitionVersion"`
	Containers []ContainerMetrics `json:"containerMetrics"`
}

// ContainerMetrics are the samples of one container. CPU is percent of the whole machine, memory is MiB without cache.
type ContainerMetrics struct {
	Name   string   `json:"containerName"`
	CPU    StatsSet `json:"cpuStatsSet"`
	Memory StatsSet `json:"memoryStatsSet"`

	Restarts *RestartStats `json:"restartStatsSet,omitempty"` // of containers with a restart policy
}

// RestartStats is how often a container was started again within the round.
type RestartStats struct {
	Count int64 `json:"restartCount"`
}

// StatsSet sums samples up.
type StatsSet struct {
	Max         float64 `json:"max"`
	Min         float64 `json:"min"`
	SampleCount int64   `json:"sampleCount"`
	Sum         float64 `json:"sum"`
}

// PublishHealth carries the health of containers with a health check, every 20 s and at a change.
type PublishHealth struct {
	Metadata  Metadata     `json:"metadata"`
	Timestamp float64      `json:"timestamp"`
	Tasks     []TaskHealth `json:"tasks"`
}

// TaskHealth is the health of one task's containers.
type TaskHealth struct {
	Task       string            `json:"taskArn"`
	Family     string            `json:"taskDefinitionFamily"`
	Revision   string            `json:"taskDefinitionVersion"`
	Containers []ContainerHealth `json:"containers"`
}

// ContainerHealth is HEALTHY, UNHEALTHY or UNKNOWN since StatusSince (Unix seconds).
type ContainerHealth struct {
	Name        string  `json:"containerName"`
	Status      string  `json:"healthStatus"`
	StatusSince float64 `json:"statusSince"`
}

// PublishInstanceStatus carries the result of the agent's own checks.
type PublishInstanceStatus struct {
	Metadata  Metadata         `json:"metadata"`
	Timestamp float64          `json:"timestamp"`
	Statuses  []InstanceStatus `json:"statuses"`
}

// InstanceStatus is one check: Kind ContainerRuntime; Status OK, IMPAIRED, INITIALIZING or INSUFFICIENT_DATA.
type InstanceStatus struct {
	Kind             string  `json:"type"`
	Status           string  `json:"status"`
	LastStatusChange float64 `json:"lastStatusChange"`
	LastUpdated      float64 `json:"lastUpdated"`
}

// AckPublishMetric, AckPublishHealth and AckPublishInstanceStatus answer the three publications.
type (
	AckPublishMetric struct {
		Message string `json:"message"`
	}
	AckPublishHealth struct {
		Message string `json:"message"`
	}
	AckPublishInstanceStatus struct {
		Message string `json:"message"`
	}
)

func (PublishMetrics) Type() string           { return "PublishMetricsRequest" }
func (PublishHealth) Type() string            { return "PublishHealthRequest" }
func (PublishInstanceStatus) Type() string    { return "PublishInstanceStatusRequest" }
func (AckPublishMetric) Type() string         { return "AckPublishMetric" }
func (AckPublishHealth) Type() string         { return "AckPublishHealth" }
func (AckPublishInstanceStatus) Type() string { return "AckPublishInstanceStatus" }
