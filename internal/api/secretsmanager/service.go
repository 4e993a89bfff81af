// Package secretsmanager serves AWS Secrets Manager, one file per operation. Values are sealed with the installation's key before they reach the store; an
// operation opens one only to answer with it or to see whether a repeated request says the same.
package secretsmanager

import (
	_ "embed"
	"strings"
	"time"

	"berth/internal/awswire"
	"berth/internal/frontdoor"
	"berth/internal/seal"
	"berth/internal/state"
)

// operationList are the names of all operations that Secrets Manager has, one a line: a fact, so that one that is not served is refused by name.
//
//go:embed operations.txt
var operationList string

// API are the operations over one store.
type API struct {
	store *state.Store
	key   seal.Key
}

// Config is what the operations need.
type Config struct {
	State *state.Store
	Seal  seal.Key // the installation's, which all values are sealed with
}

// New returns the operations.
func New(c Config) *API { return &API{store: c.State, key: c.Seal} }

// Service is the table that the front door dispatches by.
func (a *API) Service() frontdoor.Service {
	return frontdoor.Service{
		Name: "secretsmanager", Protocol: frontdoor.AWSJSON11, Names: awswire.GoNames, Target: "secretsmanager",
		Operations: a.operations(), ResourceTags: a.resourceTags, Known: strings.Fields(operationList),
	}
}

func (a *API) operations() []frontdoor.Operation {
	batch := frontdoor.Op("BatchGetSecretValue", a.batchGetSecretValue)
	batch.ReadOnly = true
	validate := a.about(frontdoor.Op("ValidateResourcePolicy", a.validateResourcePolicy))
	validate.ReadOnly = true
	create := frontdoor.Op("CreateSecret", a.createSecret).On(newSecretResource)
	create.Keys = keys
	return []frontdoor.Operation{
		create,
		a.about(frontdoor.Op("GetSecretValue", a.getSecretValue)),
		batch,
		a.about(frontdoor.Op("PutSecretValue", a.putSecretValue)),
		a.about(frontdoor.Op("UpdateSecret", a.updateSecret)),
		a.about(frontdoor.Op("UpdateSecretVersionStage", a.updateSecretVersionStage)),
		a.about(frontdoor.Op("DescribeSecret", a.describeSecret)),
		frontdoor.Op("ListSecrets", a.listSecrets),
		a.about(frontdoor.Op("ListSecretVersionIds", a.listSecretVersionIDs)),
		a.about(frontdoor.Op("DeleteSecret", a.deleteSecret)),
		a.about(frontdoor.Op("RestoreSecret", a.restoreSecret)),
		a.about(frontdoor.Op("TagResource", a.tagResource)),
		a.about(frontdoor.Op("UntagResource", a.untagResource)),
		a.about(frontdoor.Op("PutResourcePolicy", a.putResourcePolicy)),
		a.about(frontdoor.Op("GetResourcePolicy", a.getResourcePolicy)),
		a.about(frontdoor.Op("DeleteResourcePolicy", a.deleteResourcePolicy)),
		validate,
		frontdoor.Op("GetRandomPassword", a.getRandomPassword),
	}
}

// now is the time that goes into records: they keep milliseconds.
func now() time.Time { return time.Now().UTC().Truncate(time.Millisecond) }
