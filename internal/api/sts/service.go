// Package sts serves the Security Token Service, one file per operation.
package sts

import (
	"berth/internal/access"
	"berth/internal/awswire"
	"berth/internal/frontdoor"
	"berth/internal/oidc"
)

// API are the operations.
type API struct {
	keys   *access.Keys
	tokens oidc.Verifier
}

// New returns the operations over the keys of an installation.
func New(keys *access.Keys) *API { return &API{keys: keys} }

// Service is the table that the front door dispatches by.
func (a *API) Service() frontdoor.Service {
	return frontdoor.Service{
		Name:      "sts",
		Protocol:  frontdoor.AWSQuery,
		Names:     awswire.GoNames,
		Version:   "2011-06-15",
		Namespace: "https://sts.amazonaws.com/doc/2011-06-15/",
		Operations: []frontdoor.Operation{
			getCallerIdentity(), a.assumeRole(), a.assumeRoleWithWebIdentity(), a.getSessionToken(), a.getFederationToken(), a.getAccessKeyInfo(),
		},
		Known: []string{
			"AssumeRole", "AssumeRoleWithSAML", "AssumeRoleWithWebIdentity", "AssumeRoot", "DecodeAuthorizationMessage", "GetAccessKeyInfo",
			"GetCallerIdentity", "GetDelegatedAccessToken", "GetFederationToken", "GetSessionToken", "GetWebIdentityToken",
		},
	}
}
