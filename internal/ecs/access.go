package ecs

import (
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/arn"
)

// Credential is an access key. Its secret is sealed with the installation's key file. Written by: access; RegisterContainerInstance (Instance,
// UnboundSince); the sweep (UnboundSince).
type Credential struct {
	AccessKeyID  string `json:"accessKeyId"`
	SealedSecret []byte
	Account      string
	Principal    string       // "administrator" or "container-instance"
	Cluster      arn.Cluster  // a container instance's cluster
	Instance     arn.Instance // the container instance that registered with it
	// InstanceProfile is the name of the instance profile whose role it has, "" for none: then it may make an agent's own calls and no others.
	InstanceProfile string
	UnboundSince    *time.Time // since when that one is gone, as the sweep has seen it
	CreatedAt       time.Time
	Unknown         Unknown
}

func (*Credential) Kind() Kind    { return KindCredential }
func (c *Credential) Key() string { return c.AccessKeyID }

// JoinToken lets one machine trade it for a container instance's credential, once. Only its hash is kept.
type JoinToken struct {
	Hash            string // SHA-256 of the token, hexadecimal
	Cluster         arn.Cluster
	InstanceProfile string // of the credential
	ExpiresAt       time.Time
	Unknown         Unknown
}

func (*JoinToken) Kind() Kind    { return KindJoinToken }
func (t *JoinToken) Key() string { return t.Hash }

// ClientRequest remembers a request with a clientToken, so that a repeat gets the first one's answer. Kept for a day.
type ClientRequest struct {
	ID        string `json:"id"` // operation, cluster and token
	Input     string // hash of the request
	Tasks     []arn.Task
	Failures  []types.Failure
	CreatedAt time.Time
	Unknown   Unknown
}

func (*ClientRequest) Kind() Kind    { return KindClientRequest }
func (r *ClientRequest) Key() string { return r.ID }

// Setting is a fact about the whole installation: its id, when it was restored from a snapshot.
type Setting struct {
	Name    string
	Value   string
	Unknown Unknown
}

func (*Setting) Kind() Kind    { return KindSetting }
func (s *Setting) Key() string { return s.Name }
