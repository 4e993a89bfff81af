package ecr

import (
	"context"
	"encoding/base64"

	awsecr "github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"

	"berth/internal/frontdoor"
)

const mostRegistries = 10

// getAuthorizationToken makes the password that docker login takes, and says where it serves: at the address that the caller reached us by.
func (a *API) getAuthorizationToken(ctx context.Context, r *frontdoor.Request, in *awsecr.GetAuthorizationTokenInput) (*awsecr.GetAuthorizationTokenOutput, error) {
	var c check
	c.count("registryIds", in.RegistryIds != nil, len(in.RegistryIds), 1, mostRegistries)
	for _, id := range in.RegistryIds {
		if !accountForm.MatchString(id) {
			c.fail("registryIds", "must satisfy regular expression '[0-9]{12}'")
		}
	}
	if c.err != nil {
		return nil, c.err
	}
	password, expires, err := a.token(ctx, r)
	if err != nil {
		return nil, err
	}
	token := base64.StdEncoding.EncodeToString([]byte("AWS:" + password))
	endpoint := origin(r)
	out := &awsecr.GetAuthorizationTokenOutput{}
	for range max(1, len(in.RegistryIds)) { // one serves all registries
		out.AuthorizationData = append(out.AuthorizationData, types.AuthorizationData{AuthorizationToken: &token, ExpiresAt: &expires, ProxyEndpoint: &endpoint})
	}
	return out, nil
}

// origin is where the caller reached us.
func origin(r *frontdoor.Request) string {
	if r.TLS {
		return "https://" + r.Host
	}
	return "http://" + r.Host
}
