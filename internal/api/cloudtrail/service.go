// Package cloudtrail serves the part of AWS CloudTrail that reads its event history: LookupEvents, over the audit log of the replica that is asked.
package cloudtrail

import (
	"context"
	_ "embed"
	"strings"

	"berth/internal/awswire"
	"berth/internal/frontdoor"
)

// operationList are the names of all operations that CloudTrail has, one a line: a fact, so that one that is not served is refused by name.
//
//go:embed operations.txt
var operationList string

// Trail is the audit log: its records, lines of JSON in CloudTrail's format, the newest first, with the place before each, from before a place ("" is the end)
// until yield says that it is enough. A place that is none is an error for which BadPlace is true.
type Trail interface {
	Backward(ctx context.Context, before string, yield func(line []byte, place string) bool) error
	BadPlace(err error) bool
}

// API are the operations over one audit log.
type API struct{ trail Trail }

// New returns the operations; trail is nil where there is no audit log.
func New(trail Trail) *API { return &API{trail} }

// Service is the table that the front door dispatches by.
func (a *API) Service() frontdoor.Service {
	lookup := frontdoor.Op("LookupEvents", a.lookupEvents)
	lookup.ReadOnly = true
	return frontdoor.Service{
		Name: "cloudtrail", Protocol: frontdoor.AWSJSON11, Names: awswire.GoNames, Target: "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101",
		Operations: []frontdoor.Operation{lookup}, Known: strings.Fields(operationList),
	}
}
