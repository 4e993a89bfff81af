// Package secret holds the records of Secrets Manager and of SSM Parameter Store, and the rules about one record. Values are sealed: a record never
// holds one that can be read. Field names are those of the APIs in lower camel case. Pure.
package secret

import (
	"time"

	"berth/internal/awswire"
	"berth/internal/record"
)

// The kinds of records.
const (
	KindSecret           record.Kind = "secret"
	KindSecretVersion    record.Kind = "secret-version"
	KindParameter        record.Kind = "parameter"
	KindParameterVersion record.Kind = "parameter-version"
)

// Unknown keeps the members of a stored record that this version does not know.
type Unknown = awswire.Unknown

// Tag is a tag of a resource.
type Tag = record.Tag

// Secret is a secret of Secrets Manager without its values. Written by: api/secretsmanager.
type Secret struct {
	Arn          string // arn:aws:secretsmanager:REGION:ACCOUNT:secret:NAME-SUFFIX, six random characters after the name
	Name         string
	Description  string
	KMSKeyID     string `json:"kmsKeyId"`
	Policy       string // resource policy
	CreatedDate  time.Time
	ChangedDate  time.Time
	DeletedDate  time.Time // when it was marked; zero while it is not
	DeletionDate time.Time // when it goes
	Tags         []Tag
	Stages       Stages
	Unknown      Unknown
}

// Kind and Key make a Secret a record.
func (*Secret) Kind() record.Kind { return KindSecret }
func (s *Secret) Key() string     { return s.Arn }

// SecretVersion is one value of a secret. Written by: api/secretsmanager.
type SecretVersion struct {
	Secret      string // ARN
	VersionID   string `json:"versionId"`
	Sealed      []byte // bound to Key
	Binary      bool   // the value is bytes, not text
	CreatedDate time.Time
	Unknown     Unknown
}

// Kind and Key make a SecretVersion a record. Those of one secret are together.
func (*SecretVersion) Kind() record.Kind { return KindSecretVersion }
func (v *SecretVersion) Key() string     { return v.Secret + "/" + v.VersionID }

// Parameter is the newest version of a parameter of Parameter Store. Written by: api/ssm.
type Parameter struct {
	Arn     string // arn:aws:ssm:REGION:ACCOUNT:parameter/NAME
	Name    string
	Tags    []Tag
	Current ParameterValue
	Unknown Unknown
}

// Kind and Key make a Parameter a record.
func (*Parameter) Kind() record.Kind { return KindParameter }
func (p *Parameter) Key() string     { return p.Arn }

// ParameterValue is one version of a parameter.
type ParameterValue struct {
	Version        int64
	Type           string // String, StringList or SecureString
	Sealed         []byte // of every type, bound to ARN and version
	KeyID          string `json:"keyId"`
	Description    string
	AllowedPattern string
	DataType       string
	Tier           string
	Policies       string
	Labels         []string
	ModifiedDate   time.Time
	ModifiedUser   string // ARN
}

// ParameterVersion is an older version. Written by: api/ssm.
type ParameterVersion struct {
	Parameter string // ARN
	Value     ParameterValue
	Unknown   Unknown
}

// Kind and Key make a ParameterVersion a record. Those of one parameter are together, oldest first.
func (*ParameterVersion) Kind() record.Kind { return KindParameterVersion }
func (v *ParameterVersion) Key() string     { return VersionKey(v.Parameter, v.Value.Version) }
