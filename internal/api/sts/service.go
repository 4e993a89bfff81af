// Package sts serves the Security Token Service, one file per operation.
package sts

import (
	"berth/internal/awswire"
	"berth/internal/frontdoor"
)

// New returns the service for the front door.
func New() frontdoor.Service {
	return frontdoor.Service{
		Name:       "sts",
		Protocol:   frontdoor.AWSQuery,
		Names:      awswire.GoNames,
		Version:    "2011-06-15",
		Namespace:  "https://sts.amazonaws.com/doc/2011-06-15/",
		Operations: []frontdoor.Operation{getCallerIdentity()},
		Known: []string{
			"AssumeRole", "AssumeRoleWithSAML", "AssumeRoleWithWebIdentity", "AssumeRoot", "DecodeAuthorizationMessage", "GetAccessKeyInfo",
			"GetCallerIdentity", "GetDelegatedAccessToken", "GetFederationToken", "GetSessionToken", "GetWebIdentityToken",
		},
	}
}
