package iam

import (
	"time"

	"berth/internal/record"
)

// Policy is a customer managed policy. Written by: api/iam.
type Policy struct {
	Arn         string
	Name        string
	ID          string `json:"id"` // ANPA...
	Path        string
	Description string
	CreateDate  time.Time
	UpdateDate  time.Time
	Default     string    // the version that is in force: "v1"
	Versions    []Version // at most five, oldest first
	Last        int       // the number of the newest version that ever was
	Tags        []Tag
	Unknown     Unknown
}

// Version is a version of a managed policy.
type Version struct {
	ID         string `json:"id"` // "v1"
	Document   string
	CreateDate time.Time
}

// Kind and Key make a Policy a record.
func (*Policy) Kind() record.Kind { return KindPolicy }
func (p *Policy) Key() string     { return p.Arn }

// Document is the one in force.
func (p *Policy) Document() string {
	for i := range p.Versions {
		if p.Versions[i].ID == p.Default {
			return p.Versions[i].Document
		}
	}
	return ""
}
