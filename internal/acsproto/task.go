package acsproto

// Task is a task of a payload: to run (all fields) or to stop (ARN and DesiredStatus are enough).
type Task struct {
	ARN                      string                    `json:"arn"`
	Cluster                  string                    `json:"taskClusterArn,omitempty"`
	DesiredStatus            string                    `json:"desiredStatus"` // RUNNING or STOPPED
	Family                   string                    `json:"family,omitempty"`
	Version                  string                    `json:"version,omitempty"` // the revision, as text
	CPU                      float64                   `json:"cpu,omitempty"`     // vCPU: 0.5 is 512 CPU units
	MemoryMiB                int64                     `json:"memory,omitempty"`
	NetworkMode              string                    `json:"networkMode,omitempty"`
	PidMode                  string                    `json:"pidMode,omitempty"`
	IpcMode                  string                    `json:"ipcMode,omitempty"`
	LaunchType               string                    `json:"launchType,omitempty"`
	ServiceName              string                    `json:"serviceName,omitempty"`
	Group                    string                    `json:"group,omitempty"`
	Overrides                string                    `json:"overrides,omitempty"` // always "{}": overrides are merged before
	Volumes                  []Volume                  `json:"volumes,omitempty"`
	Associations             []Association             `json:"associations,omitempty"`
	Interfaces               []ElasticNetworkInterface `json:"elasticNetworkInterfaces,omitempty"` // in awsvpc mode
	EphemeralStorageGiB      int64                     `json:"berthEphemeralStorageGiB,omitempty"` // what the task may fill, 0 without a bound; for Berth's own agent
	RoleCredentials          *RoleCredentials          `json:"roleCredentials,omitempty"`
	ExecutionRoleCredentials *RoleCredentials          `json:"executionRoleCredentials,omitempty"`
	Containers               []Container               `json:"containers,omitempty"`
}

// Container is one container of a payload's task. What has no field of its own is in DockerConfig.
type Container struct {
	Name             string            `json:"name"`
	Image            string            `json:"image"`
	Essential        bool              `json:"essential"`
	Command          []string          `json:"command,omitempty"`
	EntryPoint       []string          `json:"entryPoint,omitempty"`
	CPUUnits         int64             `json:"cpu"`
	MemoryMiB        int64             `json:"memory"` // hard limit, 0 is none
	Environment      map[string]string `json:"environment,omitempty"`
	Overrides        string            `json:"overrides,omitempty"`
	PortMappings     []PortMapping     `json:"portMappings,omitempty"`
	Links            []string          `json:"links,omitempty"`
	VolumesFrom      []VolumeFrom      `json:"volumesFrom,omitempty"`
	MountPoints      []MountPoint      `json:"mountPoints,omitempty"`
	DependsOn        []DependsOn       `json:"dependsOn,omitempty"`
	StartTimeout     int64             `json:"startTimeout,omitempty"` // seconds
	StopTimeout      int64             `json:"stopTimeout,omitempty"`  // seconds
	HealthCheckType  string            `json:"healthCheckType,omitempty"`
	RestartPolicy    *RestartPolicy    `json:"restartPolicy,omitempty"`
	Firelens         *Firelens         `json:"firelensConfiguration,omitempty"`
	Secrets          []Secret          `json:"secrets,omitempty"`
	EnvironmentFiles []EnvironmentFile `json:"environmentFiles,omitempty"`
	ContainerARN     string            `json:"containerArn,omitempty"`
	// RegistryAuthentication is nil where the image's registry takes everybody.
	RegistryAuthentication *RegistryAuthentication `json:"registryAuthentication,omitempty"`
	DockerConfig           DockerConfig            `json:"dockerConfig"`
}

// Secret is a value that the agent reads with the task's execution role, and gives to a container.
type Secret struct {
	Name      string `json:"name"`      // of the variable, or of the log driver's option
	ValueFrom string `json:"valueFrom"` // ARN of a secret, with what is meant of it; ARN or name of a parameter
	Region    string `json:"region"`
	Type      string `json:"type"`     // ENVIRONMENT_VARIABLE, for options too
	Provider  string `json:"provider"` // asm (Secrets Manager) or ssm (Parameter Store)
	Target    string `json:"target"`   // CONTAINER or LOG_DRIVER; "" is CONTAINER
}

// The providers, targets and the type of secrets.
const (
	ProviderSecretsManager = "asm"
	ProviderParameterStore = "ssm"
	TargetContainer        = "CONTAINER"
	TargetLogDriver        = "LOG_DRIVER"
	EnvironmentVariable    = "ENVIRONMENT_VARIABLE"
)

// EnvironmentFile is a file of variables for a container, which the agent reads with the task's execution role.
type EnvironmentFile struct {
	Value string `json:"value"` // ARN of an object of S3
	Type  string `json:"type"`  // s3
}

// Firelens makes a container the task's log router.
type Firelens struct {
	Type    string            `json:"type"` // fluentd or fluentbit
	Options map[string]string `json:"options,omitempty"`
}

// RestartPolicy has the agent start a container again that ended, without end of the task.
type RestartPolicy struct {
	Enabled              bool    `json:"enabled"`
	IgnoredExitCodes     []int32 `json:"ignoredExitCodes,omitempty"`
	RestartAttemptPeriod int64   `json:"restartAttemptPeriod,omitempty"` // seconds that it must have run for
}

// DockerConfig is laid over the generated Docker configuration. Config and HostConfig are JSON text in Docker Engine API spelling.
type DockerConfig struct {
	Config     string `json:"config,omitempty"`
	HostConfig string `json:"hostConfig,omitempty"`
	Version    string `json:"version,omitempty"` // lowest Docker API version needed
}

// PortMapping publishes a container port, or a range of them; HostPort 0 lets the agent choose.
type PortMapping struct {
	ContainerPort      int32  `json:"containerPort,omitempty"`
	ContainerPortRange string `json:"containerPortRange,omitempty"` // "8000-8010"
	HostPort           int32  `json:"hostPort"`
	Protocol           string `json:"protocol"` // tcp or udp
}

// VolumeFrom mounts the volumes of another container.
type VolumeFrom struct {
	SourceContainer string `json:"sourceContainer"`
	ReadOnly        bool   `json:"readOnly"`
}

// MountPoint mounts a task's volume.
type MountPoint struct {
	SourceVolume  string `json:"sourceVolume"`
	ContainerPath string `json:"containerPath"`
	ReadOnly      bool   `json:"readOnly"`
}

// DependsOn delays a container until another fulfils Condition: START, COMPLETE, SUCCESS or HEALTHY.
type DependsOn struct {
	ContainerName string `json:"containerName"`
	Condition     string `json:"condition"`
}

// Association gives a device to containers.
type Association struct {
	Name       string   `json:"name"` // the device's id
	Type       string   `json:"type"` // gpu
	Containers []string `json:"containers"`
}

// Volume is a task's volume: a bind mount where Host.SourcePath is set, a volume of the engine where Docker is, else a fresh volume for the
// task.
type Volume struct {
	Name   string        `json:"name"`
	Type   string        `json:"type,omitempty"` // "host" where empty, or "docker"
	Host   HostVolume    `json:"host"`
	Docker *DockerVolume `json:"dockerVolumeConfiguration,omitempty"`
}

// DockerVolume is a volume of the engine's. One of scope "shared" has the volume's own name and outlives the task.
type DockerVolume struct {
	Scope         string            `json:"scope,omitempty"` // "task" or "shared"
	Autoprovision bool              `json:"autoprovision"`   // a shared volume that is not there is made
	Driver        string            `json:"driver,omitempty"`
	DriverOpts    map[string]string `json:"driverOpts,omitempty"`
	Labels        map[string]string `json:"labels,omitempty"`
}

// HostVolume says where on the machine a volume is.
type HostVolume struct {
	SourcePath string `json:"sourcePath,omitempty"`
}
