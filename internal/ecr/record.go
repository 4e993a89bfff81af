// Package ecr holds the records of the image registry's repositories, and the rules about one record. Images are not here: they are in the
// registry's own storage. Field names are those of ECR's API. Pure.
package ecr

import (
	"time"

	"berth/internal/awswire"
	"berth/internal/record"
)

// KindRepository is the kind of Repository.
const KindRepository record.Kind = "ecr-repository"

// Unknown keeps the members of a stored record that this version does not know.
type Unknown = awswire.Unknown

// Tag is a tag of a resource.
type Tag = record.Tag

// Repository is a repository of images. Written by: api/ecr.
type Repository struct {
	Arn       string // arn:aws:ecr:REGION:ACCOUNT:repository/NAME
	Name      string
	Storage   string // under which name the registry keeps its images: no other repository had it, so that a new one of the same name begins empty
	CreatedAt time.Time
	Immutable bool // tags
	// MutabilityExclusions are patterns of tags for which the opposite of Immutable holds.
	MutabilityExclusions []string
	ScanOnPush           bool
	EncryptionType       string
	KMSKey               string `json:"kmsKey"`
	Policy               string // resource policy
	LifecyclePolicy      string
	LifecycleRunAt       time.Time // when the policy was last acted on
	Tags                 []Tag
	Unknown              Unknown
}

// Kind and Key make a Repository a record.
func (*Repository) Kind() record.Kind { return KindRepository }
func (r *Repository) Key() string     { return r.Arn }
