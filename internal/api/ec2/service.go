// Package ec2 serves the part of Amazon EC2's API that is the VPC, one file per operation: it validates a request as EC2 does, reads one snapshot or makes
// one Update, and answers. The shapes are our own: those of the SDK are huge. A request's members have the Go names, or what their tag says; an answer's
// are the same in lower camel case.
package ec2

import (
	"context"
	_ "embed"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"time"

	"berth/internal/apierr"
	"berth/internal/arn"
	"berth/internal/awswire"
	"berth/internal/frontdoor"
	"berth/internal/state"
	"berth/internal/vpc"
)

// operationList are the names of all operations that EC2 has, one a line: a fact, so that one that is not served is refused by name.
//
//go:embed operations.txt
var operationList string

// API are the operations over one store.
type API struct {
	store *state.Store
	zones []string // their letters
}

// Config is what the operations need besides the store.
type Config struct {
	State *state.Store
}

// New returns the operations.
func New(c Config) *API { return &API{store: c.State, zones: vpc.ZoneLetters()} }

// Service is the table that the front door dispatches by.
func (a *API) Service() frontdoor.Service {
	return frontdoor.Service{
		Name: "ec2", Protocol: frontdoor.EC2Query, Names: awswire.GoNames, Version: "2016-11-15", Namespace: "http://ec2.amazonaws.com/doc/2016-11-15/",
		Operations: slices.Concat(a.zoneOperations(), a.vpcOperations(), a.subnetOperations(), a.routeTableOperations(), a.internetGatewayOperations(),
			a.natGatewayOperations(), a.addressOperations(), a.dhcpOptionsOperations(), a.networkACLOperations(),
			a.securityGroupOperations(), a.networkInterfaceOperations(), a.vpcEndpointOperations(), a.tagOperations()),
		Known: strings.Fields(operationList),
	}
}

// operation makes an operation of one of ours. Before it is called the account has its default VPC; a dry run ends before it with EC2's word that the
// request would have succeeded, as far as permissions go.
func operation[I, O any](a *API, name string, call func(ctx context.Context, r *frontdoor.Request, in *I) (*O, error)) frontdoor.Operation {
	dry, has := reflect.TypeFor[I]().FieldByName("DryRun")
	return frontdoor.Op(name, func(ctx context.Context, r *frontdoor.Request, in *I) (*O, error) {
		if has {
			if v := reflect.ValueOf(in).Elem().FieldByIndex(dry.Index).Interface().(*bool); v != nil && *v {
				return nil, dryRun()
			}
		}
		if err := a.ensureAccount(ctx, r.Scope); err != nil {
			return nil, err
		}
		return call(ctx, r, in)
	})
}

func dryRun() error {
	e := apierr.New("DryRunOperation", "Request would have succeeded, but DryRun flag is set.")
	e.Status = http.StatusPreconditionFailed
	return e
}

// now is the time that goes into records: they keep milliseconds.
func now() time.Time { return time.Now().UTC().Truncate(time.Millisecond) }

// zone is the availability zone of a region with that letter.
func zone(s arn.Scope, letter string) string { return s.Region + letter }

// Done is the answer of operations that have nothing to say.
type Done struct{ Return bool }

func done() *Done { return &Done{Return: true} }
