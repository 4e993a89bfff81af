// Package ssm serves the part of AWS Systems Manager that is Parameter Store and hybrid activations, one file per operation. Values of every type are sealed
// with the installation's key before they reach the store.
package ssm

import (
	_ "embed"
	"strings"
	"time"

	"berth/internal/access"
	"berth/internal/awswire"
	"berth/internal/frontdoor"
	"berth/internal/seal"
	"berth/internal/state"
)

// operationList are the names of all operations that Systems Manager has, one a line: a fact, so that one that is not served is refused by name.
//
//go:embed operations.txt
var operationList string

// API are the operations over one store.
type API struct {
	store    *state.Store
	key      seal.Key
	sessions Sessions
	access   *access.Keys
}

// Config is what the operations need.
type Config struct {
	State *state.Store
	Seal  seal.Key // the installation's, which all values are sealed with
	// Sessions opens sessions in containers; nil refuses them.
	Sessions Sessions
	// Access makes the credentials of managed instances' roles.
	Access *access.Keys
}

// New returns the operations.
func New(c Config) *API { return &API{c.State, c.Seal, c.Sessions, c.Access} }

// Service is the table that the front door dispatches by.
func (a *API) Service() frontdoor.Service {
	return frontdoor.Service{
		Name: "ssm", Protocol: frontdoor.AWSJSON11, Names: awswire.GoNames, Target: "AmazonSSM",
		Operations: a.operations(), Rates: rates(), ResourceTags: a.resourceTags, Known: append(strings.Fields(operationList), ofAgents()...),
	}
}

// ofAgents are the operations that agents call and the SDK has not.
func ofAgents() []string {
	return []string{"RegisterManagedInstance", "RequestManagedInstanceRoleToken", "UpdateInstanceInformation"}
}

func (a *API) operations() []frontdoor.Operation {
	put := frontdoor.Op("PutParameter", a.putParameter).On(namedParameter)
	byPath := frontdoor.Op("GetParametersByPath", a.getParametersByPath).On(pathOfParameters)
	put.Keys, byPath.Keys = keys, keys
	activate := frontdoor.Op("CreateActivation", a.createActivation)
	activate.Also = a.passesRole
	register := frontdoor.Op("RegisterManagedInstance", a.registerManagedInstance)
	register.Open, register.Unsigned = true, true
	return []frontdoor.Operation{
		put, register,
		frontdoor.Op("RequestManagedInstanceRoleToken", a.requestManagedInstanceRoleToken).On(callingInstance),
		frontdoor.Op("GetParameter", a.getParameter).On(namedParameter),
		frontdoor.Op("GetParameters", a.getParameters).On(namedParameters),
		byPath,
		frontdoor.Op("GetParameterHistory", a.getParameterHistory).On(namedParameter),
		frontdoor.Op("DescribeParameters", a.describeParameters).On(everything),
		frontdoor.Op("DeleteParameter", a.deleteParameter).On(namedParameter),
		frontdoor.Op("DeleteParameters", a.deleteParameters).On(namedParameters),
		frontdoor.Op("LabelParameterVersion", a.labelParameterVersion).On(namedParameter),
		frontdoor.Op("UnlabelParameterVersion", a.unlabelParameterVersion).On(namedParameter),
		frontdoor.Op("AddTagsToResource", a.addTagsToResource).On(taggedResource),
		frontdoor.Op("RemoveTagsFromResource", a.removeTagsFromResource).On(taggedResource),
		frontdoor.Op("ListTagsForResource", a.listTagsForResource).On(taggedResource),
		activate,
		frontdoor.Op("DescribeActivations", a.describeActivations),
		frontdoor.Op("DeleteActivation", a.deleteActivation),
		frontdoor.Op("DescribeInstanceInformation", a.describeInstanceInformation).On(everything),
		frontdoor.Op("UpdateInstanceInformation", a.updateInstanceInformation).On(namedInstance),
		frontdoor.Op("DeregisterManagedInstance", a.deregisterManagedInstance).On(namedInstance),
		a.startsSessions(),
		frontdoor.Op("ResumeSession", a.resumeSession).On(namedSession),
		frontdoor.Op("TerminateSession", a.terminateSession).On(namedSession),
		a.describesSessions(),
	}
}

// now is the time that goes into records: they keep milliseconds.
func now() time.Time { return time.Now().UTC().Truncate(time.Millisecond) }

// rates bound how often an address may try codes. All that is signed has the usual share.
func rates() []frontdoor.Rate {
	return []frontdoor.Rate{{Name: "registrations", Burst: 1, PerSecond: 0.1, Operations: []string{"RegisterManagedInstance"}}} // times 100, as usual
}
