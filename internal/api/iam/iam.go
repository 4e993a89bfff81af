// Package iam serves Identity and Access Management, one file per operation or family of operations: it validates a request as IAM does, reads one snapshot
// or makes one Update, and answers in the SDK's own shapes.
package iam

import (
	"context"
	_ "embed"
	"reflect"
	"slices"
	"strings"
	"time"

	"berth/internal/awswire"
	"berth/internal/frontdoor"
	"berth/internal/iam/managed"
	"berth/internal/seal"
	"berth/internal/state"
)

// operationList are the names of all operations that IAM has, one a line: a fact, so that one that is not served is refused by name.
//
//go:embed operations.txt
var operationList string

// API are the operations over one store.
type API struct {
	store   *state.Store
	seal    seal.Key
	managed *managed.Policies
}

// Config is what the operations need.
type Config struct {
	State *state.Store
	Seal  seal.Key // seals the secrets of access keys
}

// New returns the operations.
func New(c Config) *API {
	return &API{store: c.State, seal: c.Seal, managed: managed.Load()}
}

// Service is the table that the front door dispatches by.
func (a *API) Service() frontdoor.Service {
	all := slices.Concat(a.roleOperations(), a.managedPolicyOperations(), a.attachmentOperations(), a.inlinePolicyOperations(), a.boundaryOperations(),
		a.userOperations(), a.groupOperations(), a.instanceProfileOperations(), a.serviceLinkedOperations(), a.tagOperations(),
		a.providerOperations(), a.accountOperations(), a.simulationOperations())
	for i := range all {
		all[i].Keys = a.keys
	}
	return frontdoor.Service{
		Name: "iam", Protocol: frontdoor.AWSQuery, Names: awswire.GoNames, Version: "2010-05-08", Namespace: "https://iam.amazonaws.com/doc/2010-05-08/",
		Operations: all, ResourceTags: a.resourceTags, Known: strings.Fields(operationList),
	}
}

// operation makes an operation of one of ours. required are the members that a request must have; the others are checked where they are given.
func operation[I, O any](name string, on resources, call func(ctx context.Context, r *frontdoor.Request, in *I) (*O, error), required ...string) frontdoor.Operation {
	check := newChecks(reflect.TypeFor[I](), required)
	o := frontdoor.Op(name, func(ctx context.Context, r *frontdoor.Request, in *I) (*O, error) {
		if err := check.of(in); err != nil {
			return nil, err
		}
		return call(ctx, r, in)
	})
	return o.On(on)
}

// now is the time that goes into records: IAM's have whole seconds.
func now() time.Time { return time.Now().UTC().Truncate(time.Second) }

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
