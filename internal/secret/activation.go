package secret

import (
	"time"

	"berth/internal/arn"
	"berth/internal/record"
)

// The kinds of records of Systems Manager's hybrid activations.
const (
	KindActivation      record.Kind = "activation"
	KindManagedInstance record.Kind = "managed-instance"
)

// Activation lets machines that are not of EC2 register, as ECS Anywhere does. Written by: api/ssm.
type Activation struct {
	Account, Region     string
	ActivationID        string `json:"activationId"`
	CodeHash            string // of the activation code: the code itself is nowhere
	Description         string
	DefaultInstanceName string
	IAMRole             string `json:"iamRole"` // its name, with a path before it where the request had one
	RegistrationLimit   int32
	RegistrationsCount  int32
	ExpirationDate      time.Time
	CreatedDate         time.Time
	Tags                []Tag
	Unknown             Unknown
}

// Kind and Key make an Activation a record. Those of one account and region are together.
func (*Activation) Kind() record.Kind { return KindActivation }
func (a *Activation) Key() string     { return RegionKey(a.Account, a.Region, a.ActivationID) }

// ManagedInstance is a machine that has registered with an activation. Written by: api/ssm; RegisterContainerInstance (ContainerInstance).
type ManagedInstance struct {
	Account, Region  string
	InstanceID       string `json:"instanceId"` // mi-, and 17 hexadecimal digits
	ActivationID     string `json:"activationId"`
	IAMRole          string `json:"iamRole"`
	Name             string
	ComputerName     string
	IPAddress        string `json:"ipAddress"`
	PlatformName     string
	PlatformVersion  string
	AgentVersion     string
	RegistrationDate time.Time
	Tags             []Tag
	// PublicKey is that of the key pair by which the machine asks for its role's credentials: RSA, in DER (PKIX) and base64. Fingerprint is what the machine
	// calls its hardware.
	PublicKey, Fingerprint string
	ContainerInstance      arn.Instance // that it has registered as, "" for none
	Unknown                Unknown
}

// Kind and Key make a ManagedInstance a record. Those of one account and region are together.
func (*ManagedInstance) Kind() record.Kind { return KindManagedInstance }
func (m *ManagedInstance) Key() string     { return RegionKey(m.Account, m.Region, m.InstanceID) }

// RegionKey is the key of something in an account and region; without an id it is what all those keys begin with.
func RegionKey(account, region, id string) string { return account + "/" + region + "/" + id }

// Expired says whether nobody can register with the activation any more.
func (a *Activation) Expired(now time.Time) bool { return !now.Before(a.ExpirationDate) }
