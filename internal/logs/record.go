// Package logs holds the records of CloudWatch Logs' log groups, and the rules about one record. Streams and events are not here: they are in the log
// store. Field names are those of the API. Pure.
package logs

import (
	"time"

	"berth/internal/awswire"
	"berth/internal/record"
)

// KindGroup is the kind of Group.
const KindGroup record.Kind = "log-group"

// Unknown keeps the members of a stored record that this version does not know.
type Unknown = awswire.Unknown

// Tag is a tag of a resource.
type Tag = record.Tag

// Group is a log group. Written by: api/logs.
type Group struct {
	Arn             string // arn:aws:logs:REGION:ACCOUNT:log-group:NAME
	Name            string
	ID              string `json:"id"` // never given twice: the log store's key, so that a group made anew under the same name is empty
	CreationTime    time.Time
	RetentionInDays int32 // 0: for ever
	Class           string
	KMSKeyID        string `json:"kmsKeyId"`
	Tags            []Tag
	// DeletionProtection keeps the group from being deleted.
	DeletionProtection bool
	Unknown            Unknown
}

// Kind and Key make a Group a record.
func (*Group) Kind() record.Kind { return KindGroup }
func (g *Group) Key() string     { return g.Arn }
