// Package acsproto holds the messages of Amazon's agent protocol (ACS and TCS) as they go over the websocket, and reads and writes their frames.
package acsproto

import "encoding/json"

// Version is the protocolVersion of the ACS handshake. 2: the server closes a connection whose heartbeat acks stop coming.
const Version = 2

// Message is one ACS or TCS message of either direction.
type Message interface{ Type() string }

// Heartbeat is sent by the server at least every minute; the agent acks it.
type Heartbeat struct {
	MessageID string `json:"messageId,omitempty"`
	Healthy   bool   `json:"healthy"`
}

// HeartbeatAck answers a Heartbeat.
type HeartbeatAck struct {
	MessageID string `json:"messageId"`
}

// Payload tells the agent which tasks to run and which to stop. Tasks to stop are applied first, whatever their order.
type Payload struct {
	MessageID         string `json:"messageId"`
	Cluster           string `json:"clusterArn"`
	ContainerInstance string `json:"containerInstanceArn"`
	GeneratedAt       int64  `json:"generatedAt"` // Unix milliseconds
	SeqNum            int64  `json:"seqNum"`
	Timeline          int64  `json:"timeline,omitempty"`
	Tasks             []Task `json:"tasks"`
}

// Ack says that all tasks of a payload, or a manifest, were taken.
type Ack struct {
	Cluster           string `json:"cluster"`
	ContainerInstance string `json:"containerInstance"`
	MessageID         string `json:"messageId"`
}

// Nack refuses a message.
type Nack struct {
	Cluster           string `json:"cluster"`
	ContainerInstance string `json:"containerInstance"`
	MessageID         string `json:"messageId"`
	Reason            string `json:"reason"`
}

// TaskManifest lists every task that should be on the instance. An agent discards one whose Timeline is not above all that it has seen.
type TaskManifest struct {
	MessageID         string         `json:"messageId"`
	Cluster           string         `json:"clusterArn"`
	ContainerInstance string         `json:"containerInstanceArn"`
	GeneratedAt       int64          `json:"generatedAt"`
	Timeline          int64          `json:"timeline"`
	Tasks             []ManifestTask `json:"tasks"`
}

// ManifestTask is a task's line in a manifest and in the stop verification.
type ManifestTask struct {
	Task          string `json:"taskArn"`
	Cluster       string `json:"taskClusterArn"`
	DesiredStatus string `json:"desiredStatus"`
}

// TaskStopVerification asks about tasks that run although the manifest does not list them.
type TaskStopVerification struct {
	MessageID      string         `json:"messageId"` // the manifest's
	StopCandidates []ManifestTask `json:"stopCandidates"`
}

// TaskStopVerificationAck names the candidates that must stop.
type TaskStopVerificationAck struct {
	MessageID   string         `json:"messageId"` // the latest manifest's
	GeneratedAt int64          `json:"generatedAt"`
	StopTasks   []ManifestTask `json:"stopTasks"`
}

// RoleCredentials are a task's credentials. CredentialsID stays the same for the life of the task.
type RoleCredentials struct {
	CredentialsID   string `json:"credentialsId"`
	RoleARN         string `json:"roleArn"`
	AccessKeyID     string `json:"accessKeyId"`
	SecretAccessKey string `json:"secretAccessKey"`
	SessionToken    string `json:"sessionToken"`
	Expiration      string `json:"expiration"` // RFC 3339
}

// The kinds of a task's credentials, RoleType.
const (
	TaskApplication = "TaskApplication" // of the task role, for its containers
	TaskExecution   = "TaskExecution"   // of the task execution role, for the agent
)

// IAMRoleCredentials brings new credentials of a running task. RoleType is TaskApplication or TaskExecution.
type IAMRoleCredentials struct {
	MessageID   string          `json:"messageId"`
	Task        string          `json:"taskArn"`
	TaskCluster string          `json:"taskClusterArn"`
	RoleType    string          `json:"roleType"`
	Credentials RoleCredentials `json:"roleCredentials"`
}

// IAMRoleCredentialsAck answers IAMRoleCredentials, and every set of credentials in a payload.
type IAMRoleCredentialsAck struct {
	CredentialsID string `json:"credentialsId"`
	Expiration    string `json:"expiration"`
	MessageID     string `json:"messageId"`
}

// Unknown is a message whose type this package does not know. Both ends log it and go on.
type Unknown struct {
	Name string
	Body json.RawMessage
}

func (Heartbeat) Type() string               { return "HeartbeatMessage" }
func (HeartbeatAck) Type() string            { return "HeartbeatAckRequest" }
func (Payload) Type() string                 { return "PayloadMessage" }
func (Ack) Type() string                     { return "AckRequest" }
func (Nack) Type() string                    { return "NackRequest" }
func (TaskManifest) Type() string            { return "TaskManifestMessage" }
func (TaskStopVerification) Type() string    { return "TaskStopVerificationMessage" }
func (TaskStopVerificationAck) Type() string { return "TaskStopVerificationAck" }
func (IAMRoleCredentials) Type() string      { return "IAMRoleCredentialsMessage" }
func (IAMRoleCredentialsAck) Type() string   { return "IAMRoleCredentialsAckRequest" }
func (Network) Type() string                 { return "BerthNetworkMessage" }
func (u Unknown) Type() string               { return u.Name }
